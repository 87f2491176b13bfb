"""A call that rings is answered at another phone, which has its own INVITE for that (RFC 3891 §3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sip.call.calling import Calling
from sip.call.incoming import IncomingLeg
from sip.call.leg import Leg
from sip.call.session import on_hold, readable_session
from sip.call.story import EndedBy
from sip.call.unconnected import Unconnected
from sip.message.message import Request, Response
from sip.message.sdp import SessionDescription
from sip.message.values import Reason

if TYPE_CHECKING:
    from sip.call.call import Call


class Pickup(Unconnected):
    """Until the two who have both called have one session. Nobody else rings by now."""

    def __init__(
        self,
        call: Call,
        calling: Calling,
        leg: IncomingLeg,
        connected: Callable[[SessionDescription], None],
        failed: Callable[[], None],
    ) -> None:
        """`connected` is told what the phone has said of its session; `failed`: it does not come to that."""
        self._call = call
        self._calling = calling
        self._leg = leg
        self._connected = connected
        self._failed = failed
        self._is_over = False
        leg.user = self
        leg.on_cancel(lambda _: self._fails(487))

    def start(self) -> None:
        """Finds out what both can agree upon. Who calls is offered or answered one thing only."""
        offered, own = self._calling.offered, self._leg.offered
        if offered is None and own is None:
            self._fails(488)
        elif offered is None and own is not None:
            self._is_over = True
            self._connected(own)
        elif offered is not None and own is None:
            self._leg.answer(self._call.caller, offered, self._answered)
        elif own is not None:
            # Both have offered: the phone's own is put off, and then it is offered what the caller has.
            self._leg.answer(self._call.caller, on_hold(own), self._is_there)

    def keeps(self, leg: Leg) -> bool:
        """Nobody is passed on."""
        return True

    def first_has_ended(self) -> None:
        """The caller has given up, or it has failed."""
        if not self._is_over:
            self._is_over = True
            self._failed()
            self._leg.leave()

    def hung_up(self, leg: Leg, reasons: tuple[Reason, ...]) -> None:
        """It doesn't want the call after all."""
        self._fails(480)

    def lost(self, leg: Leg, status: int = 487) -> None:
        """It is gone."""
        self._fails(480)

    def _answered(self, said: Request | Response | None) -> None:
        answer = None if said is None else readable_session(said)
        if self._is_over:
            return
        if answer is None:
            self._fails(480)
        else:
            self._is_over = True
            self._connected(answer)

    def _is_there(self, ack: Request | None) -> None:
        if ack is None:
            self._fails(480)
        elif not self._is_over:
            self._leg.offer(self._calling.offered, self._agrees)

    def _agrees(self, response: Response) -> None:
        if response.status >= 300:
            self._fails(480)
        elif response.status >= 200:
            self._leg.acknowledge()
            self._answered(response)

    def _fails(self, status: int) -> None:
        if not self._is_over:
            if self._leg.is_waiting:
                self._leg.turn_down(status)
            self._call.end(EndedBy.NOBODY, status=480)
