"""Two who talk to the same third party are given a session with each other (RFC 5589 §7).

Neither has offered anything: the first is asked for an offer, which the second answers (RFC 3725 §4.1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sip.call.leg import Leg
from sip.call.referral import Referral
from sip.call.ringing import Caller
from sip.call.session import readable_session, silence
from sip.call.story import EndedBy
from sip.call.wire import Wire
from sip.message.message import Response
from sip.message.sdp import SessionDescription

if TYPE_CHECKING:
    from sip.call.call import Call

_AGAIN_S = 1.0
_TRIES = 15
"How often a leg is looked at that is still changing its session with somebody else."


class Joining:
    """From the REFER to the one session. Until that is there, each of them has its call with the third."""

    def __init__(
        self, wire: Wire, referral: Referral, one: Leg, first: Call, other: Leg, second: Call,
        shown: tuple[Caller, Caller], joined: Callable[[], None],
    ) -> None:  # fmt: skip
        """`joined` is called when the two have their session; after that both calls end.

        `shown`: as whom `one` sees `other`, and `other` sees `one`.
        """
        self._wire = wire
        self._shown = shown
        self._referral = referral
        self._one, self._first = one, first
        self._other, self._second = other, second
        self._joined = joined
        self._is_over = False
        self._owes_ack: SessionDescription | None = None
        "What `one` has offered, and has no answer to."

    def start(self) -> None:
        """Asks the first."""
        when_free(
            self._wire, self._one,
            lambda: self._one.offer(None, self._one_says, shown=self._shown[0]), lambda: self._fails(491),
        )

    def keeps(self, leg: Leg) -> bool:
        """Whether it is one of the two."""
        return leg is self._one or leg is self._other

    def first_has_ended(self) -> None:
        """One of the calls has ended: by the third, which is as it should be, or by one of the two."""
        if self._one.is_over or self._other.is_over:
            self._fails(480)

    def _one_says(self, response: Response) -> None:
        if response.status < 200 or self._is_over:
            return
        offer = readable_session(response)
        if response.status >= 300 or offer is None:
            self._fails(488 if response.status < 300 else response.status)
            return
        self._owes_ack = offer
        when_free(
            self._wire, self._other,
            lambda: self._other.offer(offer, self._other_says, shown=self._shown[1]),
            lambda: self._fails(491),
        )  # fmt: skip

    def _other_says(self, response: Response) -> None:
        if response.status < 200 or self._is_over:
            return
        answer = readable_session(response)
        self._other.acknowledge()
        if response.status >= 300 or answer is None:
            self._fails(488 if response.status < 300 else response.status)
            return
        self._is_over = True
        self._one.acknowledge(answer)
        self._referral.says(200)
        self._joined()
        self._first.end(EndedBy.TRANSFERRED, keep=self._one)
        self._second.end(EndedBy.TRANSFERRED, keep=self._other)

    def _fails(self, status: int) -> None:
        if self._is_over:
            return
        self._is_over = True
        if self._owes_ack is not None:
            self._one.acknowledge(silence(self._owes_ack))
        self._referral.says(status)
        for leg, call in ((self._one, self._first), (self._other, self._second)):
            call.passing = None
            if call.is_over:
                leg.leave()


def when_free(wire: Wire, leg: Leg, do: Callable[[], None], give_up: Callable[[], None]) -> None:
    """Does something as soon as the leg changes its session with nobody else."""
    left = _TRIES

    def look() -> None:
        nonlocal left
        left -= 1
        if leg.is_over or not left:
            give_up()
        elif leg.is_busy:
            wire.alarm(_AGAIN_S, look)
        else:
            do()

    look()
