"""Sending an INVITE (RFC 3261 §17.1.1, figure 5, with the state Accepted of RFC 6026 §7.2)."""

from __future__ import annotations

from collections.abc import Sequence

from sip.message.message import Request, Response
from sip.transaction.effects import Answered, Effect, Send, Why
from sip.transaction.keys import ClientKey
from sip.transaction.machine import ClientTransaction, State
from sip.transaction.outgoing import ack_of, cancel_of, top_of
from sip.transaction.timers import Timers
from sip.transport.flow import Flow


class InviteClient(ClientTransaction):
    """From Calling to Terminated. Once it rings it rings until somebody answers or cancels.

    What remains of one that was refused is `ack`, see `Ended`. One that was accepted has a user who wants to
    hear of every 2xx; its request is as good as gone, for there are many of these.
    """

    rests_in = State.COMPLETED

    __slots__ = ("_held_back", "ack")

    def __init__(self, request: Request, flow: Flow, timers: Timers, key: ClientKey) -> None:
        super().__init__(request, flow, timers, State.CALLING, key)
        self.ack = b""
        "Of the refusal."
        self._held_back: Request | None = None

    def receive(self, response: Response, now: float) -> list[Effect]:
        status = response.status
        match self.state:
            case State.CALLING | State.PROCEEDING if status < 200:
                if self.state is State.CALLING:
                    # From here on timer B can't end it.
                    self.state, self._resend_at, self._end_at = State.PROCEEDING, None, None
            case State.CALLING | State.PROCEEDING if status < 300:
                self._held_back = None
                self._data, self.request = b"", top_of(self.request)
                self._stay(State.ACCEPTED, self._timers.give_up_s, now)
            case State.CALLING | State.PROCEEDING:
                self._held_back = None
                self.ack = bytes(ack_of(self.request, response))
                self._rest(self._timers.d_s(self.flow.transport))
                return [Send(self.flow, self.ack), Answered(self, response)]
            case State.ACCEPTED if 200 <= status < 300:
                pass
            case _:
                return []
        return [Answered(self, response)]

    def cancel(self, reasons: Sequence[str], now: float) -> Request | None:
        """Held back while nothing has come: the CANCEL could be there before the INVITE (§9.1)."""
        if self.state is State.CALLING:
            self._held_back = self._held_back or cancel_of(self.request, reasons)
            return None
        if self.state is not State.PROCEEDING or self._end_at is not None:
            return None
        return self._given_up(cancel_of(self.request, reasons), now)

    def held_back_cancel(self, now: float) -> Request | None:
        if self._held_back is None or self.state is not State.PROCEEDING:
            return None
        cancel, self._held_back = self._held_back, None
        return self._given_up(cancel, now)

    def closed(self) -> list[Effect]:
        if self.state is State.CALLING or self.state is State.PROCEEDING:
            return self._fail(Why.TRANSPORT)
        # Its user has the answer already.
        return self._terminate()

    def _send_again(self, now: float) -> list[Effect]:
        self._interval_s *= 2
        self._resend_at = now + self._interval_s
        return [Send(self.flow, self._data)]

    def _state_ends(self) -> list[Effect]:
        if self.state is State.CALLING or self.state is State.PROCEEDING:
            return self._fail(Why.TIMEOUT)
        return self._terminate()

    def _given_up(self, cancel: Request, now: float) -> Request:
        # The 487 may never come (§9.1).
        self._end_at = now + self._timers.give_up_s
        return cancel
