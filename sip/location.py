"""The location service: where the phones of each AOR are, as far as this process knows (RFC 3261 §10).

It decides nothing. What a registrar has decided, and somebody has stored, is applied here, told to who
watches, and found by who has a request for an AOR. Whether a phone can be reached is another matter than
whether it is registered, and is kept beside it. All times are loop time, in seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from sip.binding import ENDS, Binding, Change, ChangeKind, Key
from sip.flapping import Flapping
from sip.watch import Watch

_SPARE = 1_000
"Deadlines that may have become idle before they are cleared."


@dataclass(frozen=True, slots=True)
class Reachability:
    """Whether a phone answers, and how that is known."""

    heard_at: float
    "When anything came from it last."
    is_reachable: bool | None = None
    "None: it was not asked since it came or moved."
    rtt_s: float | None = None
    "How long its last answer took."
    unanswered: int = 0
    "How many requests it has left unanswered since it answered last."


@dataclass(frozen=True, slots=True)
class Registered:
    """A binding, and what is known of its phone."""

    aor: str
    binding: Binding
    reachability: Reachability


class _Held:
    """A binding in memory."""

    __slots__ = ("binding", "heard_at", "is_reachable", "rtt_s", "unanswered")

    def __init__(self, binding: Binding, reachability: Reachability | None = None) -> None:
        self.binding = binding
        self.heard_at = binding.refreshed_at if reachability is None else reachability.heard_at
        self.is_reachable = None if reachability is None else reachability.is_reachable
        self.rtt_s = None if reachability is None else reachability.rtt_s
        self.unanswered = 0 if reachability is None else reachability.unanswered

    def registered(self, aor: str) -> Registered:
        known = Reachability(self.heard_at, self.is_reachable, self.rtt_s, self.unanswered)
        return Registered(aor, self.binding, known)


class _Line:
    """The bindings of one AOR."""

    __slots__ = ("due", "held")

    def __init__(self) -> None:
        self.held: tuple[_Held, ...] = ()
        self.due = float("inf")
        "When to look for lapsed ones: not later than the first lapses."


class Location:
    """The bindings of all AORs. An AOR is named by its key: the number of its line."""

    def __init__(self, unanswered: int = 3, flapping: Flapping | None = None) -> None:
        """After `unanswered` requests without an answer a phone counts as out of reach."""
        self._unanswered = unanswered
        self._flapping = flapping or Flapping()
        self._lines: dict[str, _Line] = {}
        self._deadlines: list[tuple[float, str]] = []
        self._watches: dict[str | None, list[Watch]] = {}
        self._count = 0

    def __len__(self) -> int:
        """How many bindings there are, lapsed ones included that `expire` hasn't met yet."""
        return self._count

    # Asking

    def bindings(self, aor: str, now: float) -> tuple[Binding, ...]:
        """Where `aor` is, oldest first. A binding that has lapsed is never among them."""
        line = self._lines.get(aor)
        if line is None:
            return ()
        return tuple([held.binding for held in line.held if held.binding.expires_at > now])

    def registered(self, aor: str, now: float) -> tuple[Registered, ...]:
        """`bindings`, with what is known of their phones."""
        line = self._lines.get(aor)
        return () if line is None else tuple(_registered(aor, line, now))

    def dead(self, aor: str) -> Collection[Key]:
        """The bindings of `aor` whose phones are out of reach."""
        line = self._lines.get(aor)
        if line is None:
            return ()
        return [held.binding.key for held in line.held if held.is_reachable is False]

    def snapshot(self, now: float) -> list[Registered]:
        """All that is registered. Who watches and then takes it misses nothing."""
        return [each for aor, line in self._lines.items() for each in _registered(aor, line, now)]

    # Changing

    def restore(self, known: Iterable[Registered]) -> None:
        """Takes over what was stored, before anything is applied. It is told to nobody: nothing happened.

        What has lapsed meanwhile comes out of `expire`, as if it had been here.
        """
        for each in known:
            self._put(each.aor, _Held(each.binding, each.reachability), None)

    def apply(self, changes: Iterable[Change]) -> list[Change]:
        """Does what a registrar decided, in order. Returns what follows from it: what is flapping now."""
        followed: list[Change] = []
        for change in changes:
            aor, binding = change.aor, change.binding
            match change.kind:
                case ChangeKind.REGISTERED | ChangeKind.MOVED:
                    self._put(aor, _Held(binding), change.before)
                case ChangeKind.REFRESHED:
                    self._refresh(aor, binding)
                case kind if kind in ENDS and not self._drop(aor, binding.key):
                    # It has lapsed while its end was being stored, and that was told.
                    continue
            self._tell(change)
            if self._flapping.notes(change):
                followed.append(Change(ChangeKind.FLAPPING, aor, binding, change.at))
                self._tell(followed[-1])
        return followed

    def expire(self, now: float, most: int = 1_000) -> list[Change]:
        """Drops what has lapsed, and tells of it; of about `most` AORs, so that nobody waits long.

        There is more to do at once if `deadline` is still not after `now`.
        """
        changes: list[Change] = []
        while most > 0 and self._deadlines and self._deadlines[0][0] <= now:
            due, aor = heappop(self._deadlines)
            line = self._lines.get(aor)
            if line is None or line.due != due:
                continue
            most -= 1
            line.due = float("inf")
            for binding in [held.binding for held in line.held]:
                if binding.expires_at > now:
                    self._wake(aor, line, binding.expires_at)
                else:
                    expired = Change(ChangeKind.EXPIRED, aor, binding, now)
                    changes += [expired, *self.apply([expired])]
        return changes

    @property
    def deadline(self) -> float | None:
        """When `expire` is to be called."""
        return self._deadlines[0][0] if self._deadlines else None

    # Reachability

    def heard(self, aor: str, key: Key, now: float, rtt_s: float | None = None) -> list[Change]:
        """Something came from a phone. `rtt_s`: it answered a request, so that it can be reached.

        Returns that it is reachable, where it was not, or not known to be.
        """
        held = self._find(aor, key)
        if held is None:
            return []
        held.heard_at = now
        if rtt_s is None:
            return []
        held.rtt_s, held.unanswered = rtt_s, 0
        if held.is_reachable:
            return []
        held.is_reachable = True
        return self._told(Change(ChangeKind.REACHABLE, aor, held.binding, now, rtt_s=rtt_s))

    def unanswered(self, aor: str, key: Key, now: float, *, is_lost: bool = False) -> list[Change]:
        """A phone has left a request unanswered. `is_lost`: its connection is gone, so that it can't answer.

        Returns that it is out of reach, if that is new.
        """
        held = self._find(aor, key)
        if held is None:
            return []
        held.unanswered += 1
        if held.is_reachable is False or (held.unanswered < self._unanswered and not is_lost):
            return []
        held.is_reachable = False
        return self._told(Change(ChangeKind.UNREACHABLE, aor, held.binding, now))

    # Watching

    def subscribe(
        self,
        aor: str | None,
        wake: Callable[[], None],
        kinds: Collection[ChangeKind] = frozenset(ChangeKind),
        pending: int = 1_000,
    ) -> Watch:
        """Tells of changes of `kinds` from now on: of `aor`, or of all (None). To be closed after use.

        `wake` is called when there is something to take where nothing was; it must return at once. Of more
        than `pending` changes that nobody takes the oldest are lost, and counted.
        """
        watch = Watch(wake, kinds, pending, lambda: self._unsubscribe(aor, watch))
        self._watches.setdefault(aor, []).append(watch)
        return watch

    def _unsubscribe(self, aor: str | None, watch: Watch) -> None:
        watches = self._watches.get(aor, [])
        if watch in watches:
            watches.remove(watch)
        if not watches:
            self._watches.pop(aor, None)

    def _told(self, change: Change) -> list[Change]:
        self._tell(change)
        return [change]

    def _tell(self, change: Change) -> None:
        for aor in (change.aor, None):
            for watch in self._watches.get(aor, ()):
                watch.tell(change)

    # Within

    def _find(self, aor: str, key: Key) -> _Held | None:
        line = self._lines.get(aor)
        if line is None:
            return None
        return next((held for held in line.held if held.binding.key == key), None)

    def _put(self, aor: str, new: _Held, before: Binding | None) -> None:
        """Holds `new` in the place of `before`, of what has the same key, or after all others."""
        line = self._lines.get(aor)
        if line is None:
            line = self._lines[aor] = _Line()
        keys = (new.binding.key, new.binding.key if before is None else before.key)
        at = next((i for i, held in enumerate(line.held) if held.binding.key in keys), len(line.held))
        kept = [held for held in line.held if held.binding.key not in keys]
        kept.insert(at, new)
        self._count += len(kept) - len(line.held)
        line.held = tuple(kept)
        self._wake(aor, line, new.binding.expires_at)

    def _refresh(self, aor: str, binding: Binding) -> None:
        held = self._find(aor, binding.key)
        if held is None:
            # It has lapsed while the refresh was being stored.
            self._put(aor, _Held(binding), None)
            return
        held.binding = binding
        held.heard_at = binding.refreshed_at
        self._wake(aor, self._lines[aor], binding.expires_at)

    def _drop(self, aor: str, key: Key) -> bool:
        """Whether it was there."""
        line = self._lines.get(aor)
        if line is None:
            return False
        kept = tuple([held for held in line.held if held.binding.key != key])
        was_there = len(kept) < len(line.held)
        self._count += len(kept) - len(line.held)
        line.held = kept
        if not kept:
            # Its deadline stays in the heap, and says nothing any more.
            del self._lines[aor]
        return was_there

    def _wake(self, aor: str, line: _Line, due: float) -> None:
        """Sees to it that `expire` looks at `line` at `due` or before."""
        if due >= line.due:
            # It is looked at before, and given its next deadline then: a refresh costs no deadline.
            return
        line.due = due
        heappush(self._deadlines, (due, aor))
        if len(self._deadlines) > 2 * len(self._lines) + _SPARE:
            self._deadlines = [(each.due, aor) for aor, each in self._lines.items()]
            heapify(self._deadlines)


def _registered(aor: str, line: _Line, now: float) -> list[Registered]:
    return [held.registered(aor) for held in line.held if held.binding.expires_at > now]
