"""Sounds that are told apart by how high they are."""

from __future__ import annotations

import asyncio
import math
import wave
from array import array
from pathlib import Path

from tests.e2e.softphones.program import LONGEST_S

_RATE = 8_000
_WINDOW = 800
"A tenth of a second: 10 Hz are told apart."
_LOOK_S = 0.1


def write_tone(file: Path, hertz: int, seconds: int = 60) -> Path:
    """A file with one tone."""
    one = array("h", (int(9_000 * math.sin(2 * math.pi * hertz * at / _RATE)) for at in range(_RATE)))
    with wave.open(str(file), "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(_RATE)
        written.writeframes(one.tobytes() * seconds)
    return file


async def hears(file: Path, hertz: int, seconds: float = 1.0) -> None:
    """Returns when so much of this tone is in a file that is being written."""
    for _ in range(int(LONGEST_S / _LOOK_S)):
        if heard_s(file, hertz) >= seconds:
            return
        await asyncio.sleep(_LOOK_S)
    raise AssertionError(f"of {hertz} Hz it heard {heard_s(file, hertz)} s, and never {seconds}")


def heard_s(file: Path, hertz: int) -> float:
    """For how long this tone, and hardly anything else, is in a file."""
    data = file.read_bytes()
    # Its writer may still be at it, so that its head doesn't say how long it is.
    samples = array("h", data[44 : 44 + (len(data) - 44) // 2 * 2])
    windows = (samples[at : at + _WINDOW] for at in range(0, len(samples) - _WINDOW + 1, _WINDOW))
    return sum(_is_tone(window, hertz) for window in windows) * _WINDOW / _RATE


def _is_tone(window: array[int], hertz: int) -> bool:
    """By the algorithm of Goertzel: how much of the energy is at that frequency."""
    turn = 2 * math.cos(2 * math.pi * hertz / _RATE)
    before = last = 0.0
    for sample in window:
        before, last = last, sample + turn * last - before
    at_hertz = before * before + last * last - turn * before * last
    energy = sum(sample * sample for sample in window)
    # Of a pure tone it is half the number of samples times the energy.
    return energy > _WINDOW * 1_000_000 and at_hertz > 0.4 * _WINDOW * energy
