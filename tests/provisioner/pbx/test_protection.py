"""What settings mean to the SIP side's limits."""

from __future__ import annotations

import resource

import pytest

from provisioner.pbx import protection
from provisioner.settings import Limits, Security, Settings, Sip
from sip.bans import Bans, Verdict
from tests.sip.test_bans import NOW, OFFICE, SCANNER, way


def scanned(security: Security, host: str = SCANNER) -> Bans:
    bans = protection.bans(security, protection.proven(Settings()))
    for number in range(50):
        bans.failed(way(host), str(number), NOW, has_nonce=True)
    return bans


def test_a_ban_lasts_as_long_as_that_of_a_scan():
    (ban,) = scanned(Security(ban_minutes=7)).listed(NOW)
    assert ban.until - ban.since == 7 * 60


def test_networks_that_are_never_banned_are_not_held_back_here_either():
    assert scanned(Security(never_banned=("192.0.2.0/24",)), OFFICE).of(way(OFFICE), NOW) is Verdict.FREE
    assert scanned(Security(never_banned=("192.0.2.0/24",))).of(way(), NOW) is Verdict.BANNED


def test_where_scans_are_not_looked_for_nobody_is_banned():
    assert scanned(Security(scan_misses=0)).of(way(), NOW) is Verdict.FREE


@pytest.mark.parametrize(("expires_s", "hours"), [(3600, 2), (24 * 3600, 36)])
def test_a_flow_counts_as_proven_for_longer_than_a_registration(expires_s, hours):
    proven = protection.proven(Settings(sip=Sip(max_expires_s=expires_s)))
    proven.note(way(), NOW)
    assert proven.has_proved(way(), NOW + hours * 3600 - 1)
    assert not proven.has_proved(way(), NOW + hours * 3600)


def test_there_is_room_for_both_sides_connections():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        limits = protection.transport_limits(Settings(limits=Limits(connections=200, handshakes=30)))
        assert (limits.connections, limits.handshakes) == (200, 30)
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, before[1]))
        most = protection.transport_limits(Settings(limits=Limits(connections=10_000_000))).connections
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert soft == hard
        assert most < soft // 2
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
