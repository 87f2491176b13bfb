"""What the SIP side bears from its peers, as the settings say it."""

from __future__ import annotations

import resource

from provisioner.operations.sources import is_within
from provisioner.settings import OWN_FILES, Security, Settings
from sip.bans import BanLimits, Bans
from sip.transport.limits import TransportLimits
from sip.transport.proven import Proven, ProvenLimits

_LONGER = 1.5
"How much longer than a registration its flow counts as proven: a phone may be late."


def transport_limits(settings: Settings) -> TransportLimits:
    """As many connections as the portal's and the phones' doors may have together, as far as files go."""
    limits = settings.limits
    return TransportLimits(
        connections=_room_beside(limits.connections),
        connections_per_source=limits.connections_per_source,
        handshakes=limits.handshakes,
        handshake_s=limits.handshake_s,
    )


def proven(settings: Settings) -> Proven:
    """Who has logged in lately."""
    default = ProvenLimits()
    lifetime_s = max(default.lifetime_s, _LONGER * settings.sip.max_expires_s)
    return Proven(ProvenLimits(lifetime_s=lifetime_s))


def bans(security: Security, known: Proven) -> Bans:
    """With the times and the exceptions that bans of scans have, too."""
    spared = security.spared()
    limits = BanLimits(ban_s=60.0 * security.ban_minutes)
    return Bans(known, limits, lambda source: not security.scan_misses or is_within(source, spared))


def _room_beside(connections: int) -> int:
    """How many connections there may be beside as many others; takes all the files that the system gives."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * connections + OWN_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections
    return max((soft - OWN_FILES) // 2, soft // 4)
