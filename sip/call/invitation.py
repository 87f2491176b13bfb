"""An INVITE of ours, and the ACK of its 2xx (RFC 3261 §13.2.2.4)."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from sip.call.session import SDP
from sip.call.wire import Hears, Wire
from sip.dialog import Dialog
from sip.errors import SipError
from sip.message.message import Request, Response
from sip.message.values import Reason
from sip.transaction.effects import Effect
from sip.transport.flow import Flow


class Invitation:
    """Tells each answer once: a 2xx that comes again gets its ACK again."""

    __slots__ = ("_acks", "_flow", "_hears", "_transaction", "_wire", "has_ended", "request")

    def __init__(self, wire: Wire, request: Request, flow: Flow, hears: Hears) -> None:
        self.request = request
        self.has_ended = False
        "It has its final response."
        self._wire = wire
        self._flow = flow
        self._hears: Hears | None = hears
        self._acks: dict[str | None, Effect | None] = {}
        "By the tags of who has accepted it, whom there may be several of; None: it is still to be sent."
        self._transaction = wire.request(request, flow, self._heard)

    def cancel(self, reasons: Iterable[Reason] = ()) -> None:
        """It is not wanted any more. What it is answered is told all the same."""
        if self._transaction is not None and not self.has_ended:
            self._wire.cancel(self._transaction, reasons)

    def acknowledge(self, dialog: Dialog, flow: Flow, answer: bytes = b"") -> None:
        """Sends the ACK of the 2xx that made or changed `dialog`, once."""
        tag = dialog.remote.tag
        if tag not in self._acks or self._acks[tag] is not None:
            return
        ack = dialog.ack(self.request)
        if answer:
            ack.content_type, ack.body = SDP, answer
        self._acks[tag] = self._wire.acknowledge(ack, flow)

    def hang_up_on(self, dialog: Dialog) -> None:
        """Another has answered the same INVITE, behind a proxy: one is enough (§13.2.2.4)."""
        self.acknowledge(dialog, self._flow)
        self._wire.request(dialog.request("BYE"), self._flow, lambda _: None)

    def let_go(self) -> None:
        """Nobody wants to hear of it any more. A 2xx that comes again, or yet, has its ACK all the same.

        For that it stays for 32 s, and so its request goes: there are many of these.
        """
        self._hears = None
        del self.request

    def _heard(self, response: Response) -> None:
        if response.status >= 200:
            self.has_ended, self._transaction = True, None
        if 200 <= response.status < 300:
            tag = response.to.tag
            if tag in self._acks:
                if (ack := self._acks[tag]) is not None:
                    self._wire.repeat(ack)
                return
            self._acks[tag] = None
            if self._hears is None:
                with suppress(SipError):
                    self.request = _asked_by(response)
                    self.hang_up_on(Dialog.as_client(self.request, response))
        if self._hears is not None:
            self._hears(response)


def _asked_by(answer: Response) -> Request:
    """As much of an INVITE as its answer repeats. Raises `BadHeader`."""
    invite = Request("INVITE", "")
    invite.from_, invite.to = answer.from_, answer.to
    invite.call_id, invite.cseq = answer.call_id, answer.cseq
    return invite
