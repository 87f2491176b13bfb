"""The SIP messages of a test call, in order: what the phones have sent and got, each once."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from sip.testcall.spoken import Spoken

MOST = 400
"Of one call."


@dataclass(frozen=True, slots=True)
class Message:
    """A message between a phone and the switchboard, without credentials."""

    line: str
    "The phone's."
    at_s: float
    "In seconds since the caller dialled."
    came: bool
    "To the phone; else it has sent it."
    text: str
    times: int = 1
    "How often it was sent: what nobody answers is repeated."


def messages_of(spoken: Iterable[Spoken], began: float) -> tuple[Message, ...]:
    """Those of a call that `began` then; what was sent again counts as sent once."""
    found: dict[tuple[str, bool, str], Message] = {}
    for each in sorted(spoken, key=lambda each: each.at):
        key = (each.phone, each.came, each.text)
        if (known := found.get(key)) is not None:
            found[key] = replace(known, times=known.times + 1)
        elif len(found) < MOST:
            found[key] = Message(each.phone, max(0.0, round(each.at - began, 3)), each.came, each.text)
    return tuple(found.values())


class Room:
    """For the messages of all calls of a run; the last half of it is for calls that have gone wrong."""

    def __init__(self, characters: int = 4_000_000) -> None:
        self._left = characters
        self._half = characters // 2

    def take(self, messages: tuple[Message, ...], *, is_wrong: bool) -> tuple[Message, ...]:
        """The same, or none of them where there is no room."""
        size = sum(len(message.text) for message in messages)
        if self._left - size < (0 if is_wrong else self._half):
            return ()
        self._left -= size
        return messages


_LONGEST_PACKED = 500_000
"Characters; more is not kept."
_CALLS = TypeAdapter(tuple[tuple[Message, ...], ...])


def packed(calls: Sequence[tuple[Message, ...]]) -> str | None:
    """The messages of each call of a run, to be kept; None: there are none, or too many."""
    if not any(calls):
        return None
    text = b64encode(zlib.compress(_CALLS.dump_json(tuple(calls)), 9)).decode()
    return text if len(text) <= _LONGEST_PACKED else None


def unpacked(text: str | None) -> tuple[tuple[Message, ...], ...]:
    """What was packed, call by call; of None nothing."""
    return () if text is None else _CALLS.validate_json(zlib.decompress(b64decode(text)))
