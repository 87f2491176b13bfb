"""Ways to break what carries a call out: who stops, who is told what, who is heard, what displays show."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from provisioner.pbx import routing
from provisioner.pbx.routing import Routing
from sip.call import outgoing
from sip.call.attempt import ELSEWHERE, Attempt
from sip.call.call import Call
from sip.call.incoming import IncomingLeg
from sip.call.invitation import Invitation
from sip.call.leg import Leg
from sip.call.outgoing import OutgoingLeg
from sip.call.ringing import Caller, Ending, GivenUp, Outcome, Target, Why
from sip.call.rung import Rung
from sip.call.story import EndedBy
from sip.call.tree import in_order
from sip.call.tree.limited import Limited
from sip.call.tree.phone import Phone
from sip.message.address import NameAddress
from sip.message.message import Request, Response
from sip.message.sdp import SessionDescription
from sip.message.uri import SipUri
from sip.message.values import Reason
from tests.e2e.proving.breaking import Break, Original, instead, never, put

# Who does not take the call


def waits_for_the_busy(patch: pytest.MonkeyPatch) -> None:
    """A phone that is busy is waited for as if it rang."""
    refuses = Attempt.refuses

    def refused(self: Attempt, leg: OutgoingLeg, response: Response) -> None:
        if response.status != 486:
            refuses(self, leg, response)

    patch.setattr(Attempt, "refuses", refused)


def waits_for_the_unregistered(patch: pytest.MonkeyPatch) -> None:
    """A phone that is not there is waited for as if it rang."""
    start = Phone.start

    def started(self: Phone, now: float) -> Any:
        return [] if self.obstacle() is Outcome.UNREACHABLE else start(self, now)

    patch.setattr(Phone, "start", started)


waits_before_the_unregistered = put(Limited, "obstacle", lambda self: None)


def declining_declines_for_all(patch: pytest.MonkeyPatch) -> None:
    """Whoever turns a call down does so for the whole group."""
    ends = Rung.ends

    def ended(self: Rung, attempt: Attempt, ending: Ending) -> None:
        if ending.outcome is Outcome.DECLINED:
            self._user.is_given_up(603, "")
        else:
            ends(self, attempt, ending)

    patch.setattr(Rung, "ends", ended)


# Who stops ringing, and what is said


def cancelled_late(patch: pytest.MonkeyPatch) -> None:
    cancel = Invitation.cancel

    def later(self: Invitation, reasons: Iterable[Reason] = ()) -> None:
        asyncio.get_running_loop().call_later(2.5, cancel, self, tuple(reasons))

    patch.setattr(Invitation, "cancel", later)


never_cancelled = put(Invitation, "cancel", never)
no_word_of_elsewhere = instead(Invitation, "cancel", lambda cancel: lambda self, reasons=(): cancel(self))
always_elsewhere = instead(
    Invitation, "cancel", lambda cancel: lambda self, reasons=(): cancel(self, (ELSEWHERE,))
)


def rings_on_without_the_caller(patch: pytest.MonkeyPatch) -> None:
    """Those that ring are forgotten when the caller hangs up."""
    stop = Rung.stop

    def stopped(self: Rung, why: Why) -> None:
        if why is Why.GIVEN_UP:
            self._attempts.clear()
        stop(self, why)

    patch.setattr(Rung, "stop", stopped)


class _Accepted:
    """Whoever answers is thanked, though another has the call."""

    def answers(self, leg: OutgoingLeg, description: SessionDescription) -> None:
        leg.acknowledge()

    def rings(self, *_: object) -> None:
        pass

    refuses = rings


def two_win(patch: pytest.MonkeyPatch) -> None:
    """Those that have lost go on ringing, and whoever of them answers then is left in a call."""

    def stopped(self: OutgoingLeg, reasons: Iterable[Reason] = ()) -> None:
        self._rung_by = _Accepted()

    patch.setattr(OutgoingLeg, "stop", stopped)


# What the caller is told

no_ringback = put(IncomingLeg, "ring", never)
no_refusal = put(IncomingLeg, "turn_down", never)
no_answer_told = put(IncomingLeg, "answer", never)
answered_instead_of_refused = put(IncomingLeg, "turn_down", lambda self, *_: self._accept(self.offered))
not_found_instead = put(in_order, "nobody", lambda _: GivenUp(Outcome.NO_ANSWER, 404))
no_hanging_up = put(Leg, "leave", never)


def ringback_late(patch: pytest.MonkeyPatch) -> None:
    ring = IncomingLeg.ring

    def later(self: IncomingLeg, leg: OutgoingLeg, early: SessionDescription | None) -> None:
        asyncio.get_running_loop().call_later(2.5, ring, self, leg, early)

    patch.setattr(IncomingLeg, "ring", later)


def cut_off(patch: pytest.MonkeyPatch) -> None:
    is_answered = Call.is_answered

    def briefly(self: Call, attempt: Attempt, leg: OutgoingLeg, description: SessionDescription) -> None:
        is_answered(self, attempt, leg, description)
        asyncio.get_running_loop().call_later(0.1, lambda: self.end(EndedBy.FAILED))

    patch.setattr(Call, "is_answered", briefly)


# What is heard


def _nowhere(description: SessionDescription) -> SessionDescription:
    """Its audio goes where nobody listens."""
    return description.with_media(*(replace(stream, port=9) for stream in description.media))


def caller_unheard(patch: pytest.MonkeyPatch) -> None:
    accept = IncomingLeg._accept

    def accepted(self: IncomingLeg, description: SessionDescription, *more: Any) -> None:
        accept(self, _nowhere(description), *more)

    patch.setattr(IncomingLeg, "_accept", accepted)


def answerer_unheard(patch: pytest.MonkeyPatch) -> None:
    init = OutgoingLeg.__init__

    def made(
        self: Any, board: Any, user: Any, target: Any, place: Any, offer: Any, *more: Any, **said: Any
    ) -> None:
        init(self, board, user, target, place, _nowhere(offer), *more, **said)

    patch.setattr(OutgoingLeg, "__init__", made)


def neither_heard(patch: pytest.MonkeyPatch) -> None:
    caller_unheard(patch)
    answerer_unheard(patch)


# What displays show


def hiding_ignored(patch: pytest.MonkeyPatch) -> None:
    prepared = Routing.__post_init__

    def shows(self: Routing) -> None:
        prepared(self)
        self.is_hidden = False

    patch.setattr(Routing, "__post_init__", shows)


def presented(change: Callable[[Request, Target], None]) -> Break:
    """INVITEs say something else of who calls."""

    def make(present: Original) -> Original:
        def changed(request: Request, target: Target, *more: Any) -> None:
            present(request, target, *more)
            change(request, target)

        return changed

    return instead(outgoing, "present", make)


def _betray(request: Request, target: Target) -> None:
    request.remote_party_id = (NameAddress(SipUri("pbx.example", "999")),)


betrayed_in_one_header = presented(_betray)
rings_as_from_inside = presented(lambda request, _: request.headers.set("Alert-Info", routing.INSIDE))
no_distinctive_ring = put(routing, "INSIDE", "")
nameless = put(Routing, "_inside", lambda self: Caller(self.exchange.extension_of[self.line]))
line_shown_inside = put(Routing, "_inside", lambda self: Caller(self.line, "Test"))
