"""One call: the caller's leg, whoever is rung on the way, and the leg that answered.

It begins with an INVITE and ends with the last BYE, or a refusal. Whom it rings next is decided by its
`Ringing`; whoever answers first has it, and the two legs are then passed what either asks of the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID, uuid4

from sip.call.attempt import Attempt
from sip.call.board import HOPS, Board
from sip.call.calling import Calling
from sip.call.errors import NotYet
from sip.call.incoming import IncomingLeg
from sip.call.inform import pass_on
from sip.call.joining import Joining
from sip.call.leg import Leg
from sip.call.outgoing import OutgoingLeg
from sip.call.pickup import Pickup
from sip.call.referral import Referral
from sip.call.renegotiation import renegotiate
from sip.call.ringing import Ending, Outcome, Ringing, Target, Why
from sip.call.rung import Rung
from sip.call.session import readable_session
from sip.call.story import CallAnswered, CallBegan, CallEnded, EndedBy, Event, LegBegan, LegEnded
from sip.call.transfer import Transfer
from sip.message.message import Message
from sip.message.sdp import SessionDescription
from sip.message.values import Reason
from sip.transaction.machine import ServerTransaction


class Passing(Protocol):
    """One of the two is being passed on, and stays where the other hangs up."""

    def keeps(self, leg: Leg) -> bool:
        """Whether it is the one that stays."""

    def first_has_ended(self) -> None:
        """The call has ended."""


class Call:
    """Made by an INVITE, or by a REFER; `start` rings the first."""

    def __init__(
        self, board: Board, calling: Calling | None, caller: Leg, dialled: str, ringing: Ringing | None,
        hops: int = HOPS, id: UUID | None = None,
    ) -> None:  # fmt: skip
        self.id: UUID = id or uuid4()
        self.caller = caller
        self.passing: Passing | None = None
        "The transfer that is under way."
        self._calling = calling
        "None: it has been answered from the beginning."
        self.callee: Leg | None = None
        "Who has answered."
        self.dialled = dialled
        self.began_at = board.wire.now
        self.answered_at: float | None = None
        self._board = board
        self._wire = board.wire
        self._rung: Rung | None = None
        if ringing is not None:
            early = calling is not None and calling.answers_early
            self._rung = Rung(board, self.id, self, ringing, self._offered, hops, answers_early=early)
        self._is_over = False
        self._waits_for_answer = False
        "Whether the callee has offered something that the caller is to answer by its ACK."
        board.calls[self.id] = self

    @classmethod
    def incoming(
        cls, board: Board, caller: IncomingLeg, dialled: str, ringing: Ringing, hops: int, id: UUID | None
    ) -> Call:
        """The call of an INVITE."""
        call = cls(board, caller, caller, dialled, ringing, hops, id)
        caller.user = call
        caller.on_cancel(call._cancelled)
        return call

    @property
    def is_over(self) -> bool:
        """Whether nothing comes of it any more."""
        return self._is_over

    @property
    def _offered(self) -> SessionDescription | None:
        return None if self._calling is None else self._calling.offered

    def start(self) -> None:
        """Rings whoever is to be rung first."""
        self._began()
        if self._rung is not None:
            self._rung.start()

    def end(
        self,
        by: EndedBy,
        *,
        status: int = 487,
        text: str = "",
        reasons: Sequence[Reason] = (),
        why: Why = Why.GIVEN_UP,
        keep: Leg | None = None,
    ) -> None:
        """Ends it on all sides, but for `keep`, which has another call.

        `status` is what the caller is told who has no answer yet.
        """
        if self._is_over:
            return
        self._is_over = True
        self._board.calls.pop(self.id, None)
        if self._rung is not None:
            self._rung.stop(why)
            self._rung = None
        if self._calling is not None and self._calling.is_waiting:
            self._calling.turn_down(status, text)
        elif self.caller is not keep:
            self.caller.leave(reasons)
        if self.callee is not None and self.callee is not keep:
            self.callee.leave(reasons)
        if self.passing is not None:
            self.passing.first_has_ended()
        status = status if self.answered_at is None else 200
        self._tell(CallEnded(self.id, by, status, self._wire.now))

    # What becomes of those who are rung

    def rings(self, leg: OutgoingLeg, early: SessionDescription | None) -> None:
        if self._calling is not None:
            self._calling.ring(leg, early)

    def is_answered(self, attempt: Attempt, leg: OutgoingLeg, description: SessionDescription) -> None:
        self._answered(leg, attempt.uuid, attempt.target)
        self._waits_for_answer = self._offered is None and not leg.has_agreed
        if not self._waits_for_answer:
            leg.acknowledge()
        if self._calling is not None:
            self._calling.answer(leg, description, self._taken)

    def rung_as(self, leg: Leg) -> Target | None:
        """As whom a leg is rung that has not answered yet; None: it is not rung for this call."""
        return None if self._rung is None else self._rung.target_of(leg)

    def is_picked_up(self, leg: IncomingLeg, target: Target) -> None:
        """`leg` answers instead of who rings as `target`. Nobody rings any more."""
        if self._rung is None or self._calling is None:
            raise NotYet("nobody rings")
        self._rung.stop(Why.ELSEWHERE)
        self._rung, calling, number = None, self._calling, uuid4()
        answering = Target(leg.aor, target.caller, self._board.extension_of(leg))
        self._tell(LegBegan(self.id, number, answering, 1, self._wire.now))
        leg.shown = target.caller

        def connected(description: SessionDescription) -> None:
            self.passing = None
            self._waits_for_answer = leg.is_waiting
            leg.on_cancel(lambda _: self.end(EndedBy.CALLEE))
            self._answered(leg, number, answering)
            if isinstance(self.caller, IncomingLeg):
                self.caller.shown = self._board.shown(leg, self.caller.aor)
            calling.answer(leg, description, self._taken)

        def failed() -> None:
            self._tell(LegEnded(self.id, number, Ending(Outcome.NO_ANSWER), self._wire.now))

        self.passing = pickup = Pickup(self, calling, leg, connected, failed)
        pickup.start()

    def is_given_up(self, status: int, text: str) -> None:
        self.end(EndedBy.NOBODY, status=status, text=text)

    def is_confirmed(self) -> None:
        self.answered_at = self._wire.now
        if self._calling is not None:
            self._calling.confirm()
        self.end(EndedBy.SERVICE)

    # What the two do

    def hung_up(self, leg: Leg, reasons: tuple[Reason, ...]) -> None:
        if self.passing is not None and not self.passing.keeps(leg):
            # Whoever passes on need not wait for what becomes of it.
            self.end(EndedBy.TRANSFERRED, keep=self.other(leg))
        else:
            self.end(EndedBy.CALLER if leg is self.caller else EndedBy.CALLEE, reasons=reasons)

    def lost(self, leg: Leg, status: int = 487) -> None:
        self.end(EndedBy.VANISHED, status=status)

    def renegotiates(self, leg: Leg, transaction: ServerTransaction) -> None:
        renegotiate(leg, self.other(leg), transaction, self.end)

    def refers(self, leg: Leg, transaction: ServerTransaction) -> None:
        other = self.other(leg)
        if self.passing is not None or (self._calling is not None and self._calling.is_waiting):
            raise NotYet("one transfer at a time")
        referral = Referral(leg, transaction)
        self._passes_on(referral, leg, other, referral.replaced(self._board.legs))

    def informs(self, leg: Leg, transaction: ServerTransaction) -> None:
        pass_on(leg, self.other(leg), transaction)

    def _taken(self, said: Message | None) -> None:
        """The caller has taken the answer: with its ACK, which may answer the callee's offer."""
        if said is None:
            self.end(EndedBy.VANISHED)
        elif self._waits_for_answer and self.callee is not None:
            answer = readable_session(said)
            if answer is None:
                self.end(EndedBy.FAILED)
            elif isinstance(self.callee, IncomingLeg):
                self.callee.answer(self.caller, answer, self._taken_by_callee)
            else:
                self.callee.acknowledge(answer)

    def _taken_by_callee(self, ack: Message | None) -> None:
        if ack is None:
            self.end(EndedBy.VANISHED)

    def _cancelled(self, reasons: tuple[Reason, ...]) -> None:
        # Whoever rings for a caller who forks has no missed call either (RFC 3326).
        is_elsewhere = any(each.protocol == "SIP" and each.cause == 200 for each in reasons)
        self.end(EndedBy.CALLER, why=Why.ELSEWHERE if is_elsewhere else Why.GIVEN_UP)

    # Passing on

    def _passes_on(self, referral: Referral, leg: Leg, other: Leg, replaced: Leg | None) -> None:
        """`leg` wants `other` to be connected elsewhere, perhaps with whom it talks to by `replaced`."""
        if replaced is None and referral.replaces is not None:
            referral.says(481)
            return
        third = next((call for call in self._board.calls.values() if call.has(replaced)), None)
        if third is not None and replaced is not None and third.answered_at is not None:
            if third.passing is not None:
                # Its two are about to be others.
                referral.says(491)
                return
            self._joins(referral, other, third, third.other(replaced))
            return
        if third is not None:
            # The transferor has not waited for an answer: it rings once more, for who is passed on.
            third.end(EndedBy.TRANSFERRED)
        self.passing = transfer = Transfer(self._board, self, referral, leg, other)
        self._board.refer(transfer)

    def _joins(self, referral: Referral, other: Leg, third: Call, their: Leg) -> None:
        def joined() -> None:
            call = Call(self._board, None, other, referral.number, None)
            call.start_answered(their, Target(their.aor, shown[1], referral.number))

        shown = self._board.shown(their, other.aor), self._board.shown(other, their.aor)
        joining = Joining(self._wire, referral, other, self, their, third, shown, joined)
        self.passing = third.passing = joining
        joining.start()

    def start_answered(self, callee: Leg, target: Target) -> None:
        """Begins as a call that somebody has answered already."""
        self.caller.user = self
        self._began()
        leg = uuid4()
        self._tell(LegBegan(self.id, leg, target, 1, self._wire.now))
        self._answered(callee, leg, target)

    def has(self, leg: Leg | None) -> bool:
        """Whether it is one of the two."""
        return leg is not None and (leg is self.caller or leg is self.callee)

    def other(self, leg: Leg) -> Leg:
        """The other one of the two. Raises `NotYet`."""
        other = self.callee if leg is self.caller else self.caller
        if other is None:
            raise NotYet("nobody has answered yet")
        return other

    def _began(self) -> None:
        caller = self.caller
        self._tell(CallBegan(self.id, caller.aor, self.dialled, caller.call_id, self._wire.now))

    def _answered(self, callee: Leg, leg: UUID, target: Target) -> None:
        self.callee, callee.user = callee, self
        said = target.caller
        its_own = self._board.shown(self.caller, callee.aor)
        if target.uri is None and (said.is_hidden or said.number != its_own.number):
            # It hides, or speaks for a group: whoever it is passed on to sees no more than that.
            self.caller.shown_as = said
        self.answered_at = self._wire.now
        self._tell(CallAnswered(self.id, leg, self._wire.now))

    def _tell(self, event: Event) -> None:
        self._board.tell(event)
