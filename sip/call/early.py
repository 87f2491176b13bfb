"""The early dialogs of an INVITE of ours, in which what is said reliably gets its PRACK (RFC 3262 §4)."""

from __future__ import annotations

from sip.call.reliable import TAG
from sip.call.session import SDP
from sip.dialog import Dialog
from sip.errors import SipError
from sip.message.errors import MessageError
from sip.message.message import Request, Response
from sip.message.sdp import SessionDescription
from sip.message.values import RAck

_MOST = 20
"Phones behind a proxy that may ring for one INVITE, as far as their answers are thanked for."


def is_reliable(response: Response) -> bool:
    """Whether a provisional response wants a PRACK."""
    if not 100 < response.status < 200:
        return False
    try:
        return response.rseq is not None and any(each.lower() == TAG for each in response.require)
    except MessageError:
        return False


class EarlyDialog:
    """With one who rings."""

    __slots__ = ("agreed", "dialog", "has_offered", "is_offered", "owes", "rseq")

    def __init__(self, dialog: Dialog, rseq: int) -> None:
        self.dialog = dialog
        self.rseq = rseq
        "Of the response that it has sent last."
        self.agreed: SessionDescription | None = None
        "What it has said of its session, reliably."
        self.owes: Response | None = None
        "Its offer, whose PRACK waits for the answer."
        self.is_offered = False
        "Whether it has been offered something else, and has not answered yet."
        self.has_offered = False
        "Whether it has offered something else itself, and has no answer yet."

    def prack(self, response: Response, answer: bytes = b"") -> Request:
        """The PRACK of a response; `answer`: to the offer that it holds (§5)."""
        prack = self.dialog.request("PRACK")
        prack.rack = RAck(response.rseq or 0, response.cseq)
        if answer:
            prack.content_type, prack.body = SDP, answer
        return prack


class EarlyDialogs:
    """By the tags of those who ring: behind a proxy there may be several."""

    __slots__ = ("_by_tag", "_invite")

    def __init__(self, invite: Request) -> None:
        self._invite = invite
        self._by_tag: dict[str | None, EarlyDialog] = {}

    def take(self, response: Response) -> EarlyDialog | None:
        """A reliable response has come. None: it came before, or another before it is lost (§4)."""
        tag, rseq = response.to.tag, response.rseq or 0
        early = self._by_tag.get(tag)
        if early is None:
            try:
                dialog = Dialog.as_client(self._invite, response)
            except SipError:
                return None
            if len(self._by_tag) < _MOST:
                early = self._by_tag[tag] = EarlyDialog(dialog, rseq)
            return early
        if rseq != early.rseq + 1:
            return None
        early.rseq = rseq
        return early

    def of(self, message: Response | Request) -> EarlyDialog | None:
        """The one that a response to our INVITE, or a request of who rings, belongs to."""
        tag = message.to.tag if isinstance(message, Response) else message.from_.tag
        return self._by_tag.get(tag)
