"""Answering an INVITE (RFC 3261 §17.2.1, figure 7, with the state Accepted of RFC 6026 §7.1)."""

from __future__ import annotations

from sip.message.message import Request, Response
from sip.transaction.effects import Effect, Send, Why
from sip.transaction.machine import ServerTransaction, State
from sip.transaction.timers import TRYING_S, Timers
from sip.transport.flow import Flow


class InviteServer(ServerTransaction):
    """From Proceeding to Terminated. Its user may let it ring for as long as it likes.

    What remains of one that was accepted is its key, and `to_tag`, see `Ended`. Its user, who sends the 2xx
    again by itself, knows for how long (RFC 6026 §7.1).
    """

    rests_in = State.ACCEPTED

    __slots__ = ("_answer", "is_cancelled", "to_tag")

    def __init__(self, request: Request, flow: Flow, timers: Timers, key: str, now: float) -> None:
        super().__init__(request, flow, timers, State.PROCEEDING, key)
        self._answer: bytes | None = None
        "The newest response, as sent."
        self._resend_at = now + TRYING_S
        self.to_tag = request.to.tag
        "Our tag, as the newest response said it."
        self.is_cancelled = False
        "A CANCEL has come in time."

    @property
    def can_be_cancelled(self) -> bool:
        """Whether there is no final response yet, nor another CANCEL (§9.2)."""
        return self.state is State.PROCEEDING and not self.is_cancelled

    def again(self) -> bytes | None:
        return self._answer if self.state is State.PROCEEDING or self.state is State.COMPLETED else None

    def respond(self, response: Response, now: float) -> list[Effect]:
        if self.state is State.PROCEEDING:
            self._answer = bytes(response)
            self._resend_at = None
            self.to_tag = response.to.tag or self.to_tag
            if response.status >= 200:
                self.cancelled = self.failed = None
            if 200 <= response.status < 300:
                self._rest(self._timers.give_up_s)
            elif response.status >= 300:
                self._stay(State.COMPLETED, self._timers.give_up_s, now)
                if not self.flow.transport.is_reliable:
                    self._resend_at = now + self._interval_s
            return [Send(self.flow, self._answer)]
        if self.state is State.ACCEPTED and 200 <= response.status < 300:
            return [Send(self.flow, bytes(response))]
        return []

    def acknowledged(self, now: float) -> None:
        """The ACK of a refusal has come."""
        if self.state is State.COMPLETED:
            self._stay(State.CONFIRMED, self._timers.i_s(self.flow.transport), now)

    def closed(self) -> list[Effect]:
        if self.state is State.PROCEEDING or self.state is State.COMPLETED:
            return self._fail(Why.TRANSPORT)
        # Nothing that belongs to it can come any more; an ACK by another way finds its dialog by itself.
        return self._terminate()

    def _send_again(self, now: float) -> list[Effect]:
        if self._answer is None:
            # Its user is slow: say that the INVITE needn't come again.
            self._answer, self._resend_at = bytes(self.request.response(100)), None
        else:
            self._interval_s = min(2 * self._interval_s, self._timers.t2_s)
            self._resend_at = now + self._interval_s
        return [Send(self.flow, self._answer)]

    def _state_ends(self) -> list[Effect]:
        return self._fail(Why.TIMEOUT) if self.state is State.COMPLETED else self._terminate()
