"""Which phones come, go or move all the time: a loose cable, two with one address, a NAT that forgets."""

from __future__ import annotations

from collections import OrderedDict

from sip.binding import Change, ChangeKind

_COUNTED = frozenset(
    {ChangeKind.REGISTERED, ChangeKind.MOVED, ChangeKind.UNREGISTERED, ChangeKind.EXPIRED}
)
"A binding that is displaced has another that is registered instead, and that one counts."


class Flapping:
    """Counts changes of each phone, as far as they are recent."""

    def __init__(self, changes: int = 6, window_s: float = 300.0, phones: int = 50_000) -> None:
        """`changes` within `window_s` are flapping; so much time without any is calm again.

        At most `phones` are counted at a time; of more, those that changed longest ago are forgotten.
        """
        self._changes, self._window_s, self._phones = changes, window_s, phones
        self._times: OrderedDict[tuple[str, str], list[float]] = OrderedDict()
        "When each changed last, last changed last. Longer than `changes` once it was called flapping."

    def notes(self, change: Change) -> bool:
        """Whether the phone is flapping, and this was not said yet."""
        if change.kind not in _COUNTED:
            return False
        oldest = change.at - self._window_s
        while self._times and next(iter(self._times.values()))[-1] <= oldest:
            self._times.popitem(last=False)
        phone = (change.aor, change.binding.instance or change.binding.remote.host)
        times = self._times.setdefault(phone, [])
        self._times.move_to_end(phone)
        if len(times) > self._changes:
            # It was said. As long as it goes on, only when it changed last counts.
            times[-1] = change.at
            return False
        times[:] = [*(each for each in times if each > oldest), change.at]
        if len(self._times) > self._phones:
            self._times.popitem(last=False)
        if len(times) < self._changes:
            return False
        times.append(change.at)
        return True
