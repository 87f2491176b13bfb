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
from sip.transport.flow import Address, Flow, Transport
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
    "Of these, in a flood, to what can't be served: the rest is for phones at the same address."
    calm: int = 30
    "Requests of one source in a second; more are a flood."
    sources: int = 20_000
    "That are answered in any second."


class Proven:
    """What is known of one process's peers."""

    def __init__(self, limits: ProvenLimits | None = None) -> None:
        self._limits = limits or ProvenLimits()
        self._remotes: OrderedDict[tuple[str, int], float] = OrderedDict()
        "When each proof of a UDP flow ends, the oldest first."
        self._connections: WeakSet[Flow] = WeakSet()
        self._sources: OrderedDict[str, float] = OrderedDict()
        "The same of their sources."
        self._asking: OrderedDict[str, _Asking] = OrderedDict()
        "Sources that have not proved themselves; the one that asked longest ago first."

    def note(self, flow: Flow, now: float) -> None:
        """Somebody has logged in by `flow`."""
        until = now + self._limits.lifetime_s
        if flow.transport.is_reliable:
            self._connections.add(flow)
        else:
            _put(self._remotes, flow.remote, until, self._limits.flows)
        _put(self._sources, source_of(flow.remote.host), until, self._limits.flows)

    def restore(self, transport: Transport, remote: Address, at: float) -> None:
        """Somebody has logged in from `remote` at that time, as an earlier process of ours has stored it."""
        until = at + self._limits.lifetime_s
        if not transport.is_reliable:
            _put(self._remotes, remote, until, self._limits.flows)
        _put(self._sources, source_of(remote.host), until, self._limits.flows)

    def has_proved(self, flow: Flow, now: float) -> bool:
        """Whether somebody has logged in by `flow` lately."""
        if flow.transport.is_reliable:
            return flow in self._connections
        return self.is_proven(flow.remote, now)

    def is_proven(self, remote: tuple[str, int], now: float) -> bool:
        """The same of UDP flows with this peer; `remote` is an `Address`, or equal to one."""
        return self._remotes.get(remote, now) > now

    def is_proven_source(self, host: str, now: float) -> bool:
        """Whether anybody has logged in from this address lately, or for IPv6 from its /64 network."""
        return self._sources.get(source_of(host), now) > now

    def includes(self, flow: Flow, now: float) -> bool:
        """Whether answers by `flow` reach nobody but who asked: a connection says so by being there."""
        return flow.transport.is_reliable or self.is_proven(flow.remote, now)

    def answer(self, flow: Flow, asked_bytes: int, response: Response, now: float) -> bytes | None:
        """`response` as it may be sent, shortened if need be, and counted; None: not at all.

        `asked_bytes`: length of the datagram that is answered.
        """
        if self.includes(flow, now):
            return bytes(response)
        data = _shortened(response, int(asked_bytes * self._limits.factor))
        if data is None or self.is_proven_source(flow.remote.host, now):
            return data
        refuses = response.status >= 300 and response.status not in (401, 407)
        return data if self._counts(source_of(flow.remote.host), now, refuses) else None

    def _counts(self, name: str, now: float, refuses: bool) -> bool:
        source = self._asking.get(name)
        if source is None:
            self._forget(now)
            if len(self._asking) >= self._limits.sources:
                return False
            source = self._asking[name] = _Asking(self._limits.calm)
        self._asking.move_to_end(name)
        asked, answered = source.asked, source.answered
        asked.append(now)
        while answered and answered[0][0] <= now - 1:
            answered.popleft()
        if len(answered) >= self._limits.answers:
            return False
        is_calm = len(asked) <= self._limits.calm or asked[0] <= now - 1
        if refuses and not is_calm and sum(refused for _, refused in answered) >= self._limits.refusals:
            return False
        answered.append((now, refuses))
        return True

    def _forget(self, now: float) -> None:
        while self._asking:
            name, source = next(iter(self._asking.items()))
            if source.asked[-1] > now - 1:
                return
            del self._asking[name]


class _Asking:
    """What a source that has not proved itself asks."""

    __slots__ = ("answered", "asked")

    def __init__(self, calm: int) -> None:
        self.asked: deque[float] = deque(maxlen=calm + 1)
        "When it asked last."
        self.answered: deque[tuple[float, bool]] = deque()
        "When it was answered in the last second, and whether it was refused something."


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


_CHALLENGE = "WWW-Authenticate"


def _shortened(response: Response, most: int) -> bytes | None:
    """What says the same in at most so many bytes, and leaves out the least; None: nothing does."""
    data = bytes(response)
    if len(data) > most:
        short = Response(response.status, "", response.headers.copy(*_NEEDED))
        data = bytes(short)
        # Of several challenges the last is the one that everybody knows (RFC 8760 §2.4).
        challenges = short.headers.all(_CHALLENGE)
        if len(data) > most and len(challenges) > 1:
            short.headers.set(_CHALLENGE, challenges[-1])
            data = bytes(short)
    return data if len(data) <= most else None


def _put(table: OrderedDict[K, float], key: K, until: float, most: int) -> None:
    table[key] = until
    table.move_to_end(key)
    if len(table) > most:
        table.popitem(last=False)
