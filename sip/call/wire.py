"""The hands of all legs: what they send, whom they wait for, and when they want to be woken."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable
from typing import TypeAlias

from sip.message.message import Request, Response
from sip.message.uri import SipUri
from sip.message.values import Reason
from sip.transaction.effects import Acknowledged, Answered, Cancelled, Effect, Failed, Why
from sip.transaction.errors import TooLarge, TooManyTransactions
from sip.transaction.machine import ClientTransaction, ServerTransaction
from sip.transaction.transactions import Transactions
from sip.transport.flow import Flow

Hears: TypeAlias = Callable[[Response], None]
"Is told each answer to a request, never before the request has been sent."


class Held:
    """A request that is too large for a datagram, until it is known by which flow it goes (§18.1.1)."""

    __slots__ = ("flow", "hears", "is_given_up", "request", "sent", "size")

    def __init__(self, request: Request, flow: Flow, size: int, hears: Hears) -> None:
        self.request = request
        self.flow = flow
        "By which it would go if it were smaller, and goes where there is no connection."
        self.size = size
        "In bytes."
        self.hears = hears
        self.is_given_up = False
        self.sent: Sent | None = None


Sent: TypeAlias = ClientTransaction | Held | None
"None: it could not be sent."

Fit: TypeAlias = Callable[[Held], None]
"Finds out by which flow it goes, and says so by `Calls.send`, but not at once."

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

    def __init__(self, transactions: Transactions, fit: Fit | None = None) -> None:
        """`fit`: None where nothing is too large."""
        self._transactions = transactions
        self._fit = fit
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

    def request(self, request: Request, flow: Flow, hears: Hears) -> Sent:
        """Sends a request. A peer that stays silent has answered 408, and one without a way 503 (§8.1.3.1).

        Where it could not be sent `hears` is told so next.
        """
        if self._fit is None or not _is_direct(request, flow):
            return self._request(request, flow, hears)
        try:
            return self._request(request, flow, hears, unless_large=True)
        except TooLarge as error:
            held = Held(request, flow, error.size, hears)
            self._fit(held)
            return held

    def send(self, held: Held, flow: Flow) -> None:
        """Sends by `flow` what was held back."""
        if not held.is_given_up and held.sent is None:
            held.sent = self._request(held.request, flow, held.hears)

    def _request(
        self, request: Request, flow: Flow, hears: Hears, *, unless_large: bool = False
    ) -> ClientTransaction | None:
        try:
            transaction, effects = self._transactions.request(
                request, flow, self.now, unless_large=unless_large
            )
        except TooManyTransactions as error:
            self._tell(request, error.status, hears)
            return None
        transaction.answered = hears
        self._effects += effects
        return transaction

    def _tell(self, request: Request, status: int, hears: Hears) -> None:
        """As if the peer had said so."""
        response = request.response(status)
        self.alarm(0.0, lambda: hears(response))

    def respond(self, transaction: ServerTransaction, response: Response) -> None:
        """Answers a request."""
        self._effects += self._transactions.respond(transaction, response, self.now)

    def cancel(self, invite: ClientTransaction | Held, reasons: Iterable[Reason] = ()) -> None:
        """Cancels an INVITE as soon as that may be."""
        sent = invite.sent if isinstance(invite, Held) else invite
        if isinstance(sent, ClientTransaction):
            self._effects += self._transactions.cancel(sent, self.now, reasons)
        elif isinstance(invite, Held) and not invite.is_given_up:
            invite.is_given_up = True
            self._tell(invite.request, 487, invite.hears)

    def acknowledge(self, ack: Request, flow: Flow) -> Effect:
        """Sends the ACK of a 2xx; the same is for `repeat` when the 2xx comes again."""
        sent = self._transactions.acknowledge(ack, flow)
        self._effects.append(sent)
        return sent

    def repeat(self, effect: Effect) -> None:
        """Does it once more."""
        self._effects.append(effect)

    # Hearing

    def hear(self, effect: Effect, acknowledged: Callable[[Request], None]) -> None:
        """Tells whom it is about what the transactions say; `acknowledged` is told the ACK of a 2xx."""
        match effect:
            case Answered(transaction, response) if transaction.answered is not None:
                transaction.answered(response)
            case Failed(ClientTransaction() as transaction, why) if transaction.answered is not None:
                transaction.answered(transaction.request.response(408 if why is Why.TIMEOUT else 503))
            case Failed(ServerTransaction() as transaction) if transaction.failed is not None:
                transaction.failed()
            case Cancelled(transaction, cancel) if transaction.cancelled is not None:
                transaction.cancelled(cancel)
            case Acknowledged(request):
                acknowledged(request)

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


def _is_direct(request: Request, flow: Flow) -> bool:
    """Whether the peer is where it says that it is: behind a NAT it takes no connection."""
    uri = request.uri
    return isinstance(uri, SipUri) and uri.host.strip("[]") == flow.remote.host
