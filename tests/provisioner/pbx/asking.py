"""A call that is asked for, as routers see it (`provisioner.pbx.calls.Asked`)."""

from __future__ import annotations

from dataclasses import dataclass

from sip.message.message import Request
from sip.message.uri import SipUri, Uri
from sip.transport.flow import Flow
from tests.sip.transaction.messages import UDP


@dataclass(frozen=True)
class Asking:
    """An INVITE, or a REFER to `uri`."""

    request: Request
    uri: Uri
    flow: Flow = UDP


def asking(dialled: str, *privacy: str, host: str = "pbx") -> Asking:
    """An INVITE to that number of `host`."""
    uri = SipUri(host, dialled)
    request = Request("INVITE", uri)
    for value in privacy:
        request.headers.add("Privacy", value)
    return Asking(request, uri)
