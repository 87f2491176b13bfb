"""The SIP messages of a test call, in order: what the phones have sent and got, each once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

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
