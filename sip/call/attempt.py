"""Somebody who is rung, at all his phones together: the first that answers has the call (RFC 3261 §16.7)."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID, uuid4

from sip.call.board import Board
from sip.call.leg import Leg
from sip.call.outgoing import OutgoingLeg
from sip.call.ringing import Ending, Outcome, Target, Why
from sip.message.errors import MessageError
from sip.message.message import Response
from sip.message.parameters import Parameters
from sip.message.sdp import SessionDescription
from sip.message.values import Reason

ELSEWHERE = Reason("SIP", Parameters((("cause", "200"), ("text", '"Call completed elsewhere"'))))
"Whoever is told this shows no missed call (RFC 3326)."

_OUTCOMES = {
    486: Outcome.BUSY,
    600: Outcome.BUSY,
    603: Outcome.DECLINED,
    607: Outcome.DECLINED,
    408: Outcome.NO_ANSWER,
    480: Outcome.NO_ANSWER,
    487: Outcome.NO_ANSWER,
    404: Outcome.UNREACHABLE,
    410: Outcome.UNREACHABLE,
    503: Outcome.UNREACHABLE,
}
_WEIGHT = {
    # What says most about the person comes first: one phone may be switched off while another is busy.
    Outcome.DECLINED: 0,
    Outcome.MOVED: 1,
    Outcome.BUSY: 2,
    Outcome.NO_ANSWER: 3,
    Outcome.REFUSED: 4,
    Outcome.UNREACHABLE: 5,
}


class AttemptUser(Protocol):
    """Who is told what becomes of it."""

    def rings(self, attempt: Attempt, leg: OutgoingLeg, early: SessionDescription | None) -> None:
        """One of its phones rings, perhaps with something to be heard."""

    def answers(self, attempt: Attempt, leg: OutgoingLeg, description: SessionDescription) -> None:
        """One of its phones has answered; the others are stopped."""

    def ends(self, attempt: Attempt, ending: Ending) -> None:
        """None of its phones rings any more."""


class Attempt:
    """From the INVITEs to the first answer, or the last refusal."""

    def __init__(self, user: AttemptUser, target: Target) -> None:
        self.uuid: UUID = uuid4()
        self.target = target
        self.has_rung = False
        self._user = user
        self._legs: list[OutgoingLeg] = []
        self._ending: Ending | None = None
        "The one that says most, of those that have ended."

    @property
    def phones(self) -> int:
        """How many are being rung."""
        return len(self._legs)

    @property
    def call_ids(self) -> tuple[str, ...]:
        """Of the dialogs with these."""
        return tuple(leg.call_id for leg in self._legs)

    def rings_at(self, leg: Leg) -> bool:
        """Whether that is one of those that ring."""
        return leg in self._legs

    def start(
        self, board: Board, offer: SessionDescription | None, max_forwards: int, *, may_offer: bool
    ) -> None:
        """Sends the INVITEs. Where there is nobody to send one to, nothing is told.

        `may_offer`: one alone may offer something while it rings, where it is offered nothing.
        """
        places = board.places(self.target)
        may_offer = may_offer and len(places) == 1
        self._legs = [
            OutgoingLeg(board, self, self.target, place, offer, max_forwards, may_offer=may_offer)
            for place in places
        ]

    def stop(self, why: Why) -> None:
        """Its phones are to ring no longer, and nothing is told of them any more."""
        legs, self._legs = self._legs, []
        for leg in legs:
            leg.stop((ELSEWHERE,) if why is Why.ELSEWHERE else ())

    # What its phones tell

    def rings(self, leg: OutgoingLeg, early: SessionDescription | None) -> None:
        self._user.rings(self, leg, early)

    def answers(self, leg: OutgoingLeg, description: SessionDescription) -> None:
        self._legs.remove(leg)
        self.stop(Why.ELSEWHERE)
        self._user.answers(self, leg, description)

    def refuses(self, leg: OutgoingLeg, response: Response) -> None:
        self._legs.remove(leg)
        ending = _ending(response, has_rung=self.has_rung)
        if self._ending is None or _WEIGHT[ending.outcome] < _WEIGHT[self._ending.outcome]:
            self._ending = ending
        if not self._legs or ending.outcome is Outcome.DECLINED:
            # Whoever declines at one phone has declined (§16.7, step 5).
            self.stop(Why.GIVEN_UP)
            self._user.ends(self, self._ending)


def _ending(response: Response, *, has_rung: bool) -> Ending:
    status = response.status
    if status < 400:
        try:
            contacts = sorted(response.contact, key=lambda each: -1.0 if each.q is None else -each.q)
        except MessageError:
            contacts = []
        if contacts:
            return Ending(Outcome.MOVED, status, tuple(each.uri for each in contacts))
        return Ending(Outcome.REFUSED, status)
    outcome = _OUTCOMES.get(status, Outcome.REFUSED)
    if status == 408 and not has_rung:
        # Nothing has come from there.
        outcome = Outcome.UNREACHABLE
    return Ending(outcome, status)
