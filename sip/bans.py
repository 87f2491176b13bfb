"""Sources that guess passwords or users are answered less and less, and then not at all.

A source is an IPv4 address, or an IPv6 network of 64 bits. What it does wrong costs points, which it loses
again with time:

- Each user whose password was wrong, or who asked to log in and didn't, costs little as long as it is one of
  the first few on its flow, for a phone has a few accounts; and a whole point after that, for no phone tries
  dozens of users. So a site of hundreds of phones with wrong passwords takes long, and a scanner does not.
- The same user again costs nothing as often as a phone tries, and a point each time beyond that.
- Each user who has logged in from there lately lets the source have a point more.

Who says that it is a scanner is taken at its word: its flow is banned at once, and its source after a few.
Unknown users count as wrong passwords do, or bans would tell who exists. A stale nonce is no failure.

A flow by which somebody has logged in is never held back; others of its source are. Datagrams can be sent in
somebody else's name, so those that have no nonce of ours can get nobody's phones locked out: where users have
logged in lately, they only slow down each flow of the source, and have the very one banned that they came by.

Sans-I/O: `now` is loop time, in seconds.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from sip.transport.flow import Address, Flow
from sip.transport.proven import Proven
from sip.transport.sources import source_of

_SCANNERS = ("friendly-scanner", "sipvicious", "sundayddr", "sip-scan", "pplsip")
"How programs call themselves that look for servers to break into, as long as nobody tells them not to."
_SCANS = 4
"Runs of one, after which its whole source is banned."

K = TypeVar("K")
V = TypeVar("V")


class Verdict(Enum):
    """What a flow gets that has not proved itself."""

    FREE = "free"
    SLOWED = "slowed"
    "A few of its messages a second are looked at."
    BANNED = "banned"
    "Nothing: no answer, and no connection."


@dataclass(frozen=True, slots=True)
class BanLimits:
    """What is borne, and what follows."""

    points: float = 20.0
    "With so many a source is banned, and with half of them slowed."
    forgiven_s: float = 3600.0
    "In which so many points are lost again."
    ban_s: float = 3600.0
    "The first ban of a source; each further one is twice as long."
    longest_s: float = 24 * 3600.0
    slowed_to: int = 2
    "Messages a second of each flow of a slowed source: as many as a phone logs in with."
    accounts: int = 3
    "Users that one flow may fail with cheaply."
    cheap: float = 0.05
    "Points of each of these."
    tries: int = 10
    "How often one user may fail in a row; as often again in `tries_s`."
    tries_s: float = 100.0
    patience_s: float = 5.0
    "How long who was asked for credentials may take to bring them."
    sources: int = 10_000
    "That something is remembered of."
    flows: int = 20_000
    "By which somebody failed."
    users: int = 50_000
    "Who failed, or were asked for credentials and have not brought them yet."
    good_users: int = 512
    "Of one source, in `good_s`."
    good_s: float = 24 * 3600.0
    "How long a log-in counts."


@dataclass(frozen=True, slots=True)
class Ban:
    """What is held back."""

    who: str
    "A source, or one peer of it as `HOST:PORT`."
    source: str
    since: float
    until: float
    times: int
    "How many bans it has had lately, this one included."


@dataclass(slots=True)
class _Source:
    """What one source has done lately."""

    points: float = 0.0
    backed: float = 0.0
    "Those of them that nobody else can have caused."
    at: float = 0.0
    "When the points were right."
    times: int = 0
    good: OrderedDict[str, float] = field(default_factory=OrderedDict)
    "When who has logged in, the longest ago first."


class Bans:
    """What one process knows."""

    def __init__(
        self,
        proven: Proven,
        limits: BanLimits | None = None,
        is_spared: Callable[[str], bool] = lambda source: False,
    ) -> None:
        """`is_spared`: sources that are never held back."""
        self._proven = proven
        self._limits = limits or BanLimits()
        self._is_spared = is_spared
        self._sources: OrderedDict[str, _Source] = OrderedDict()
        "The one of which nothing was heard for longest first."
        self._bans: OrderedDict[str, Ban] = OrderedDict()
        self._slowed: OrderedDict[str, float] = OrderedDict()
        "Until when."
        self._users_of: OrderedDict[Flow, set[str]] = OrderedDict()
        "Who failed, by flow."
        self._tries: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()
        "Of each source and user who failed: how many tries were left, and when."
        self._asked: OrderedDict[tuple[Flow, str], float] = OrderedDict()
        "Since when credentials are waited for."
        self._second = 0
        self._admitted: dict[Address, int] = {}
        "Messages of each flow of a slowed source in this second."

    # What happens

    def asked(self, flow: Flow, user: str, now: float, agent: str | None = None) -> Ban | None:
        """`user` was asked for credentials; `timer` says later what it means that none came.

        `agent`: User-Agent. Returns the ban of one that is known for nothing but scanning.
        """
        if self._proven.has_proved(flow, now):
            return None
        if agent is not None and agent.lower().startswith(_SCANNERS):
            return self._scans(flow, now)
        if (flow, user) not in self._asked:
            _put(self._asked, (flow, user), now, self._limits.users)
        return None

    def failed(self, flow: Flow, user: str, now: float, *, has_nonce: bool) -> Ban | None:
        """Credentials of `user` were refused; the ban that follows, if one does.

        `has_nonce`: they were made with a nonce that this source has from us.
        """
        self._asked.pop((flow, user), None)
        return self._charge(flow, user, now, is_backed=has_nonce or flow.transport.is_reliable)

    def succeeded(self, flow: Flow, user: str, now: float) -> None:
        """`user` has logged in by `flow`, which is proven by now."""
        self._asked.pop((flow, user), None)
        self._users_of.pop(flow, None)
        name = source_of(flow.remote.host)
        self._tries.pop((name, user), None)
        _put(self._source(name).good, user, now, self._limits.good_users)

    def timer(self, now: float) -> list[Ban]:
        """Counts who brought no credentials in time; returns the bans that follow. Called every second."""
        bans = []
        while self._asked:
            (flow, user), since = next(iter(self._asked.items()))
            if since + self._limits.patience_s > now:
                break
            del self._asked[flow, user]
            if not self._proven.has_proved(flow, now):
                ban = self._charge(flow, user, now, is_backed=flow.transport.is_reliable)
                if ban is not None:
                    bans.append(ban)
        return bans

    # What is known

    def of(self, flow: Flow, now: float) -> Verdict:
        """What `flow` gets."""
        return Verdict.FREE if self._proven.has_proved(flow, now) else self.of_remote(flow.remote, now)

    def of_remote(self, remote: Address, now: float) -> Verdict:
        """What a peer gets who has not proved itself."""
        # Mostly nobody is held back: then nothing is computed.
        if not self._bans and not self._slowed:
            return Verdict.FREE
        source = source_of(remote.host)
        for who in (source, str(remote)):
            if (ban := self._bans.get(who)) is not None and now < ban.until:
                return Verdict.BANNED
        return Verdict.SLOWED if self._slowed.get(source, now) > now else Verdict.FREE

    def admits(self, remote: Address, now: float) -> bool:
        """Whether one more message of a peer who has not proved itself is looked at."""
        verdict = self.of_remote(remote, now)
        if verdict is not Verdict.SLOWED:
            return verdict is Verdict.FREE
        if self._second != int(now):
            self._second = int(now)
            self._admitted.clear()
        # Of each flow, or whoever sends in the name of a site would use up what its own phones may send.
        count = self._admitted.get(remote, 0)
        if count >= self._limits.slowed_to or (not count and len(self._admitted) >= self._limits.flows):
            return False
        self._admitted[remote] = count + 1
        return True

    def listed(self, now: float) -> list[Ban]:
        """All bans that hold, the newest first."""
        return sorted((ban for ban in self._bans.values() if now < ban.until), key=lambda ban: -ban.since)

    def lift(self, who: str) -> bool:
        """Forgets all about a source, or the ban of one peer; False: there was nothing to forget."""
        banned = [each for each, ban in self._bans.items() if who in (each, ban.source)]
        for each in banned:
            del self._bans[each]
        is_known = self._sources.pop(who, None) is not None
        self._slowed.pop(who, None)
        return bool(banned) or is_known

    # Within

    def _charge(self, flow: Flow, user: str, now: float, *, is_backed: bool) -> Ban | None:
        cost = self._cost(source_of(flow.remote.host), flow, user, now)
        return self._add(flow, cost, now, is_backed=is_backed)

    def _scans(self, flow: Flow, now: float) -> Ban | None:
        if self._is_spared(source_of(flow.remote.host)):
            return None
        cost = self._limits.points / _SCANS
        ban = self._add(flow, cost, now, is_backed=flow.transport.is_reliable)
        return ban or self._ban(str(flow.remote), source_of(flow.remote.host), 1, now)

    def _add(self, flow: Flow, cost: float, now: float, *, is_backed: bool) -> Ban | None:
        name = source_of(flow.remote.host)
        if self._is_spared(name):
            return None
        limits, source = self._limits, self._source(name)
        while source.good and next(iter(source.good.values())) + limits.good_s <= now:
            source.good.popitem(last=False)
        lost = (now - source.at) * limits.points / limits.forgiven_s
        source.at = now
        source.points = max(0.0, source.points - lost) + cost
        source.backed = max(0.0, source.backed - lost) + (cost if is_backed else 0.0)
        most = limits.points + len(source.good)
        # What was before this process began is known of flows alone.
        is_home = bool(source.good) or self._proven.is_proven_source(flow.remote.host, now)
        if source.backed >= most or (source.points >= most and not is_home):
            source.points = source.backed = 0.0
            source.times += 1
            return self._ban(name, name, source.times, now)
        if source.points >= most / 2:
            _put(self._slowed, name, now + limits.forgiven_s / 2, limits.sources)
        if source.points >= most and not self._proven.has_proved(flow, now):
            source.points = most / 2
            return self._ban(str(flow.remote), source_of(flow.remote.host), 1, now)
        return None

    def _cost(self, name: str, flow: Flow, user: str, now: float) -> float:
        limits = self._limits
        left, at = self._tries.get((name, user), (float(limits.tries), now))
        left = min(float(limits.tries), left + (now - at) * limits.tries / limits.tries_s)
        _put(self._tries, (name, user), (max(0.0, left - 1), now), limits.users)
        users = self._users_of.get(flow, set())
        _put(self._users_of, flow, users, limits.flows)
        is_new = user not in users
        if is_new and len(users) >= limits.accounts:
            # One more than any phone has; which it was need not be remembered.
            return 1.0
        users.add(user)
        if left < 1:
            return 1.0
        return limits.cheap if is_new else 0.0

    def _ban(self, who: str, source: str, times: int, now: float) -> Ban | None:
        before = self._bans.get(who)
        if before is not None and now < before.until:
            return None
        lasting_s = min(self._limits.longest_s, self._limits.ban_s * 2 ** min(times - 1, 20))
        ban = Ban(who, source, now, now + lasting_s, times)
        _put(self._bans, who, ban, self._limits.sources)
        return ban

    def _source(self, name: str) -> _Source:
        source = self._sources.get(name)
        if source is None:
            source = _Source()
            _put(self._sources, name, source, self._limits.sources)
        else:
            self._sources.move_to_end(name)
        return source


def _put(table: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    """As the newest; the oldest goes where there are too many."""
    table[key] = value
    table.move_to_end(key)
    if len(table) > most:
        table.popitem(last=False)
