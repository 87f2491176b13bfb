"""The SIP ladder of a test call: each message as an arrow between a phone and the switchboard, in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from provisioner.operations.messages import Message
from provisioner.operations.printable import printable
from provisioner.operations.proofs import ProvedCall
from provisioner.web.call_report.meanings import Meaning, read
from provisioner.web.call_report.sentences import Sentences
from provisioner.web.call_report.words import Words

_SERVER = ""
"As a column: no phone is called so."
_MOST_NAMED = 4
"More columns than these have no room for names."
_MOST_PLAIN = 8
"More are wider than a page, and scrolled."
_NARROW_NAME = 6
_BAD = frozenset(
    {Meaning.NO_SUCH_NUMBER, Meaning.NOBODY, Meaning.BUSY, Meaning.DECLINED, Meaning.REFUSED}
)


@dataclass(frozen=True, slots=True)
class Column:
    """The switchboard or a phone: a line from the top to the bottom."""

    x: str
    name: str
    short_name: str
    "Where there is little room."


@dataclass(frozen=True, slots=True)
class Arrow:
    """A message."""

    at: str
    from_x: str
    to_x: str
    middle: str
    points_left: bool
    label: str
    meaning: str
    way: str
    "From whom to whom, and what, in words."
    was: str
    "As a class."
    text: str
    "The message itself."


@dataclass(frozen=True, slots=True)
class Ladder:
    """All of them."""

    columns: tuple[Column, ...]
    arrows: tuple[Arrow, ...]
    is_wide: bool
    "Has more columns than a page has room for."


def ladder(call: ProvedCall, words: Words, sentences: Sentences) -> Ladder | None:
    """That of a call; None: no message of it is known."""
    if not call.messages:
        return None
    lines = list(_lines(call))
    share = 100 / len(lines)
    places = {line: (number + 0.5) * share for number, line in enumerate(lines)}
    names = {line: sentences.phone(line) for line in lines} | {_SERVER: words.switchboard}
    is_narrow = len(lines) > _MOST_NAMED
    columns = (
        Column(f"{places[line]:.2f}", short if is_narrow else names[line], short)
        for line in lines
        for short in (_short(names[line], len(lines)),)
    )
    arrows = tuple(_arrow(each, places, names, words) for each in call.messages)
    return Ladder(tuple(columns), arrows, len(lines) > _MOST_PLAIN)


def _lines(call: ProvedCall) -> Iterator[str]:
    """The caller, the switchboard, and the others in the order of their first messages."""
    first, *others = dict.fromkeys(message.line for message in call.messages)
    yield first
    yield _SERVER
    yield from others


def _short(name: str, columns: int) -> str:
    """An extension without its name; where there are many, the end of a number."""
    first = name.split()[0]
    if columns <= _MOST_NAMED or len(first) <= _NARROW_NAME:
        return first
    return f"…{first[-4:]}" if first.isdecimal() else f"{first[:4]}."


def _arrow(message: Message, places: dict[str, float], names: dict[str, str], words: Words) -> Arrow:
    found = read(message.text, came=message.came)
    phone, server = places[message.line], places[_SERVER]
    from_x, to_x = (server, phone) if message.came else (phone, server)
    ends = (_SERVER, message.line) if message.came else (message.line, _SERVER)
    label = printable(found.label) + (f" ×{message.times}" if message.times > 1 else "")
    meaning = words.meanings[found.meaning].format(number=printable(found.number))
    at = words.seconds.format(length=f"{message.at_s:.2f}".replace(".", words.comma))
    return Arrow(
        at=at,
        from_x=f"{from_x:.2f}",
        to_x=f"{to_x:.2f}",
        middle=f"{(from_x + to_x) / 2:.2f}",
        points_left=to_x < from_x,
        label=label,
        meaning=meaning,
        way=f"{names[ends[0]]} → {names[ends[1]]}: {label}",
        was="good" if found.meaning is Meaning.ANSWERED else "bad" if found.meaning in _BAD else "plain",
        text="\n".join(printable(line) for line in message.text.splitlines()),
    )
