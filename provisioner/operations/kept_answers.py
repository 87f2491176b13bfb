"""Answers kept in memory, so that a phone that asks again costs no look into the database.

Never a stale one (rule 2): before each look the database tells what has changed (`db.freshness`), unless it
was asked after the request had come: of requests that came together the first one asks for all. Without its
word an answer is given only where the database can't be asked either, and says so in the trace.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from db.changes import ALL
from db.freshness import Watcher
from phone_templates.yealink.files import FileKind, FileName
from provisioner.operations.asking import Answer

_OVERHEAD = 1000
"Bytes that an entry costs beside its content, about."

Key = tuple[str | None, FileKind, int | None]
"The token or the MAC of the certificate, the kind of file, and the number of a model file."


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer, and what it is good for."""

    answer: Answer
    firmware: str | None
    "That the phone is known to have; one that says another is decided anew."


class KeptAnswers:
    """The files of phones as they went out last, those asked for least recently forgotten first."""

    def __init__(self, watcher: Watcher, limit_bytes: int) -> None:
        self._watcher = watcher
        self._limit = limit_bytes
        self._size = 0
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._of_device: defaultdict[int | None, set[Key]] = defaultdict(set)
        self._moment = 0
        self._heard_at = -math.inf
        "By the monotonic clock: whatever was acknowledged before is known."
        self._listeners: list[Callable[[Sequence[str]], None]] = []

    def on_news(self, hear: Callable[[Sequence[str]], None]) -> None:
        """Has `hear` told the scopes of every change, before anything is answered that came after it."""
        self._listeners.append(hear)

    @property
    def trusts(self) -> bool:
        """Whether what `find` gives is what the database would give."""
        return self._watcher.trusts

    @property
    def moment(self) -> int:
        """When news were heard last: a look into the database that begins now is of then or later.

        `keep` wants it back.
        """
        return self._moment

    def find(self, authority: str | None, name: FileName, received_at: float = math.inf) -> Kept | None:
        """What is kept for the file under the token, or with the certificate.

        `received_at`: when the request had come, by the monotonic clock; it may be said later, not earlier.
        """
        if received_at >= self._heard_at:
            asked_at = time.monotonic()
            self._hear()
            self._heard_at = asked_at
        key = _key(authority, name)
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        return kept

    def keep(self, moment: int, authority: str | None, name: FileName, kept: Kept) -> None:
        """Keeps an answer that was read from the database after `moment`, unless anything was heard since."""
        if moment != self._moment:
            # It may have been read before the change. What nobody has heard yet is heard by the next `find`.
            return
        key = _key(authority, name)
        self._drop(key)
        self._kept[key] = kept
        self._of_device[kept.answer.device_id].add(key)
        self._size += _size(kept)
        while self._size > self._limit:
            self._drop(next(iter(self._kept)))

    def _hear(self) -> None:
        scopes = self._watcher.news()
        if not scopes:
            return
        self._moment += 1
        for hear in self._listeners:
            hear(scopes)
        for scope in scopes:
            kind, _, number = scope.partition(":")
            if kind == "device":
                self._forget(int(number))
            elif kind == "models":
                self._forget(None)
            elif scope == ALL:
                self._kept.clear()
                self._of_device.clear()
                self._size = 0

    def _forget(self, device_id: int | None) -> None:
        for key in list(self._of_device.get(device_id, ())):
            self._drop(key)

    def _drop(self, key: Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is None:
            return
        self._size -= _size(kept)
        keys = self._of_device[kept.answer.device_id]
        keys.discard(key)
        if not keys:
            del self._of_device[kept.answer.device_id]


def _key(authority: str | None, name: FileName) -> Key:
    return (authority, name.kind, name.cfg_number)


def _size(kept: Kept) -> int:
    return len(kept.answer.content or b"") + _OVERHEAD
