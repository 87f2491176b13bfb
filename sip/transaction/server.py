"""Answering a request other than INVITE (RFC 3261 §17.2.2, figure 8)."""

from __future__ import annotations

from sip.message.message import Request, Response
from sip.transaction.effects import Effect, Send, Why
from sip.transaction.machine import ServerTransaction, State
from sip.transaction.timers import Timers
from sip.transport.flow import Flow


class NonInviteServer(ServerTransaction):
    """From Trying to Completed. What remains of it then is `answer`, see `Ended`."""

    rests_in = State.COMPLETED

    __slots__ = ("answer",)

    def __init__(self, request: Request, flow: Flow, timers: Timers, key: str, now: float) -> None:
        super().__init__(request, flow, timers, State.TRYING, key)
        self.answer: bytes | None = None
        "The newest response, as sent."
        # The figure lets its user think for ever. The client gives up after timer F: nobody waits then.
        self._end_at = now + timers.give_up_s

    def again(self) -> bytes | None:
        return self.answer

    def respond(self, response: Response, now: float) -> list[Effect]:
        if self.state is not State.TRYING and self.state is not State.PROCEEDING:
            return []
        self.answer = bytes(response)
        if response.status < 200:
            self.state = State.PROCEEDING
        else:
            self._rest(self._timers.j_s(self.flow.transport))
        return [Send(self.flow, self.answer)]

    def closed(self) -> list[Effect]:
        return self._fail(Why.TRANSPORT)

    def _state_ends(self) -> list[Effect]:
        # No 408: it would come too late to be of use (RFC 4320 §4.2).
        return self._fail(Why.TIMEOUT)
