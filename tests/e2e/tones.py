"""Sounds that are told apart by how high they are."""

from __future__ import annotations

import asyncio
import math
import wave
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.e2e.softphones.program import LONGEST_S

_RATE = 8_000
_WINDOW = 160
"What one packet holds, 20 ms: where packets are missing, those around them count. 100 Hz are told apart."
_HEAD = 44
"Bytes before the sound in the files of baresip and of linphone."
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


async def hears(file: Path, hertz: int, seconds: float = 0.5) -> None:
    """Returns when so much of this tone has been written into a file from now on."""
    recording = _Recording(file)
    wanted = round(seconds * _RATE / _WINDOW)
    packets = tones = silent = 0
    for _ in range(int(LONGEST_S / _LOOK_S)):
        for window in recording.windows():
            packets += 1
            tones += is_tone(window, hertz)
            silent += not any(window)
        if tones >= wanted:
            return
        await asyncio.sleep(_LOOK_S)
    of_these = f"of {packets} packets {tones} are {hertz} Hz and {silent} silent"
    raise AssertionError(f"{file}: {of_these}, and never {wanted} of that tone")


class _Recording:
    """A file that is being written: its head doesn't say yet how long it is."""

    def __init__(self, file: Path) -> None:
        self._file = file
        size = file.stat().st_size if file.exists() else 0
        self._at = max(_HEAD, size - size % 2)

    def windows(self) -> Iterator[array[int]]:
        """What has come since it was asked last."""
        if not self._file.exists():
            return
        with self._file.open("rb") as file:
            file.seek(self._at)
            data = file.read()
        of_one = 2 * _WINDOW
        for begin in range(0, len(data) - of_one + 1, of_one):
            self._at += of_one
            yield array("h", data[begin : begin + of_one])


def is_tone(window: Sequence[int], hertz: int) -> bool:
    """Whether it is this tone, and hardly anything else.

    By the algorithm of Goertzel: how much of the energy is at that frequency.
    """
    turn = 2 * math.cos(2 * math.pi * hertz / _RATE)
    before = last = 0.0
    for sample in window:
        before, last = last, sample + turn * last - before
    at_hertz = before * before + last * last - turn * before * last
    energy = sum(sample * sample for sample in window)
    # Of a pure tone it is half the number of samples times the energy.
    return energy > len(window) * 1_000_000 and at_hertz > 0.4 * len(window) * energy
