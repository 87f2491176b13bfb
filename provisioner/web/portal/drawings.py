"""Drawings: how a line stood over the last day, and how far its phone came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from provisioner.operations.ladder import Rung
from provisioner.operations.registration_board import DRAWN
from provisioner.operations.registration_history import Span, Was
from provisioner.web.portal.moments import Reader
from provisioner.web.portal.words import Words

WIDTH = 288
"Units of the strip: one is five minutes."
_LEAST = 1.5
"What was shorter is still seen."
_STEP = 9
"From one bar of the ladder to the next."
_HIGHEST = 18
_RISE = 2.4


@dataclass(frozen=True, slots=True)
class Piece:
    """A span of the strip."""

    x: str
    width: str
    was: Was
    title: str
    "What it was, from when to when."


@dataclass(frozen=True, slots=True)
class Strip:
    """The last day, drawn from left to right."""

    label: str
    "The same in words, for those who do not see it."
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A rung of the ladder: a bar, the higher the farther."""

    x: int
    y: str
    height: str
    holds: bool
    title: str


@dataclass(frozen=True, slots=True)
class Climb:
    """The ladder."""

    label: str
    top: str
    "How far it came: the highest rung that holds."
    steps: tuple[Step, ...]


def strip(spans: Sequence[Span], reader: Reader) -> Strip:
    """The spans of the last day."""
    words, start = reader.words, reader.now - DRAWN
    lasted: Counter[Was] = Counter()
    pieces = []
    for span in spans:
        lasted[span.was] += round((span.end - span.start).total_seconds() / 60)
        width = max(_LEAST, (span.end - span.start) / DRAWN * WIDTH)
        x = min((span.start - start) / DRAWN * WIDTH, WIDTH - width)
        title = f"{was(span.was, words)}, {reader.minute(span.start)}–{reader.minute(span.end)}"
        pieces.append(Piece(f"{x:.1f}", f"{width:.1f}", span.was, title))
    told = ", ".join(f"{was(each, words)} {_length(minutes)}" for each, minutes in lasted.items())
    return Strip(f"{words.last_day}: {told}", tuple(pieces))


def climb(rungs: Sequence[Rung], words: Words) -> Climb:
    """The rungs that hold."""
    last = len(Rung) - 1
    steps = tuple(
        Step(
            x=number * _STEP,
            y=f"{(last - number) * _RISE:.1f}",
            height=f"{_HIGHEST - (last - number) * _RISE:.1f}",
            holds=rung in rungs,
            title=_rung(rung, words),
        )
        for number, rung in enumerate(Rung)
    )
    held = [step.title for step in steps if step.holds]
    return Climb(words.ladder.format(steps=", ".join(held)), held[-1], steps)


def was(state: Was, words: Words) -> str:
    """How the language calls it."""
    return str(getattr(words, f"was_{state}"))


def _rung(rung: Rung, words: Words) -> str:
    return str(getattr(words, f"rung_{rung}"))


def _length(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours and rest else f"{hours} h" if hours else f"{rest} min"
