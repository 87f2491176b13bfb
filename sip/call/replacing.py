"""An INVITE with Replaces: a phone takes over the dialog of another, unasked (RFC 3891)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from sip.call.attempt import ELSEWHERE
from sip.call.board import Board
from sip.call.call import Call
from sip.call.errors import Glare, NoDialog
from sip.call.incoming import IncomingLeg
from sip.call.joining import when_free
from sip.call.leg import Leg
from sip.call.ringing import Caller, Target
from sip.call.session import readable_session
from sip.call.story import EndedBy
from sip.call.unconnected import Unconnected
from sip.errors import SipError
from sip.message.message import Request, Response
from sip.message.sdp import SessionDescription
from sip.message.values import Reason, Replaces

_PASSED_ON = frozenset({415, 488, 491, 500, 503, 504, 606})


class AlreadyAnswered(SipError):
    """Only a call that still rings was to be taken over (§3)."""

    code = "already-answered"
    status: ClassVar[int] = 486


class NoFurtherCall(SipError):
    """Its line is in as many calls as it may be."""

    code = "no-further-call"
    status: ClassVar[int] = 486


May: TypeAlias = Callable[[str, Target | None], bool]
"Whether a dialog of that line may be taken over; with the target, as which it still rings."


@dataclass(frozen=True, slots=True)
class Taker:
    """Who takes over."""

    aor: str
    "Its line."
    dialled: str
    may: May
    is_hidden: bool = False
    "Whether nobody is to see who it is."
    has_room: Callable[[str], bool] = lambda _: True
    "Whether its line may be in a further call: one that the other line is in. One of its own is none."


@dataclass(frozen=True, slots=True)
class Replaced:
    """A dialog that may be taken over."""

    call: Call
    leg: Leg
    target: Target | None
    "As which it rings; None: it was answered."

    def give_to(self, board: Board, leg: IncomingLeg, taker: Taker) -> None:
        """`leg` takes its place."""
        if taker.is_hidden:
            leg.shown_as = Caller("", is_hidden=True)
        if self.target is not None:
            self.call.is_picked_up(leg, self.target)
        else:
            taking = self.call.passing = Taking(board, leg, self.call, self.leg, taker.dialled)
            taking.start()


def find_replaced(board: Board, said: Replaces, taker: Taker) -> Replaced:
    """The dialog that `said` names. Raises `SipError` where it can't be taken over.

    One that is not there and one that is nobody's to take look alike.
    """
    leg = _found(board, said)
    for call in () if leg is None else board.calls.values():
        if leg is None:
            break
        if (target := call.rung_as(leg)) is not None and taker.may(leg.aor, target):
            _check_room(taker, leg)
            return Replaced(call, leg, target)
        # A dialog that its phone has begun is not replaced before it is answered (§3).
        if call.has(leg) and call.answered_at is not None and taker.may(leg.aor, None):
            if said.is_early_only:
                raise AlreadyAnswered("it was answered")
            if call.passing is not None:
                raise Glare("it is being passed on")
            _check_room(taker, leg)
            return Replaced(call, leg, None)
    raise NoDialog("there is no such dialog")


def _check_room(taker: Taker, leg: Leg) -> None:
    if leg.aor != taker.aor and not taker.has_room(leg.aor):
        raise NoFurtherCall("its line has too many calls at once")


def _found(board: Board, said: Replaces) -> Leg | None:
    """The leg of a dialog, by what we know of it, or its phone does, who may have told others."""
    for ours, theirs in ((said.to_tag, said.from_tag), (said.from_tag, said.to_tag)):
        leg = board.legs.get((said.call_id, ours))
        if leg is not None and not leg.is_over and leg.has_peer(theirs):
            return leg
    return None


class Taking(Unconnected):
    """From the INVITE to the one session of its phone with the other end of an answered call."""

    def __init__(self, board: Board, leg: IncomingLeg, first: Call, replaced: Leg, dialled: str) -> None:
        self._board = board
        self._leg = leg
        self._first = first
        self._other = first.other(replaced)
        self._dialled = dialled
        self._before = self._other.told.said
        self._is_over = False
        leg.user = self
        leg.on_cancel(self._cancelled)

    def start(self) -> None:
        """Asks the other end, as soon as that is free."""

        def offer() -> None:
            shown = self._board.shown(self._leg, self._other.aor)
            self._other.offer(self._leg.offered, self._heard, shown=shown)

        when_free(self._board.wire, self._other, offer, lambda: self._fails(491))

    def keeps(self, leg: Leg) -> bool:
        """Nobody hangs up because of it before it is done."""
        return True

    def first_has_ended(self) -> None:
        """There is nothing left to be taken over."""
        self._fails(481)

    def hung_up(self, leg: Leg, reasons: tuple[Reason, ...]) -> None:
        """It did not wait."""
        self._fails(487)

    def lost(self, leg: Leg, status: int = 487) -> None:
        """It is gone."""
        self._fails(status)

    def _cancelled(self, reasons: tuple[Reason, ...]) -> None:
        self._fails(487)

    def _heard(self, response: Response) -> None:
        if response.status < 200:
            return
        said = readable_session(response)
        if self._is_over:
            self._restore(response)
        elif response.status >= 300 or said is None:
            self._fails(response.status if response.status in _PASSED_ON else 488)
        else:
            self._is_done(said)

    def _is_done(self, said: SessionDescription) -> None:
        self._is_over = True
        leg, other = self._leg, self._other
        has_offered = leg.offered is not None
        if has_offered:
            other.acknowledge()
        call = Call(self._board, None, leg, self._dialled, None)

        def taken(ack: Request | None) -> None:
            if ack is None:
                call.end(EndedBy.VANISHED)
            elif not has_offered:
                answer = readable_session(ack)
                if answer is None:
                    call.end(EndedBy.FAILED)
                else:
                    other.acknowledge(answer)

        leg.shown = self._board.shown(other, leg.aor)
        target = Target(other.aor, self._board.shown(leg, other.aor), self._board.extension_of(other))
        self._first.end(EndedBy.TRANSFERRED, reasons=(ELSEWHERE,), keep=other)
        call.start_answered(other, target)
        leg.answer(other, said, taken)

    def _fails(self, status: int) -> None:
        if self._is_over:
            return
        self._is_over = True
        if self._leg.is_waiting:
            self._leg.turn_down(status)
        self._first.passing = None

    def _restore(self, response: Response) -> None:
        """It has agreed, and nobody is there any more: it goes on with whom it had."""
        if response.status < 300 and not self._other.is_over and self._before is not None:
            before = self._before
            if self._leg.offered is None:
                self._other.acknowledge(before)
            else:
                self._other.acknowledge()
                self._other.offer(before, lambda again: _thanked(self._other, again))


def _thanked(leg: Leg, response: Response) -> None:
    if 200 <= response.status < 300:
        leg.acknowledge()
