"""Who has shown that it is where its datagrams say, and how much others are answered.

Anybody can send a datagram in somebody else's name, and have our answer go to them. Whoever has logged in has
received a nonce there, so it is no victim; others get little more than they have sent, and not often.
Sans-I/O: `now` is loop time, in seconds.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TypeVar
from weakref import WeakSet

from sip.message.message import Response
from sip.transport.flow import Address, Flow
from sip.transport.sources import source_of

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class ProvenLimits:
    """How long a proof holds, and what goes without one."""

    lifetime_s: float = 2 * 3600.0
    "Of a proof; a phone that registers proves itself anew each time."
    flows: int = 250_000
    "Proofs that are remembered; the oldest are forgotten."
    factor: float = 2.0
    "The most bytes of an answer for each byte of its request."
    answers: int = 20
    "To one source, in any second."
    refusals: int = 15
    "Of these, to what can't even be read: the rest is for phones at the same address."
    sources: int = 20_000
    "That are answered in any second."


class Proven:
    """What is known of one process's peers."""

    def __init__(self, limits: ProvenLimits | None = None) -> None:
        self._limits = limits or ProvenLimits()
        self._remotes: OrderedDict[Address, float] = OrderedDict()
        "When each proof of a UDP flow ends, the oldest first."
        self._connections: WeakSet[Flow] = WeakSet()
        self._sources: OrderedDict[str, float] = OrderedDict()
        "The same of their sources."
        self._answered: OrderedDict[str, deque[tuple[float, bool]]] = OrderedDict()
        "When each source was answered lately, and whether with a refusal; the longest ago first."

    def note(self, flow: Flow, now: float) -> None:
        """Somebody has logged in by `flow`."""
        until = now + self._limits.lifetime_s
        if flow.transport.is_reliable:
            self._connections.add(flow)
        else:
            _put(self._remotes, flow.remote, until, self._limits.flows)
        _put(self._sources, source_of(flow.remote.host), until, self._limits.flows)

    def has_proved(self, flow: Flow, now: float) -> bool:
        """Whether somebody has logged in by `flow` lately."""
        if flow.transport.is_reliable:
            return flow in self._connections
        return self.is_proven(flow.remote, now)

    def is_proven(self, remote: Address, now: float) -> bool:
        """The same of UDP flows with this peer."""
        return self._remotes.get(remote, now) > now

    def is_proven_source(self, host: str, now: float) -> bool:
        """Whether anybody has logged in from this address lately, or for IPv6 from its /64 network."""
        return self._sources.get(source_of(host), now) > now

    def includes(self, flow: Flow, now: float) -> bool:
        """Whether answers by `flow` reach nobody but who asked: a connection says so by being there."""
        return flow.transport.is_reliable or self.is_proven(flow.remote, now)

    def allows(
        self, flow: Flow, asked_bytes: int, answer_bytes: int, now: float, *, refuses: bool = False
    ) -> bool:
        """Whether an answer of this length may be sent; it is counted if so.

        `asked_bytes`: length of the datagram that is answered. `refuses`: it could not be read.
        """
        if self.includes(flow, now):
            return True
        if answer_bytes > asked_bytes * self._limits.factor:
            return False
        return self.is_proven_source(flow.remote.host, now) or self._counts(
            source_of(flow.remote.host), now, refuses
        )

    def _counts(self, source: str, now: float, refuses: bool) -> bool:
        answered = self._answered.get(source)
        if answered is None:
            self._forget(now)
            if len(self._answered) >= self._limits.sources:
                return False
            answered = self._answered[source] = deque()
        while answered and answered[0][0] <= now - 1:
            answered.popleft()
        if len(answered) >= self._limits.answers:
            return False
        if refuses and sum(refused for _, refused in answered) >= self._limits.refusals:
            return False
        answered.append((now, refuses))
        self._answered.move_to_end(source)
        return True

    def _forget(self, now: float) -> None:
        while self._answered:
            source, answered = next(iter(self._answered.items()))
            if answered and answered[-1][0] > now - 1:
                return
            del self._answered[source]


_NEEDED = (
    "Via",
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "Unsupported",
    "Min-Expires",
    "Retry-After",
    "Contact",
)
"What a response means nothing without."


def shortened(response: Response) -> Response:
    """A response that says no more than it must."""
    return Response(response.status, "", response.headers.copy(*_NEEDED))


def _put(table: OrderedDict[K, float], key: K, until: float, most: int) -> None:
    table[key] = until
    table.move_to_end(key)
    if len(table) > most:
        table.popitem(last=False)
