"""What phones are told to reach: configured, or what `serve` listened on last."""

from __future__ import annotations

import socket
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncSession

from db.schema import InstanceRow
from provisioner.centrex.addresses import PublicAddresses
from provisioner.settings import Public, Settings, split_address

_PORTS = {"http": 80, "https": 443}
"Where a URL leads that names no port."
_KEYS = ("provisioning_url", "sip_host", "sip_port", "sip_transport")


async def public_addresses(session: AsyncSession, settings: Settings) -> PublicAddresses:
    """What holds now: `[public]`, else what `serve` stored, else what it would store with these settings."""
    stored = {key: await _stored(session, key) for key in _KEYS}
    defaults = listened_on(settings.listen.provisioning, settings.listen.sip)
    public = settings.public
    return PublicAddresses(
        provisioning_url=public.provisioning_url or stored["provisioning_url"] or defaults.provisioning_url,
        sip_host=public.sip_host or stored["sip_host"] or defaults.sip_host,
        sip_port=public.sip_port or int(stored["sip_port"] or defaults.sip_port),
        sip_transport=public.sip_transport or stored["sip_transport"] or defaults.sip_transport,
    )


async def store_addresses(session: AsyncSession, listened: PublicAddresses, public: Public) -> bool:
    """Keeps what `serve` listens on. Returns whether phones are told something else than before by it."""
    changed = False
    for key in _KEYS:
        value = str(getattr(listened, key))
        row = await session.get(InstanceRow, key)
        if row is None:
            session.add(InstanceRow(key=key, value=value))
        elif row.value != value:
            row.value = value
        else:
            continue
        changed = changed or getattr(public, key) is None
    await session.flush()
    return changed


def listened_on(provisioning: str, sip: str) -> PublicAddresses:
    """The addresses that phones reach when the server listens on these; a wildcard is this machine's own."""
    provisioning_host, provisioning_port = split_address(provisioning)
    sip_host, sip_port = split_address(sip)
    return PublicAddresses(
        provisioning_url=f"http://{_reachable(provisioning_host)}:{provisioning_port}",
        sip_host=_reachable(sip_host),
        sip_port=sip_port,
        sip_transport="udp",
    )


def port_of(url: str) -> int | None:
    """Where an `http` or `https` URL leads; None where that can't be a port."""
    parts = urlsplit(url)
    try:
        return parts.port or _PORTS[parts.scheme]
    except ValueError:
        return None


def leads_to_old_tls(settings: Settings, url: str) -> bool:
    """Whether phones that are told `url` come to the listener for old TLS, as its port says."""
    address = settings.listen.provisioning_legacy_tls
    return address is not None and url.startswith("https:") and split_address(address)[1] == port_of(url)


def _reachable(host: str) -> str:
    if host in ("0.0.0.0", "::", ""):  # noqa: S104  # compared, not listened on
        host = _own_address()
    return f"[{host}]" if ":" in host else host


def _own_address() -> str:
    """The address that this machine has towards others; 127.0.0.1 where it has none."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Connecting a UDP socket asks the routing table and sends nothing (192.0.2.0/24 is RFC 5737's).
        probe.connect(("192.0.2.1", 9))
        address = str(probe.getsockname()[0])
        if not ip_address(address).is_unspecified:
            return address
    return "127.0.0.1"


async def _stored(session: AsyncSession, key: str) -> str | None:
    row = await session.get(InstanceRow, key)
    return row.value if row else None
