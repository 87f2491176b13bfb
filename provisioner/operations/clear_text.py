"""Where secrets may leave to without TLS."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address

from provisioner.operations.asking import Ask
from provisioner.operations.installation import Installation
from provisioner.settings import Security


def may_have_secrets(installation: Installation, ask: Ask) -> bool:
    """Whether secrets may leave to where the request comes from."""
    return not ask.clear_text or _is_inside(ask.source, installation.settings.security)


# Every request over clear text asks, and a phone comes from the same address each time.
@lru_cache(maxsize=65536)
def _is_inside(address: str, security: Security) -> bool:
    try:
        source = ip_address(address)
    except ValueError:
        return False
    source = getattr(source, "ipv4_mapped", None) or source
    return any(source in network for network in security.networks())
