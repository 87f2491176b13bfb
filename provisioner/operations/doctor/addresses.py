"""What phones are told to reach, and whether secrets go to them in clear text."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.schema import DeviceRow, DeviceTokenRow
from provisioner.centrex.addresses import PublicAddresses
from provisioner.centrex.mac import MacAddress
from provisioner.operations.doctor.check import Check, failure, ok, some, warning
from provisioner.settings import CLEAR_TEXT_NETWORKS, Settings

_WAIT_S = 5.0
_PRIVATE = tuple(ip_network(network) for network in (*CLEAR_TEXT_NETWORKS, "100.64.0.0/10"))
"Nobody's on the internet (RFC 1918, 3927, 4193, 4291, 6598)."
_Addresses = list[IPv4Address | IPv6Address]


async def check_public(public: PublicAddresses, phones: int) -> AsyncIterator[Check]:
    """The two addresses that phones are told. Names are looked up, and nothing else is asked."""
    provisioning = urlsplit(public.provisioning_url).hostname or ""
    async for check in _check_host("[public] provisioning_url", provisioning, phones):
        yield check
    if public.sip_transport == "dns_srv":
        yield ok(
            "public", f"[public] sip_host: {public.sip_host} is found by DNS SRV, which is not asked here"
        )
        return
    async for check in _check_host("[public] sip_host", public.sip_host.strip("[]"), phones):
        yield check


def check_clear_text(settings: Settings) -> Iterator[Check]:
    """Whether secrets may go over the internet in clear text."""
    networks = settings.security.networks()
    public = [str(network) for network in networks if not _is_private_network(network)]
    if public:
        yield warning(
            "clear-text",
            f"phones in {some(public)} get passwords in clear text, where others may listen",
            "take these networks out of [security] clear_text_networks and give their phones an https URL",
        )
    else:
        yield ok("clear-text", "without TLS, passwords go to private networks alone")


async def check_phones_outside(
    session: AsyncSession, settings: Settings, public: PublicAddresses
) -> AsyncIterator[Check]:
    """Phones that ask in clear text from where no secret may go: they get nothing.

    But for those that have a key: their encrypted files may go anywhere.
    """
    if not public.provisioning_url.startswith("http:"):
        return
    networks = settings.security.networks()
    has_key = DeviceTokenRow.encryption_key_id.is_not(None) & DeviceTokenRow.first_used_at.is_not(None)
    query = select(DeviceRow.mac, DeviceRow.contacted_from).where(
        DeviceRow.contacted_from.is_not(None),
        ~exists().where(
            DeviceTokenRow.device_id == DeviceRow.id, DeviceTokenRow.revoked_at.is_(None), has_key
        ),
    )
    outside = []
    for mac, source in await session.execute(query.order_by(DeviceRow.mac)):
        address = address_of(source or "")
        if address is not None and not any(address in network for network in networks):
            outside.append(f"{MacAddress(mac)} ({source})")
    if outside:
        yield warning(
            "clear-text",
            f"{len(outside)} phones ask from outside of [security] clear_text_networks: {some(outside)}",
            "over http they get no file there: give them an https URL, a network of their own, or encryption"
            " while they are still in one",
        )


async def _check_host(what: str, host: str, phones: int) -> AsyncIterator[Check]:
    addresses = await _addresses(host)
    shown = f"{what}: {host}"
    if not addresses:
        yield failure(
            "public",
            f"{shown} can't be found by this machine",
            "correct the name, or its DNS entry; phones ask the same question",
        )
        return
    if all(address.is_loopback or address.is_unspecified for address in addresses):
        if phones:
            yield failure(
                "public",
                f"{shown} leads every phone to itself: {phones} phones are listed",
                "set [public] provisioning_url and sip_host to what phones can reach",
            )
        else:
            yield warning(
                "public",
                f"{shown} leads every phone to itself",
                "set [public] provisioning_url and sip_host before the first phone is listed",
            )
        return
    if phones and all(address.version == 6 for address in addresses):
        yield warning(
            "public",
            f"{shown} has IPv6 addresses alone",
            "phones use IPv4 unless they are told otherwise: give the name an A record, too",
        )
        return
    yield ok("public", f"{shown} is {some(sorted({str(address) for address in addresses}))}")


async def _addresses(host: str) -> _Addresses:
    literal = address_of(host)
    if literal is not None:
        return [literal]
    try:
        async with asyncio.timeout(_WAIT_S):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError):
        return []
    return [ip_address(str(place[0]).partition("%")[0]) for *_, place in found]


def is_private(address: IPv4Address | IPv6Address) -> bool:
    """Whether the address is nobody's on the internet."""
    return any(address in network for network in _PRIVATE)


def _is_private_network(network: IPv4Network | IPv6Network) -> bool:
    # Its own `is_private` looks at both ends alone, and takes 0.0.0.0/0 for private.
    return any(
        network.version == private.version and network.subnet_of(private)  # type: ignore[arg-type]
        for private in _PRIVATE
    )


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """The address that a text is; None for a name."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
