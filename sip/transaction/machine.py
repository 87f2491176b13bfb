"""What the four machines have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import ClassVar

from sip.message.message import Request, Response
from sip.transaction.effects import Effect, Failed, Send, Why
from sip.transaction.keys import ClientKey
from sip.transaction.timers import Timers
from sip.transport.flow import Flow


class State(Enum):
    """The states of all figures."""

    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class Machine:
    """A transaction: one timer that sends again, and one that ends its state."""

    rests_in: ClassVar[State]
    "In which nothing is left to decide about it; what comes late is answered from what is kept of it."

    __slots__ = ("_end_at", "_interval_s", "_resend_at", "_timers", "flow", "request", "state", "waking")

    def __init__(self, request: Request, flow: Flow, timers: Timers, state: State) -> None:
        self.request = request
        self.flow = flow
        self.state = state
        self.waking: tuple[float, int] | None = None
        "When whoever keeps it will look at it, and as which one; theirs to keep."
        self._timers = timers
        self._resend_at: float | None = None
        self._end_at: float | None = None
        self._interval_s = timers.t1_s
        "Until what is sent next is sent once more."

    @property
    def deadline(self) -> float | None:
        """When `timer` is to be called."""
        if self._resend_at is None or self._end_at is None:
            return self._end_at if self._resend_at is None else self._resend_at
        return min(self._resend_at, self._end_at)

    @property
    def has_ended(self) -> bool:
        """Whether it is in the state Terminated: nothing comes of it any more."""
        return self.state is State.TERMINATED

    @property
    def rests(self) -> bool:
        """Whether nothing is left to decide: it is in nobody's hands any more but its user's."""
        return self.state is self.rests_in

    def timer(self, now: float) -> list[Effect]:
        """Does what is due by `now`."""
        if self._end_at is not None and now >= self._end_at:
            return self._state_ends()
        if self._resend_at is not None and now >= self._resend_at:
            return self._send_again(now)
        return []

    def closed(self) -> list[Effect]:
        """The flow is no more."""
        raise NotImplementedError

    def _state_ends(self) -> list[Effect]:
        raise NotImplementedError

    def _send_again(self, now: float) -> list[Effect]:
        raise NotImplementedError

    def _terminate(self) -> list[Effect]:
        self.state = State.TERMINATED
        self._resend_at = self._end_at = None
        return []

    def _fail(self, why: Why) -> list[Effect]:
        self._terminate()
        return [Failed(self, why)]

    def _stay(self, state: State, for_s: float, now: float) -> None:
        """Enters a state that only takes what comes late; no time means not at all."""
        self._resend_at = None
        if for_s:
            self.state, self._end_at = state, now + for_s
        else:
            self._terminate()

    def _rest(self, for_s: float) -> None:
        """Enters the state that it `rests_in`, whose end somebody else sees to; no time means not at all."""
        self._terminate()
        if for_s:
            self.state = self.rests_in


class ClientTransaction(Machine):
    """Of a request that we send; `request` has our Via."""

    __slots__ = ("_data", "answered", "key")

    def __init__(self, request: Request, flow: Flow, timers: Timers, state: State, key: ClientKey) -> None:
        super().__init__(request, flow, timers, state)
        self.key = key
        self.answered: Callable[[Response], None] | None = None
        "Who is to hear of each answer; its user's to keep, and gone with it."
        self._data = bytes(request)

    @property
    def size(self) -> int:
        """Bytes of the request."""
        return len(self._data)

    def start(self, now: float) -> list[Effect]:
        """Sends the request."""
        self._end_at = now + self._timers.give_up_s
        if not self.flow.transport.is_reliable:
            self._resend_at = now + self._interval_s
        return [Send(self.flow, self._data)]

    def receive(self, response: Response, now: float) -> list[Effect]:
        """A response has come."""
        raise NotImplementedError

    def abandon(self) -> None:
        """Sends nothing any more."""
        self._terminate()

    def cancel(self, reasons: Sequence[str], now: float) -> Request | None:
        """The CANCEL, if it can be sent at once. Raises `ValueError`: only an INVITE is cancelled (§9.1)."""
        raise ValueError("only an INVITE is cancelled (RFC 3261 §9.1)")

    def held_back_cancel(self, now: float) -> Request | None:
        """The CANCEL that had to wait until now, once."""
        return None


class ServerTransaction(Machine):
    """Of a request that we answer."""

    __slots__ = ("cancelled", "failed", "key")

    def __init__(self, request: Request, flow: Flow, timers: Timers, state: State, key: str) -> None:
        super().__init__(request, flow, timers, state)
        self.key = key
        self.cancelled: Callable[[Request], None] | None = None
        self.failed: Callable[[], None] | None = None
        "Who is to hear of its CANCEL, and of its failure; its user's to keep, until the final response."

    def again(self) -> bytes | None:
        """What the request gets when it comes again."""
        raise NotImplementedError

    def respond(self, response: Response, now: float) -> list[Effect]:
        """Sends a response of its user; what comes too late is dropped."""
        raise NotImplementedError
