"""Where secrets may leave to without TLS."""

from __future__ import annotations

from ipaddress import ip_address

from provisioner.operations.asking import Ask
from provisioner.operations.installation import Installation


def may_have_secrets(installation: Installation, ask: Ask) -> bool:
    """Whether secrets may leave to where the request comes from."""
    if not ask.clear_text:
        return True
    try:
        source = ip_address(ask.source)
    except ValueError:
        return False
    source = getattr(source, "ipv4_mapped", None) or source
    return any(source in network for network in installation.settings.security.networks())
