"""Where a request came from, and where its response goes (RFC 3261 §18.2, RFC 3581 §4)."""

from __future__ import annotations

from sip.message.errors import MessageError
from sip.message.message import Request
from sip.transport.flow import Address, Flow

_PORT = 5060
"Of UDP and TCP, where none is said (§19.1.2)."


def note_source(request: Request, flow: Flow) -> None:
    """Writes into the top Via from where `request` has come (§18.2.1).

    Where the top Via can't be read, it stays as it is: its response repeats it, and goes where it came from.
    """
    try:
        top, *others = request.via
    except (MessageError, ValueError):
        return
    noted = top.received_from(*flow.remote)
    if noted is top:
        return
    if len(request.headers.under("via")) == 1 + len(others):
        # Each in a header of its own, or alone, as nearly always: the others stay as they were read.
        request.headers.note_in_first("via", str(noted), (noted, *others))
    else:
        request.via = (noted, *others)


def response_address(request: Request, flow: Flow) -> Address:
    """Where a response to `request` goes over UDP (§18.2.2, RFC 3581 §4).

    To the port that it came from if it asks for that, and else to the port that its Via says; at the
    address that it came from in any case. `maddr` is not followed: it would send what we answer wherever a
    stranger says, and it is for multicast, on which nobody registers.
    """
    try:
        top = request.via[0]
        if top.asks_rport:
            return flow.remote
        return Address(flow.remote.host, top.port or _PORT)
    except (MessageError, IndexError):
        return flow.remote
