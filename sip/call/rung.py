"""Whom a call rings: what its `Ringing` wants is done, and it is told what became of that."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

from sip.call.attempt import Attempt
from sip.call.board import Board
from sip.call.leg import Leg
from sip.call.outgoing import OutgoingLeg
from sip.call.ringing import Confirm, Ending, GivenUp, Outcome, Ring, Ringing, Skip, Step, Stop, Target, Why
from sip.call.story import LegBegan, LegEnded, LegRang
from sip.call.wire import Alarm
from sip.message.sdp import SessionDescription

_LONGEST_S = 600.0
"After which nobody is rung any more, where the `Ringing` does not say how long."


class RungUser(Protocol):
    """The call that is told what comes of it."""

    def rings(self, leg: OutgoingLeg, early: SessionDescription | None) -> None:
        """A phone rings; `early`: it rings alone, and there is something to be heard."""

    def is_answered(self, attempt: Attempt, leg: OutgoingLeg, description: SessionDescription) -> None:
        """Somebody has answered; nobody else rings any more."""

    def is_given_up(self, status: int, text: str) -> None:
        """Nobody is left to be rung."""

    def is_confirmed(self) -> None:
        """What was dialled is done."""


class Rung:
    """From the first who rings to the first who answers, or the last who does not."""

    def __init__(
        self,
        board: Board,
        call: UUID,
        user: RungUser,
        ringing: Ringing,
        offer: SessionDescription | None,
        hops: int,
        *,
        answers_early: bool = False,
    ) -> None:
        """`offer` is what they are offered, and `hops` how often that may be passed on.

        `answers_early`: the caller, who offers nothing, can answer somebody who only rings (RFC 3262 §5).
        """
        self._board = board
        self._wire = board.wire
        self._call = call
        self._user = user
        self._ringing: Ringing | None = ringing
        "None: nobody is to be rung any more."
        self._offer = offer
        self._hops = hops
        self._answers_early = answers_early
        self._attempts: dict[int, Attempt] = {}
        self._alarm: Alarm | None = None

    @property
    def lines(self) -> list[str]:
        """Those that ring now."""
        return [attempt.target.aor for attempt in self._attempts.values()]

    def target_of(self, leg: Leg) -> Target | None:
        """As whom one is rung; None: it isn't."""
        attempts = self._attempts.values()
        return next((each.target for each in attempts if each.rings_at(leg)), None)

    def start(self) -> None:
        """Rings whoever is to be rung first."""
        if self._ringing is not None:
            self._do(self._ringing.start(self._wire.now))

    def stop(self, why: Why) -> None:
        """Nobody is to ring any more."""
        self._ringing = None
        if self._alarm is not None:
            self._alarm.cancel()
        for number in list(self._attempts):
            self._stop(number, why)

    def _do(self, steps: Iterable[Step]) -> None:
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
                    self._user.is_given_up(status, text)
                case Confirm():
                    self._user.is_confirmed()
        self._wake_later()

    def _ring(self, number: int, attempt: Attempt) -> Ending | None:
        """How it has ended, where nobody is there to be rung."""
        # More than one can't be answered at a time: each of the others offers when it answers.
        may_offer = self._answers_early and not self._attempts
        attempt.start(self._board, self._offer, self._hops, may_offer=may_offer)
        if not attempt.phones:
            return self._skip(attempt, Ending(Outcome.UNREACHABLE))
        self._attempts[number] = attempt
        now = self._wire.now
        began = LegBegan(
            self._call, attempt.uuid, attempt.target, attempt.phones, now, attempt.call_ids
        )
        self._board.tell(began)
        return None

    def _skip(self, attempt: Attempt, ending: Ending) -> Ending:
        """Tells of one whose phones are not rung at all."""
        now = self._wire.now
        self._board.tell(LegBegan(self._call, attempt.uuid, attempt.target, 0, now))
        self._board.tell(LegEnded(self._call, attempt.uuid, ending, now))
        return ending

    def _stop(self, number: int, why: Why) -> None:
        attempt = self._attempts.pop(number, None)
        if attempt is not None:
            attempt.stop(why)
            self._board.tell(LegEnded(self._call, attempt.uuid, why, self._wire.now))

    def _wake_later(self) -> None:
        """Sees to it that the `Ringing` is woken when it wants to be."""
        if self._alarm is not None:
            self._alarm.cancel()
        if self._ringing is not None:
            at = self._ringing.deadline
            in_s = _LONGEST_S if at is None else at - self._wire.now
            self._alarm = self._wire.alarm(in_s, self._woken)

    def _woken(self) -> None:
        if self._ringing is None:
            return
        if self._ringing.deadline is None:
            self.stop(Why.NO_ANSWER)
            self._user.is_given_up(480, "")
        else:
            self._do(self._ringing.timer(self._wire.now))

    # What becomes of those who are rung

    def rings(self, attempt: Attempt, leg: OutgoingLeg, early: SessionDescription | None) -> None:
        if not attempt.has_rung:
            attempt.has_rung = True
            self._board.tell(LegRang(self._call, attempt.uuid, self._wire.now, leg.early))
        is_alone = len(self._attempts) == 1 and attempt.phones == 1
        self._user.rings(leg, early if is_alone or leg.owes_answer else None)

    def answers(self, attempt: Attempt, leg: OutgoingLeg, description: SessionDescription) -> None:
        self._attempts = {number: each for number, each in self._attempts.items() if each is not attempt}
        self.stop(Why.ELSEWHERE)
        self._user.is_answered(attempt, leg, description)

    def ends(self, attempt: Attempt, ending: Ending) -> None:
        number = next(number for number, each in self._attempts.items() if each is attempt)
        del self._attempts[number]
        self._board.tell(LegEnded(self._call, attempt.uuid, ending, self._wire.now))
        if self._ringing is not None:
            self._do(self._ringing.ended(number, ending, self._wire.now))
