"""How a request came in: what the connection says of it, beside what it says itself."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from provisioner.web.certificates import proven_mac


@dataclass(frozen=True, slots=True)
class Arrival:
    """The same for all requests of a connection."""

    clear_text: bool
    "Who sits between may read along: no TLS, or a listener that speaks what is as good as none."
    certificate: str | None = None
    "The MAC (twelve lower-case hex digits) that the client's certificate proves."


CLEAR_TEXT = Arrival(clear_text=True)
_PRIVATE = Arrival(clear_text=False)


def arrival_over(tls: ssl.SSLObject | None) -> Arrival:
    """What a connection's TLS says, None where it has none; asked once for each connection."""
    if tls is None or tls.context.minimum_version < ssl.TLSVersion.TLSv1_2:
        # Whatever a phone has agreed on there, somebody between could have talked it down.
        return CLEAR_TEXT
    if tls.context.verify_mode is not ssl.CERT_REQUIRED:
        return _PRIVATE
    der = tls.getpeercert(binary_form=True)
    return Arrival(clear_text=False, certificate=proven_mac(der) if der else None)
