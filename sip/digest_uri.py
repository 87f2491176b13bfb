"""Whether credentials are for the request that brings them (RFC 7616 §3.4.6, RFC 3261 §22.4).

Whoever stands between could else have another number called by them. Phones write the same thing in several
ways, and a name of ours for another: only what says who is called, or where else, tells requests apart.
"""

from __future__ import annotations

from collections.abc import Callable

from sip.errors import SipError
from sip.message.message import Request
from sip.message.uri import SipUri, canonical_host, parse_uri, unescape


def is_for(said: str, request: Request, is_ours: Callable[[str], bool]) -> bool:
    """Whether `said`, the `uri` of credentials, names what `request` is sent to; `is_ours`: a host.

    Ports, parameters and the scheme are no matter, and of a REGISTER, which is sent to a domain (§10.2), nor
    is the user. There are clients that name the server alone, whomever they call, such as pyVoIP. Raises
    `BadUri` for a Request-URI that can't be read.
    """
    if said == request.uri_text:
        return True
    asked = request.uri
    try:
        uri = parse_uri(said.strip("<>"))
    except SipError:
        return False
    if not isinstance(uri, SipUri) or not isinstance(asked, SipUri):
        return False
    names_another = uri.user is not None and unescape(uri.user) != unescape(asked.user or "")
    if names_another and request.method != "REGISTER":
        return False
    is_same_host = canonical_host(uri.host) == canonical_host(asked.host)
    return is_same_host or (is_ours(uri.host) and is_ours(asked.host))
