"""Tones: one is sent by each test phone, and recognised by whoever hears it."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

RATE = 8_000
"Samples a second, of every codec that the test phones speak."
_WINDOW = 800
"A tenth of a second."
_SURE = 3
"So many windows in a row have the same tone."
_SAME_HZ = 5
_QUIETEST_DB = -40.0
"Against full scale: what is below it is silence."
_PUREST = 0.8
"So much of the energy of a window is at one frequency, where it is a tone."
_FULL_SCALE = 32_768


@dataclass(frozen=True, slots=True)
class Tone:
    """What was recognised."""

    hz: int
    level_db: float
    "Against full scale: a sine of the greatest amplitude has -3 dB."


@lru_cache(maxsize=64)
def tone(hz: int, level_db: float = -12.0) -> array[int]:
    """One second of it, in 16 bits; it can be repeated without a click, `hz` being whole. 0 Hz is silence.

    It is the same for all who send it, and nobody's to change.
    """
    amplitude = _FULL_SCALE * math.sqrt(2) * 10 ** (level_db / 20) if hz else 0.0
    return array("h", (round(amplitude * math.sin(2 * math.pi * hz * at / RATE)) for at in range(RATE)))


class Ear:
    """Recognises a tone, whichever it is, when it has lasted 0.3 s; each is told once."""

    def __init__(self) -> None:
        self._heard: array[int] = array("h")
        self._row: list[Tone] = []
        self._told: list[int] = []

    def hears(self, samples: array[int]) -> Tone | None:
        """A tone that it is now sure of, and was not before."""
        self._heard.extend(samples)
        new = None
        while len(self._heard) >= _WINDOW:
            window, self._heard = self._heard[:_WINDOW], self._heard[_WINDOW:]
            new = self._window(recognise(window)) or new
        return new

    def _window(self, found: Tone | None) -> Tone | None:
        if found is None or (self._row and abs(self._row[0].hz - found.hz) > _SAME_HZ):
            self._row.clear()
        if found is None:
            return None
        self._row.append(found)
        if len(self._row) != _SURE or any(abs(hz - found.hz) <= _SAME_HZ for hz in self._told):
            return None
        mean = Tone(
            round(sum(each.hz for each in self._row) / _SURE),
            round(sum(each.level_db for each in self._row) / _SURE, 1),
        )
        self._told.append(mean.hz)
        return mean


def recognise(window: array[int]) -> Tone | None:
    """The tone that a window is; None where it is silence, noise or several tones.

    Where the samples cross zero says which it would be, and the algorithm of Goertzel whether it is.
    """
    energy = sum(sample * sample for sample in window)
    level_db = 10 * math.log10(energy / len(window) / _FULL_SCALE**2) if energy else -math.inf
    if level_db < _QUIETEST_DB or (hz := _by_crossings(window)) is None:
        return None
    # Of a pure tone the power at its frequency is half the number of samples times the energy.
    if _power(window, hz) < _PUREST * energy * len(window) / 2:
        return None
    return Tone(round(hz), level_db)


def _by_crossings(window: array[int]) -> float | None:
    """How often a window rises through zero, in Hz; None where it does so less than twice."""
    rises = [
        at + before / (before - after)
        for at, (before, after) in enumerate(pairwise(window))
        if before < 0 <= after
    ]
    return (len(rises) - 1) * RATE / (rises[-1] - rises[0]) if len(rises) > 1 else None


def _power(window: array[int], hz: float) -> float:
    """By the algorithm of Goertzel."""
    turn = 2 * math.cos(2 * math.pi * hz / RATE)
    before = last = 0.0
    for sample in window:
        before, last = last, sample + turn * last - before
    return before * before + last * last - turn * before * last
