"""Who is counted together: what one customer or one attacker has at hand counts as one source."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address

_SITE_BITS = 64
"An IPv6 network of this length is the least that anybody is given (RFC 6177), with 2**64 addresses."


def source_of(host: str) -> str:
    """The source of an address as sockets write it: itself, or the /64 network of an IPv6 address."""
    return _of_ipv6(host) if ":" in host else host


@lru_cache(maxsize=4096)
def _of_ipv6(host: str) -> str:
    address = ip_address(host)
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address) >> _SITE_BITS << _SITE_BITS, _SITE_BITS)))
