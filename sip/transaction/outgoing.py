"""Requests with our Via, and those that belong to an INVITE (RFC 3261 §17.1, §9.1)."""

from __future__ import annotations

from collections.abc import Iterable

from sip.message.message import Request, Response
from sip.message.values import CSeq
from sip.transport.flow import Flow

_HOPS = 70


def with_via(request: Request, flow: Flow, branch: str) -> Request:
    """A copy with our Via on top, which asks for rport (RFC 3581 §3)."""
    via = f"SIP/2.0/{flow.transport.upper()} {flow.local};branch={branch};rport"
    sent = Request(request.method, request.uri_text, request.headers.copy(), request.body)
    sent.headers.prepend("Via", via)
    return sent


def cancel_of(invite: Request, reasons: Iterable[str]) -> Request:
    """The CANCEL of an INVITE as it was sent (§9.1); `reasons` are values of Reason (RFC 3326)."""
    cancel = _belonging_to(invite, "CANCEL")
    for reason in reasons:
        cancel.headers.add("Reason", reason)
    return cancel


def ack_of(invite: Request, response: Response) -> Request:
    """The ACK of a refusal, which goes hop by hop (§17.1.1.3)."""
    ack = _belonging_to(invite, "ACK")
    ack.headers.set("To", *response.headers.all("To"))
    return ack


def top_of(invite: Request) -> Request:
    """As much of an INVITE as its answers repeat."""
    headers = invite.headers.copy("Via", "From", "To", "Call-ID", "CSeq")
    return Request(invite.method, invite.uri_text, headers)


def _belonging_to(invite: Request, method: str) -> Request:
    """A request that the next hop knows to belong to another of ours: the same Via, numbers and way."""
    headers = invite.headers.copy("Via", "Route", "From", "To", "Call-ID")
    headers.add("CSeq", str(CSeq(invite.cseq.number, method)))
    headers.add("Max-Forwards", str(_HOPS))
    return Request(method, invite.uri_text, headers)
