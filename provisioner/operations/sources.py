"""Who is counted together: what one customer or one attacker has at hand counts as one source."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from provisioner.centrex.errors import BadValue

_SITE_BITS = 64
"An IPv6 network of this length is the least that anybody is given (RFC 6177), with 2**64 addresses."


def counted_source(address: str) -> str:
    """The source of a peer's `address`: an IPv4 address, or the /64 network of an IPv6 address."""
    # An IPv4 address is written in one way by a socket, and needs no parsing.
    return _of_ipv6(address) if ":" in address else address


@lru_cache(maxsize=4096)
def _of_ipv6(address: str) -> str:
    try:
        return _source(ip_address(address))
    except ValueError:
        return address


def _source(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address) >> _SITE_BITS << _SITE_BITS, _SITE_BITS)))


def parse_source(text: str) -> str:
    """The source that a person names, by an address or as `bans list` shows it.

    Raises `BadValue` for what is neither.
    """
    try:
        if "/" not in text:
            return _source(ip_address(text))
        network = ip_network(text)
        source = _source(network.network_address)
        if ip_network(source) == network:
            return source
    except ValueError:
        pass
    raise BadValue(
        f"{text!r} is not a source: write an address such as 192.0.2.7, or 2001:db8::7 for its /64 network"
    )


def is_within(source: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    """Whether `source` has anything in common with one of the networks."""
    if not networks:
        return False
    try:
        own = ip_network(source)
    except ValueError:
        return False
    return any(own.overlaps(network) for network in networks if network.version == own.version)
