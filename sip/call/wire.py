"""The hands of all legs: what they send, whom they wait for, and when they want to be woken."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable
from typing import TypeAlias

from sip.message.message import Request, Response
from sip.message.values import Reason
from sip.transaction.effects import Effect, Why
from sip.transaction.errors import TooManyTransactions
from sip.transaction.machine import ClientTransaction, ServerTransaction
from sip.transaction.transactions import Transactions
from sip.transport.flow import Flow

Hears: TypeAlias = Callable[[Response], None]
"Is told each answer to a request, never before the request has been sent."

_SPARE = 1_000
"So many alarms that have been cancelled are not worth looking for."


class Alarm:
    """Something that is to be done at a time, unless it is cancelled before."""

    __slots__ = ("_wake", "at")

    def __init__(self, at: float, wake: Callable[[], None]) -> None:
        self.at = at
        self._wake: Callable[[], None] | None = wake

    @property
    def is_set(self) -> bool:
        """Whether it is still to ring."""
        return self._wake is not None

    def cancel(self) -> None:
        """It does not ring. To cancel it twice is no harm."""
        self._wake = None

    def ring(self) -> None:
        """Does what it is for, once."""
        wake, self._wake = self._wake, None
        if wake is not None:
            wake()


class Wire:
    """Gathers what is to be done until somebody `take`s it. `now` is loop time, in seconds."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._effects: list[Effect] = []
        self._alarms: list[tuple[float, int, Alarm]] = []
        self._order = itertools.count()
        self._cleared_at = _SPARE
        "How many alarms there may be before those are looked for that have been cancelled."
        self.now = 0.0

    def take(self) -> list[Effect]:
        """What has gathered."""
        effects, self._effects = self._effects, []
        return effects

    # Sending

    def request(self, request: Request, flow: Flow, hears: Hears) -> ClientTransaction | None:
        """Sends a request. A peer that stays silent has answered 408, and one without a way 503 (§8.1.3.1).

        None: it could not be sent, and `hears` is told so next.
        """
        try:
            transaction, effects = self._transactions.request(request, flow, self.now)
        except TooManyTransactions as error:
            refused = request.response(error.status)
            self.alarm(0.0, lambda: hears(refused))
            return None
        transaction.answered = hears
        self._effects += effects
        return transaction

    def failed(self, transaction: ClientTransaction, why: Why) -> None:
        """It has ended without an answer."""
        if transaction.answered is not None:
            transaction.answered(transaction.request.response(408 if why is Why.TIMEOUT else 503))

    def respond(self, transaction: ServerTransaction, response: Response) -> None:
        """Answers a request."""
        self._effects += self._transactions.respond(transaction, response, self.now)

    def cancel(self, transaction: ClientTransaction, reasons: Iterable[Reason] = ()) -> None:
        """Cancels an INVITE as soon as that may be."""
        self._effects += self._transactions.cancel(transaction, self.now, reasons)

    def acknowledge(self, ack: Request, flow: Flow) -> Effect:
        """Sends the ACK of a 2xx; the same is for `repeat` when the 2xx comes again."""
        sent = self._transactions.acknowledge(ack, flow)
        self._effects.append(sent)
        return sent

    def repeat(self, effect: Effect) -> None:
        """Does it once more."""
        self._effects.append(effect)

    # Waking

    def alarm(self, in_s: float, wake: Callable[[], None]) -> Alarm:
        """Calls `wake` in so many seconds."""
        alarm = Alarm(self.now + in_s, wake)
        heapq.heappush(self._alarms, (alarm.at, next(self._order), alarm))
        if len(self._alarms) > self._cleared_at:
            self._alarms = [each for each in self._alarms if each[2].is_set]
            heapq.heapify(self._alarms)
            self._cleared_at = 2 * len(self._alarms) + _SPARE
        return alarm

    @property
    def deadline(self) -> float | None:
        """When `ring` is to be called."""
        while self._alarms and not self._alarms[0][2].is_set:
            heapq.heappop(self._alarms)
        return self._alarms[0][0] if self._alarms else None

    def ring(self) -> None:
        """Rings all alarms that are due; what they set anew waits for the next time."""
        due: list[Alarm] = []
        while (deadline := self.deadline) is not None and deadline <= self.now:
            due.append(heapq.heappop(self._alarms)[2])
        for alarm in due:
            alarm.ring()
