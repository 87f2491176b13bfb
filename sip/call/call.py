"""One call: the caller's leg, whoever is rung on the way, and the leg that answered.

It begins with an INVITE and ends with the last BYE, or a refusal. Whom it rings next is decided by its
`Ringing`; whoever answers first has it, and the two legs are then passed what either asks of the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID, uuid4

from sip.call.attempt import Attempt
from sip.call.board import Board
from sip.call.errors import NotYet
from sip.call.incoming import IncomingLeg
from sip.call.inform import pass_on
from sip.call.leg import Leg
from sip.call.outgoing import OutgoingLeg
from sip.call.renegotiation import renegotiate
from sip.call.ringing import Confirm, Ending, GivenUp, Outcome, Ring, Ringing, Skip, Step, Stop, Why
from sip.call.session import session_of
from sip.call.story import (
    CallAnswered,
    CallBegan,
    CallEnded,
    EndedBy,
    LegBegan,
    LegEnded,
    LegRang,
)
from sip.call.wire import Alarm
from sip.errors import SipError
from sip.message.message import Request
from sip.message.sdp import SessionDescription
from sip.message.values import Reason
from sip.transaction.machine import ServerTransaction

_LONGEST_S = 600.0
"After which nobody is rung any more, whatever the `Ringing` says."


class Call:
    """Made by an INVITE; `start` rings the first."""

    def __init__(self, board: Board, caller: IncomingLeg, dialled: str, ringing: Ringing, hops: int) -> None:
        self.id: UUID = uuid4()
        self.caller = caller
        self.callee: Leg | None = None
        "Who has answered."
        self.dialled = dialled
        self.began_at = board.wire.now
        self.answered_at: float | None = None
        self._board = board
        self._wire = board.wire
        self._ringing: Ringing | None = ringing
        "None: nobody is to be rung any more."
        self._hops = hops
        self._attempts: dict[int, Attempt] = {}
        self._alarm: Alarm | None = None
        self._is_over = False
        board.calls[self.id] = self
        caller.user = self
        caller.on_cancel(self._cancelled)

    def start(self) -> None:
        """Rings whoever is to be rung first."""
        caller = self.caller
        self._tell(
            CallBegan(self.id, caller.aor, self.dialled, caller.invite.request.call_id, self._wire.now)
        )
        if self._ringing is not None:
            self._do(self._ringing.start(self._wire.now))

    @property
    def ringing_lines(self) -> list[str]:
        """Who is being rung now."""
        return [attempt.target.aor for attempt in self._attempts.values()]

    def end(
        self,
        by: EndedBy,
        *,
        status: int = 487,
        text: str = "",
        reasons: Sequence[Reason] = (),
        why: Why = Why.GIVEN_UP,
    ) -> None:
        """Ends it on all sides. `status` is what the caller is told who has no answer yet."""
        if self._is_over:
            return
        self._is_over = True
        self._stop_ringing(why)
        if self.caller.is_waiting:
            self.caller.turn_down(status, text)
        else:
            self.caller.leave(reasons)
        if self.callee is not None:
            self.callee.leave(reasons)
        self._board.calls.pop(self.id, None)
        status = status if self.answered_at is None else 200
        self._tell(CallEnded(self.id, by, status, self._wire.now))

    # Ringing

    def _do(self, steps: Iterable[Step]) -> None:
        """Does what the `Ringing` wants, and what it wants when it hears what became of that."""
        todo = list(steps)
        while todo and self._ringing is not None:
            match todo.pop(0):
                case Ring(number, target):
                    if (ending := self._ring(number, Attempt(self, target))) is not None:
                        todo += self._ringing.ended(number, ending, self._wire.now)
                case Stop(number, why):
                    self._stop(number, why)
                case Skip(target, outcome):
                    self._skip(Attempt(self, target), Ending(outcome))
                case GivenUp(_, status, text):
                    self.end(EndedBy.NOBODY, status=status, text=text)
                case Confirm():
                    self.answered_at = self._wire.now
                    self.caller.confirm()
                    self.end(EndedBy.SERVICE)
        self._wake_later()

    def _ring(self, number: int, attempt: Attempt) -> Ending | None:
        """How it has ended, where nobody is there to be rung."""
        attempt.start(self._board, self.caller.offered, self._hops)
        if not attempt.phones:
            return self._skip(attempt, Ending(Outcome.UNREACHABLE))
        self._attempts[number] = attempt
        self._tell(LegBegan(self.id, attempt.uuid, attempt.target, attempt.phones, self._wire.now))
        return None

    def _skip(self, attempt: Attempt, ending: Ending) -> Ending:
        """Tells of one whose phones are not rung at all."""
        self._tell(LegBegan(self.id, attempt.uuid, attempt.target, 0, self._wire.now))
        self._tell(LegEnded(self.id, attempt.uuid, ending, self._wire.now))
        return ending

    def _stop(self, number: int, why: Why) -> None:
        attempt = self._attempts.pop(number, None)
        if attempt is not None:
            attempt.stop(why)
            self._tell(LegEnded(self.id, attempt.uuid, why, self._wire.now))

    def _stop_ringing(self, why: Why) -> None:
        self._ringing = None
        if self._alarm is not None:
            self._alarm.cancel()
        for number in list(self._attempts):
            self._stop(number, why)

    def _wake_later(self) -> None:
        """Sees to it that the `Ringing` is woken when it wants to be."""
        if self._alarm is not None:
            self._alarm.cancel()
        if self._ringing is None:
            return
        latest = self.began_at + _LONGEST_S
        at = self._ringing.deadline
        at = latest if at is None else min(at, latest)
        self._alarm = self._wire.alarm(at - self._wire.now, self._woken)

    def _woken(self) -> None:
        if self._wire.now >= self.began_at + _LONGEST_S:
            self.end(EndedBy.NOBODY, status=480, why=Why.NO_ANSWER)
        elif self._ringing is not None:
            self._do(self._ringing.timer(self._wire.now))

    # What becomes of those who are rung

    def rings(self, attempt: Attempt, leg: OutgoingLeg, early: SessionDescription | None) -> None:
        if not attempt.has_rung:
            attempt.has_rung = True
            self._tell(LegRang(self.id, attempt.uuid, self._wire.now))
        is_alone = len(self._attempts) == 1 and attempt.phones == 1
        self.caller.ring(leg, early if is_alone else None)

    def answers(self, attempt: Attempt, leg: OutgoingLeg, description: SessionDescription) -> None:
        self._attempts = {number: each for number, each in self._attempts.items() if each is not attempt}
        self._stop_ringing(Why.ELSEWHERE)
        self.callee = leg
        self.answered_at = self._wire.now
        leg.user = self
        self._tell(CallAnswered(self.id, attempt.uuid, self._wire.now))
        if self.caller.offered is not None:
            leg.acknowledge()
        self.caller.answer(leg, description, self._acknowledged)

    def ends(self, attempt: Attempt, ending: Ending) -> None:
        number = next(number for number, each in self._attempts.items() if each is attempt)
        del self._attempts[number]
        self._tell(LegEnded(self.id, attempt.uuid, ending, self._wire.now))
        if self._ringing is not None:
            self._do(self._ringing.ended(number, ending, self._wire.now))

    # What the two do

    def hung_up(self, leg: Leg, reasons: tuple[Reason, ...]) -> None:
        self.end(EndedBy.CALLER if leg is self.caller else EndedBy.CALLEE, reasons=reasons)

    def lost(self, leg: Leg) -> None:
        self.end(EndedBy.VANISHED)

    def renegotiates(self, leg: Leg, transaction: ServerTransaction) -> None:
        renegotiate(leg, self._other(leg), transaction, self.end)

    def informs(self, leg: Leg, transaction: ServerTransaction) -> None:
        pass_on(leg, self._other(leg), transaction)

    def _acknowledged(self, ack: Request | None) -> None:
        """The caller has acknowledged our 200, perhaps with an answer to the callee's offer."""
        if ack is None:
            self.end(EndedBy.VANISHED)
        elif self.caller.offered is None and self.callee is not None:
            try:
                answer = session_of(ack)
            except SipError:
                answer = None
            if answer is None:
                self.end(EndedBy.FAILED)
            else:
                self.callee.acknowledge(answer)

    def _cancelled(self, reasons: tuple[Reason, ...]) -> None:
        # Whoever rings for a caller who forks has no missed call either (RFC 3326).
        is_elsewhere = any(each.protocol == "SIP" and each.cause == 200 for each in reasons)
        self.end(EndedBy.CALLER, why=Why.ELSEWHERE if is_elsewhere else Why.GIVEN_UP)

    def _other(self, leg: Leg) -> Leg:
        other = self.callee if leg is self.caller else self.caller
        if other is None:
            raise NotYet("nobody has answered yet")
        return other

    def _tell(self, event: CallBegan | LegBegan | LegRang | LegEnded | CallAnswered | CallEnded) -> None:
        self._board.tell(event)
