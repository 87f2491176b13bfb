"""A call that a phone is rung for (RFC 3261 §13.3)."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass

from sip.call.board import LegKey
from sip.call.session import session_of
from sip.call.wire import Wire
from sip.dialog import Dialog
from sip.handset.audio import Audio, NoAudio
from sip.handset.talk import Ended, Talk
from sip.message.address import Contact
from sip.message.message import Request
from sip.message.sdp import SessionDescription
from sip.tags import new_tag
from sip.transaction.machine import ServerTransaction


@dataclass(frozen=True, slots=True)
class Manner:
    """What whoever sits at a phone does when it rings."""

    after_s: float | None
    "When it does that; None: nothing, it rings on."
    status: int = 200
    "200: answers. Else refuses by this."


class Rung(Talk):
    """From its INVITE on."""

    def __init__(
        self,
        wire: Wire,
        talks: MutableMapping[LegKey, Talk],
        contact: Contact,
        audio: Audio,
        invite: ServerTransaction,
        manner: Manner,
        ended: Ended,
    ) -> None:
        """Raises `SipError` for an INVITE that can't be used."""
        request, tag = invite.request, new_tag()
        self._offered: SessionDescription | None = session_of(request)
        ringing = request.response(180, to_tag=tag)
        # Raises where it doesn't say where it is, before anything of it is kept.
        dialog = Dialog.as_server(request, ringing)
        super().__init__(wire, talks, (request.call_id, tag), invite.flow, contact, audio, ended)
        self.dialog = dialog
        self._invite = invite
        self._manner = manner
        invite.cancelled, invite.failed = self._cancelled, self._lost
        self._say_who(ringing)
        for value in request.headers.all("Record-Route"):
            ringing.headers.add("Record-Route", value)
        wire.respond(invite, ringing)
        self._rang_at = wire.now
        self._acts = None if manner.after_s is None else wire.alarm(manner.after_s, self._act)

    def leave(self) -> None:
        if self._answered_at is None:
            self._refuse(480)
        else:
            self._hang_up()

    def _act(self) -> None:
        if self._manner.status != 200:
            self._refuse(self._manner.status)
            return
        try:
            body = self._audio.offer() if self._offered is None else self._audio.answer(self._offered)
        except NoAudio as error:
            self._refuse(error.status)
            return
        if self.dialog is not None:
            self.dialog.confirm()
        self._answered_at = self._wire.now
        self._accept(self._invite, body)

    def _cancelled(self, _: Request) -> None:
        self._refuse(487)

    def _lost(self) -> None:
        """The connection is gone by which it was to be answered."""
        self._stop(503)

    def _refuse(self, status: int) -> None:
        self._wire.respond(self._invite, self._invite.request.response(status, to_tag=self._key[1]))
        self._stop(status)

    def _stop(self, status: int) -> None:
        if self._acts is not None:
            self._acts.cancel()
        self._tell(status)
        self._forget()
