"""Passing on: one side of a call asks that the other be connected with somebody else (RFC 5589).

We do it ourselves, and nobody else has to know how: whoever is passed on stays in its dialog with us. A
transfer to a number is a new call of theirs, and as soon as somebody answers, that is their session. The
first call lives as long as the transferor stays, so that a transfer that fails has changed nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from sip.call.board import Board
from sip.call.calling import Takes
from sip.call.joining import when_free
from sip.call.leg import Leg
from sip.call.referral import Referral
from sip.call.ringing import Caller, Ending, Ring, Ringing, Step
from sip.call.story import EndedBy
from sip.call.unconnected import Unconnected
from sip.message.message import Response
from sip.message.sdp import SessionDescription
from sip.message.values import Reason

if TYPE_CHECKING:
    from sip.call.call import Call


class Transfer(Unconnected):
    """Somebody who is passed on to a number: its side of the new call, until that is answered."""

    offered: SessionDescription | None = None
    "It is asked when somebody has answered: until then it talks to another."
    answers_early = False

    def __init__(
        self, board: Board, first: Call, referral: Referral, transferor: Leg, leg: Leg
    ) -> None:
        self.id = uuid4()
        "Of the new call."
        self.referral = referral
        self.transferor = transferor
        self.leg = leg
        "Who is passed on."
        self.is_waiting = True
        self._board = board
        self.first = first
        "The call of which it is passed on."
        self._next: Call | None = None

    def goes_on(self, call: Call) -> None:
        """`call` is the new one."""
        self._next = call

    def presented(self, ringing: Ringing) -> Ringing:
        """Rings the same, on behalf of who is passed on."""
        return _Presented(ringing, lambda to: self._board.shown(self.leg, to))

    # As the caller of the new call

    def ring(self, leg: Leg, early: SessionDescription | None) -> None:
        """The transferor is told."""
        self.referral.says(180)

    def answer(self, leg: Leg, description: SessionDescription, takes: Takes) -> None:
        """Whoever is passed on is offered what the one offers who has answered."""

        def heard(response: Response) -> None:
            if response.status >= 300:
                takes(None)
            elif response.status >= 200:
                self.leg.acknowledge()
                self._is_done()
                takes(response)

        def offer() -> None:
            self.leg.offer(description, heard, shown=self._board.shown(leg, self.leg.aor))

        when_free(self._board.wire, self.leg, offer, lambda: takes(None))

    def confirm(self) -> None:
        """There is nobody to talk to."""
        self.is_waiting = False
        self.referral.says(200)
        self.first.end(EndedBy.TRANSFERRED)
        self.leg.leave()

    def turn_down(self, status: int, text: str = "") -> None:
        """The transferor has it back, if it is still there."""
        self.is_waiting = False
        self.referral.says(status)
        if self.first.is_over:
            self.leg.leave()
        self.first.passing = None

    def _is_done(self) -> None:
        self.is_waiting = False
        self.referral.says(200)
        if self._next is not None:
            self.leg.user = self._next
        self.first.end(EndedBy.TRANSFERRED, keep=self.leg)

    # Between the two calls

    def keeps(self, leg: Leg) -> bool:
        """Whether it is who is passed on."""
        return leg is self.leg

    def first_has_ended(self) -> None:
        """The transferor has hung up, as most do, or who is passed on has."""
        if not self.is_waiting:
            return
        if self.leg.is_over:
            self._give_up(EndedBy.CALLER)
        else:
            self.leg.user = self

    def hung_up(self, leg: Leg, reasons: tuple[Reason, ...]) -> None:
        """It does not want to be passed on."""
        self._give_up(EndedBy.CALLER)

    def lost(self, leg: Leg, status: int = 487) -> None:
        """It is gone."""
        self.leg.leave()
        self._give_up(EndedBy.VANISHED)

    def _give_up(self, by: EndedBy) -> None:
        if self._next is not None:
            self._next.end(by)
        else:
            self.turn_down(487)


class _Presented:
    """Rings whoever `ringing` rings, on behalf of somebody else."""

    def __init__(self, ringing: Ringing, shown: Callable[[str], Caller]) -> None:
        """`shown`: as whom a line may see that somebody else."""
        self._ringing = ringing
        self._shown = shown

    @property
    def deadline(self) -> float | None:
        return self._ringing.deadline

    def start(self, now: float) -> list[Step]:
        return self._presented(self._ringing.start(now))

    def ended(self, id: int, ending: Ending, now: float) -> list[Step]:
        return self._presented(self._ringing.ended(id, ending, now))

    def timer(self, now: float) -> list[Step]:
        return self._presented(self._ringing.timer(now))

    def _presented(self, steps: list[Step]) -> list[Step]:
        # A gateway is told who has to answer for the call: the transferor.
        return [
            replace(step, target=replace(step.target, caller=self._shown(step.target.aor)))
            if isinstance(step, Ring) and step.target.uri is None
            else step
            for step in steps
        ]
