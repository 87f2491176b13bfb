"""What both sides of a call have in common: a dialog, until one hangs up (RFC 3261 §12, §15)."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import TypeAlias

from sip.call.acceptance import Acceptance
from sip.call.board import LegKey
from sip.call.session import SDP, session_of
from sip.call.wire import Wire
from sip.dialog import Dialog
from sip.handset.audio import Audio
from sip.message.address import Contact
from sip.message.message import Message, Request, Response
from sip.transaction.machine import ServerTransaction
from sip.transport.flow import Flow

_ALLOW = "INVITE, INFO, ACK, BYE, CANCEL, OPTIONS, NOTIFY, UPDATE"


@dataclass(frozen=True, slots=True)
class CallEnd:
    """What became of a call, as one of its phones knows it."""

    status: int
    "200: it was answered. 487: whoever called gave up. Else what refused it; 408 and 503 also for no answer."
    rang_after_s: float | None
    "From the INVITE to the first word that it rings; None: there was none."
    answered_after_s: float | None
    talked_s: float = 0.0
    is_lost: bool = False
    "It was answered, and the other side then knew nothing of it."


Ended: TypeAlias = Callable[[CallEnd], None]


class Talk:
    """One call of a phone."""

    def __init__(
        self,
        wire: Wire,
        talks: MutableMapping[LegKey, Talk],
        key: LegKey,
        flow: Flow,
        contact: Contact,
        audio: Audio,
        ended: Ended,
    ) -> None:
        self._wire = wire
        self._talks = talks
        self._key = key
        self._flow = flow
        self._contact = contact
        self._audio = audio
        self._ended: Ended | None = ended
        self._began = wire.now
        self._rang_at: float | None = None
        self._answered_at: float | None = None
        self._acceptance: Acceptance | None = None
        self.dialog: Dialog | None = None
        talks[key] = self

    @property
    def is_up(self) -> bool:
        """Whether both sides talk."""
        return self._answered_at is not None and self._ended is not None

    def receive(self, transaction: ServerTransaction) -> None:
        """A request has come in the dialog. Raises `SipError`."""
        request = transaction.request
        if self.dialog is None:
            self._wire.respond(transaction, request.response(481))
            return
        self.dialog.receive(request)
        match request.method:
            case "BYE":
                self._wire.respond(transaction, request.response(200))
                self._tell(200)
                self._forget()
            case "INVITE" | "UPDATE":
                self._renegotiate(transaction)
            case "OPTIONS" | "INFO":
                self._wire.respond(transaction, request.response(200))
            case _:
                # Nothing was subscribed to here, and nobody is transferred.
                self._wire.respond(transaction, request.response(481))

    def acknowledged(self, ack: Request) -> None:
        """An ACK has come."""
        if self._acceptance is not None:
            self._acceptance.receive(ack)

    def leave(self) -> None:
        """Ends the call, however far it is."""
        raise NotImplementedError

    # For both sides

    def _hang_up(self) -> None:
        if self.dialog is None or not self.is_up:
            return
        bye = self.dialog.request("BYE")
        self._wire.request(bye, self._flow, self._hung_up)

    def _hung_up(self, response: Response) -> None:
        if response.status >= 200:
            self._tell(200, is_lost=response.status >= 300)
            self._forget()

    def _accept(self, transaction: ServerTransaction, body: bytes) -> None:
        """Says 200, and again until its ACK comes."""
        response = transaction.request.response(200, to_tag=self._key[1])
        self._say_who(response)
        for value in transaction.request.headers.all("Record-Route"):
            response.headers.add("Record-Route", value)
        if body:
            response.content_type, response.body = SDP, body
        if transaction.request.method == "INVITE":
            self._acceptance = Acceptance(self._wire, transaction, response, self._acked)
        else:
            self._wire.respond(transaction, response)

    def _acked(self, ack: Request | None) -> None:
        self._acceptance = None
        if ack is None:
            # §13.3.1.4: whoever has never thanked is hung up on.
            self._hang_up()

    def _say_who(self, message: Message) -> None:
        message.contact = (self._contact,)
        message.headers.add("Allow", _ALLOW)

    def _renegotiate(self, transaction: ServerTransaction) -> None:
        offered = session_of(transaction.request)
        if offered is not None:
            body = self._audio.answer(offered)
        else:
            body = self._audio.offer() if transaction.request.method == "INVITE" else b""
        self._accept(transaction, body)

    def _tell(self, status: int, *, is_lost: bool = False) -> None:
        """Says what became of it, once."""
        ended, self._ended = self._ended, None
        if ended is not None:
            talked_s = 0.0 if self._answered_at is None else self._wire.now - self._answered_at
            rang_s, answered_s = self._since(self._rang_at), self._since(self._answered_at)
            ended(CallEnd(status, rang_s, answered_s, talked_s, is_lost))

    def _since(self, at: float | None) -> float | None:
        return None if at is None else at - self._began

    def _forget(self) -> None:
        self._talks.pop(self._key, None)
