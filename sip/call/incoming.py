"""The caller's leg: an INVITE that has come, until it is answered (RFC 3261 §13.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sip.call.acceptance import Acknowledged
from sip.call.board import Board
from sip.call.leg import Leg
from sip.call.session import SDP, Told, session_of, silence
from sip.call.session_timer import check_interval
from sip.dialog import Dialog
from sip.message.message import Request, Response
from sip.message.sdp import SessionDescription
from sip.message.values import Reason
from sip.tags import new_tag
from sip.transaction.machine import ServerTransaction

_AGAIN_S = 60.0
"How often proxies on the way are told that it still rings (§13.3.1.1)."


class IncomingLeg(Leg):
    """From its INVITE on. The machine of `transaction` says 100 where we take our time."""

    def __init__(self, board: Board, transaction: ServerTransaction, aor: str) -> None:
        """Raises `SipError` where the INVITE can't be used."""
        invite = transaction.request
        check_interval(invite)
        self.offered = session_of(invite)
        tag = new_tag()
        # Raises where it doesn't say where it is, before anything of it is kept.
        dialog = Dialog.as_server(invite, invite.response(180, to_tag=tag))
        super().__init__(board, transaction.flow, aor, (invite.call_id, tag))
        self.dialog = dialog
        self.heard(invite)
        self._asked = self.invite = transaction
        transaction.failed = self._failed
        self._again = board.wire.alarm(_AGAIN_S, self._say_again)
        self._said: Response | None = None
        "The latest provisional response."
        self._heard_by_now: Leg | None = None
        "Whose early media the caller has."

    def on_cancel(self, cancelled: Callable[[tuple[Reason, ...]], None]) -> None:
        """`cancelled` is told of a CANCEL that comes before the final response."""

        def heard(cancel: Request) -> None:
            cancelled(cancel.reason)

        self.invite.cancelled = heard

    @property
    def is_waiting(self) -> bool:
        """Whether it has no final response yet."""
        return self._asked is self.invite

    def ring(self, leg: Leg, early: SessionDescription | None) -> None:
        """Says 180 once, whoever rings; or 183 with what can be heard of `leg` before it answers."""
        if early is None and self._said is not None:
            return
        if early is not None:
            self._speak_for(leg)
        response = self._establishing(self.invite, 180 if early is None else 183)
        if early is not None:
            response.content_type, response.body = SDP, self.told.tell(early)
        self._say(response)

    def answer(self, leg: Leg, description: SessionDescription, acknowledged: Acknowledged) -> None:
        """Says 200, with what `leg` has answered or offered."""
        self._again.cancel()
        self._speak_for(leg)
        if self.dialog is not None:
            self.dialog.confirm()
        self.accept(self.invite, description, acknowledged)

    def confirm(self) -> None:
        """Says 200 without any media: what the caller wanted is done, and nobody is there to talk to."""
        self._again.cancel()
        if self.dialog is not None:
            self.dialog.confirm()
        self.accept(self.invite, silence(self.offered))

    def turn_down(
        self, status: int, text: str = "", headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        """Refuses the call, and forgets it."""
        self._again.cancel()
        self.refuse(self.invite, status, text, headers)
        self._forget()

    def _speak_for(self, leg: Leg) -> None:
        """One dialog has one answer: what another phone says belongs into another (§13.2.1, §13.2.2.4)."""
        if self._heard_by_now is not None and self._heard_by_now is not leg:
            self._become(new_tag())
        self._heard_by_now = leg

    def _become(self, tag: str) -> None:
        """Goes on as another dialog of the same INVITE, as if a proxy had forked it."""
        invite = self.invite.request
        self._forget()
        self._key = (invite.call_id, tag)
        self._board.legs[self._key] = self
        self.dialog = Dialog.as_server(invite, invite.response(180, to_tag=tag))
        self.told = Told()

    def _say(self, response: Response) -> None:
        self._said = response
        self._wire.respond(self.invite, response)

    def _say_again(self) -> None:
        if not self.is_waiting:
            return
        self._again = self._wire.alarm(_AGAIN_S, self._say_again)
        if self._said is not None:
            self._wire.respond(self.invite, self._said)

    def _failed(self) -> None:
        """The connection is gone by which it was to be answered."""
        if self.is_waiting and self.user is not None:
            self.user.lost(self)
