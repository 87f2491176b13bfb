"""The caller's leg: an INVITE that has come, until it is answered (RFC 3261 §13.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sip.call.acceptance import Acknowledged
from sip.call.board import Board, LegKey
from sip.call.errors import Glare, NoDialog, NotYet
from sip.call.leg import Leg
from sip.call.leg_user import LegUser
from sip.call.outgoing import OutgoingLeg
from sip.call.peer import Agreed
from sip.call.reliable import TAG, Reliably
from sip.call.ringing import Caller
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
        waits_s = invite.expires_s
        self._expiry = None if waits_s is None else board.wire.alarm(waits_s, self._expire)
        "How long the caller wants to wait (§13.3.1)."
        self._said: Response | None = None
        "The latest provisional response."
        self._heard_by_now: Leg | None = None
        "Whose early media the caller has."
        self._requires = _names(invite.require, TAG)
        self._supports = self._requires or _names(invite.supported, TAG)
        self._reliably = Reliably(board.wire, transaction, self._unheard)
        self._agreed_with: OutgoingLeg | None = None
        "Whose session it was told reliably, as its only one in this dialog."
        self._changes_early = False
        "Whether an offer of it is under way that changes that."
        self.shown: Caller | None = None
        "Whom it is told with its answer that it talks to; None: whom it has called."
        self._forked: list[LegKey] = []
        "Dialogs of the same INVITE that it was before, of which a PRACK may come yet."

    def on_cancel(self, cancelled: Callable[[tuple[Reason, ...]], None]) -> None:
        """`cancelled` is told of a CANCEL before the final response, or that the caller waits no longer."""

        def heard(cancel: Request) -> None:
            cancelled(cancel.reason)

        self.invite.cancelled = heard

    @property
    def is_waiting(self) -> bool:
        """Whether it has no final response yet."""
        return self._asked is self.invite

    @property
    def answers_early(self) -> bool:
        """See `Calling`."""
        return self._supports and self.offered is None

    def receive(self, transaction: ServerTransaction) -> None:
        """See `Leg`."""
        if transaction.request.method == "PRACK":
            self._pracked(transaction)
        else:
            super().receive(transaction)

    def leave(self, reasons: Iterable[Reason] = ()) -> None:
        """See `Leg`. Before it has its answer it is refused instead."""
        if self.is_waiting and not self.is_over:
            self._end()
            self._is_settled()
            self._forget()
        else:
            super().leave(reasons)

    def ring(self, leg: OutgoingLeg, early: SessionDescription | None) -> None:
        """Says 180 once, whoever rings; or 183 with what can be heard of `leg` before it answers."""
        if early is None and self._said is not None:
            return
        is_reliable = self._requires or (self._supports and leg.is_reliable)
        if is_reliable and early is None and self.offered is None and self._agreed_with is None:
            # The first that is said reliably would have to offer something (RFC 3262 §5).
            if self._requires:
                return
            is_reliable = False
        if early is not None:
            self._speak_for(leg)
        response = self._establishing(self.invite, 180 if early is None else 183)
        if early is not None and self._agreed_with is None:
            response.content_type, response.body = SDP, self.told.tell(early)
            if is_reliable:
                self._agreed_with = leg
                leg.is_heard(lambda offer, agreed: self._is_offered(leg, offer, agreed))
        self._said = response
        self._say(response, is_reliable=is_reliable)

    def answer(self, leg: Leg, description: SessionDescription, acknowledged: Acknowledged) -> None:
        """Says 200, with what `leg` has answered or offered."""
        self._is_settled()
        self._speak_for(leg)
        # What was agreed upon before is not said once more (RFC 6337 §3.1.1).
        is_agreed = self._agreed_with is leg
        self._reliably.settle(lambda: self._accept(None if is_agreed else description, acknowledged))

    def confirm(self) -> None:
        """Says 200 without any media: what the caller wanted is done, and nobody is there to talk to."""
        self._is_settled()
        self._reliably.settle(lambda: self._accept(silence(self.offered)))

    def turn_down(
        self, status: int, text: str = "", headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        """Refuses the call, and forgets it."""
        self._is_settled()
        self.refuse(self.invite, status, text, headers)
        self._forget()

    def _accept(
        self, description: SessionDescription | None, acknowledged: Acknowledged = lambda _: None
    ) -> None:
        if self.dialog is not None:
            self.dialog.confirm()
        self.accept(self.invite, description, acknowledged, shown=self.shown)

    def _pracked(self, transaction: ServerTransaction) -> None:
        """What was said has arrived; the PRACK may answer its offer, or make another (RFC 3262 §5)."""
        prack, dialog = transaction.request, self.dialog
        if dialog is None or prack.from_.tag != dialog.remote.tag or not self._reliably.expects(prack):
            raise NoDialog("no response waits for this PRACK")
        said = session_of(prack)
        phone = self._agreed_with if self._dialog_of(prack) is dialog else None
        if phone is not None:
            dialog.receive(prack)
            self.flow = transaction.flow
        if phone is None or (said is None and not phone.owes_answer):
            self._wire.respond(transaction, self._response(transaction, 200))
        elif phone.owes_answer:
            self._wire.respond(transaction, self._response(transaction, 200))
            phone.answer_early(said)
        elif said is not None:
            phone.offer_early(said, lambda answer: self._answer_early(transaction, answer))
        self._reliably.acknowledged()

    def _updated(self, transaction: ServerTransaction, user: LegUser) -> None:
        """See `Leg`. What was agreed upon may be changed before anybody has answered (RFC 3311 §5)."""
        phone, offer = self._agreed_with, session_of(transaction.request)
        if not self.is_waiting or offer is None or phone is None:
            super()._updated(transaction, user)
            return
        check_interval(transaction.request)
        if phone.owes_answer:
            raise Glare("it has been offered something itself (RFC 3311 §5.2)")
        if self._changes_early:
            raise NotYet("the offer before it has no answer yet (RFC 3311 §5.2)")
        self._changes_early = True

        def heard(answer: SessionDescription | int) -> None:
            self._changes_early = False
            self._answer_early(transaction, answer)

        phone.offer_early(offer, heard)

    def _answer_early(self, asked: ServerTransaction, answer: SessionDescription | int) -> None:
        if isinstance(answer, int):
            # What was agreed upon before stays so.
            self.refuse(asked, answer)
        else:
            self.accept(asked, answer)

    def _is_offered(self, phone: OutgoingLeg, offer: SessionDescription, agreed: Agreed) -> None:
        """The phone that it hears wants another session before it answers."""
        dialog = self.dialog if self.is_waiting and phone is self._agreed_with else None
        if dialog is None or "UPDATE" not in self.allows:
            agreed(488)
        elif self._reliably.is_waiting:
            # It has not thanked yet for what was agreed upon before (RFC 3311 §5.1).
            agreed(Glare.status)
        else:
            self._offer_in(dialog, offer, agreed)

    def _speak_for(self, leg: Leg) -> None:
        """One dialog has one answer: what another phone says belongs into another (§13.2.1, §13.2.2.4)."""
        if self._heard_by_now is not None and self._heard_by_now is not leg:
            self._become(new_tag())
        self._heard_by_now = leg

    def _become(self, tag: str) -> None:
        """Goes on as another dialog of the same INVITE, as if a proxy had forked it."""
        invite = self.invite.request
        if self._reliably.is_waiting:
            self._forked.append(self._key)
        else:
            self._board.legs.pop(self._key, None)
        self._key = (invite.call_id, tag)
        self._board.legs[self._key] = self
        self._agreed_with = None
        self.dialog = Dialog.as_server(invite, invite.response(180, to_tag=tag))
        self.told = Told()

    def _forget(self) -> None:
        super()._forget()
        self._reliably.stop()
        for key in self._forked:
            self._board.legs.pop(key, None)

    def _say(self, response: Response, *, is_reliable: bool) -> None:
        if is_reliable:
            self._reliably.say(response)
        else:
            self._wire.respond(self.invite, response)

    def _say_again(self) -> None:
        if not self.is_waiting:
            return
        self._again = self._wire.alarm(_AGAIN_S, self._say_again)
        if self._said is None:
            # Nobody rings yet: proxies want to hear more than a 100 (§16.7, timer C).
            if not self._requires or self.offered is not None:
                self._say(self._establishing(self.invite, 183), is_reliable=self._requires)
        elif self._said.rseq is None:
            self._wire.respond(self.invite, self._said)
        elif not self._reliably.is_waiting:
            # Under the next number, and without what was agreed upon already.
            self._reliably.say(self._establishing(self.invite, self._said.status))

    def _is_settled(self) -> None:
        """What the final response will be is known."""
        self._again.cancel()
        if self._expiry is not None:
            self._expiry.cancel()

    def _expire(self) -> None:
        """Its caller has waited for as long as it wanted to: as if it had cancelled (§13.3.1)."""
        if self.invite.cancelled is not None:
            self.invite.cancelled(Request("CANCEL", self.invite.request.uri))

    def _unheard(self) -> None:
        """It has never thanked for what it was told (RFC 3262 §3)."""
        if self.is_waiting and self.user is not None:
            self.user.lost(self, 504)

    def _failed(self) -> None:
        """The connection is gone by which it was to be answered."""
        if self.is_waiting and self.user is not None:
            self.user.lost(self)


def _names(tags: Iterable[str], tag: str) -> bool:
    return any(each.lower() == tag for each in tags)
