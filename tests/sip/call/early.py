"""What phones do while it rings, so that it arrives for certain (RFC 3262)."""

from __future__ import annotations

from sip.message.message import Request, Response
from sip.message.sdp import parse_sdp
from sip.message.values import RAck
from tests.sip.call.phones import Phone, Switchboard, Talk, sdp
from tests.sip.call.story import assert_is_whole


def says_reliably(
    phone: Phone, invite: Request, status: int, rseq: int, body: bytes = b"", **headers: str
) -> Response:
    return phone.says(invite, status, body, Require="100rel", RSeq=str(rseq), **headers)


def pracks(
    phone: Phone, talk: Talk, response: Response, body: bytes = b"", rack: RAck | None = None
) -> Request:
    """Thanks for a provisional response."""
    assert response.rseq is not None
    prack = talk.dialog.request("PRACK")
    prack.rack = rack or RAck(response.rseq, response.cseq)
    return phone.asks(prack, body)


def port(message: Request | Response) -> int:
    return parse_sdp(message.body).media[0].port


def agrees_early(caller: Phone, callee: Phone) -> tuple[Request, Request, Response]:
    """They agree upon a session while it rings: the INVITE on both sides, and what the caller hears."""
    invite = caller.invite(callee.line, Supported="100rel")
    incoming = callee.request()
    says_reliably(callee, incoming, 183, 1, sdp(callee.port))
    callee.says(callee.request("PRACK"), 200)
    return invite, incoming, caller.response("183 INVITE")


def hangs_up(board: Switchboard, talk: Talk, other: Phone) -> None:
    """One hangs up, and nothing of the call is left."""
    talk.asks("BYE")
    talk.phone.takes("200 BYE")
    other.says(other.request("BYE"), 200)
    board.assert_nothing_is_left()
    assert_is_whole(board.story, 0)
