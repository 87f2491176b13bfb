"""Sending a request other than INVITE (RFC 3261 §17.1.2, figure 6)."""

from __future__ import annotations

from sip.message.message import Request, Response
from sip.transaction.effects import Answered, Effect, Send, Why
from sip.transaction.keys import ClientKey
from sip.transaction.machine import ClientTransaction, State
from sip.transaction.timers import Timers
from sip.transport.flow import Flow


class NonInviteClient(ClientTransaction):
    """From Trying to Completed. What remains of it then is its key, see `Ended`."""

    rests_in = State.COMPLETED

    __slots__ = ()

    def __init__(self, request: Request, flow: Flow, timers: Timers, key: ClientKey) -> None:
        super().__init__(request, flow, timers, State.TRYING, key)

    def receive(self, response: Response, now: float) -> list[Effect]:
        if not self._awaits_answer:
            return []
        if response.status < 200:
            self.state = State.PROCEEDING
        else:
            self._rest(self._timers.k_s(self.flow.transport))
        return [Answered(self, response)]

    def closed(self) -> list[Effect]:
        return self._fail(Why.TRANSPORT) if self._awaits_answer else self._terminate()

    @property
    def _awaits_answer(self) -> bool:
        return self.state is State.TRYING or self.state is State.PROCEEDING

    def _send_again(self, now: float) -> list[Effect]:
        t2_s = self._timers.t2_s
        # A peer that is at work is asked rarely, though the answer may have been lost.
        self._interval_s = t2_s if self.state is State.PROCEEDING else min(2 * self._interval_s, t2_s)
        self._resend_at = now + self._interval_s
        return [Send(self.flow, self._data)]

    def _state_ends(self) -> list[Effect]:
        return self._fail(Why.TIMEOUT) if self._awaits_answer else self._terminate()
