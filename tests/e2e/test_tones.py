"""What tests take for a tone that was heard, and what they don't."""

from __future__ import annotations

import asyncio
import math
import random
import wave
from array import array
from pathlib import Path

import pytest

from tests.e2e import tones
from tests.e2e.tones import hears, is_tone, write_tone

PACKET = 160


def tone(hertz: int, samples: int = PACKET, phase: float = 0.0, loud: int = 9_000) -> list[int]:
    return [int(loud * math.sin(phase + 2 * math.pi * hertz * at / 8_000)) for at in range(samples)]


@pytest.mark.parametrize("hertz", [440, 1000, 1600])
@pytest.mark.parametrize("phase", [0.0, 0.7, 2.0])
def test_a_packet_of_a_tone_is_that_tone_and_no_other(hertz: int, phase: float) -> None:
    packet = tone(hertz, phase=phase)
    assert is_tone(packet, hertz)
    assert not any(is_tone(packet, other) for other in range(300, 3400, 20) if abs(other - hertz) >= 100)


def test_silence_whispers_noise_and_two_tones_at_once_are_none() -> None:
    chance = random.Random(5)  # noqa: S311
    assert not is_tone([0] * PACKET, 440)
    assert not is_tone(tone(440, loud=1_000), 440)
    both = [one + other for one, other in zip(tone(440), tone(1000), strict=True)]
    assert not is_tone(both, 440)
    assert not is_tone(both, 1000)
    for _ in range(1_000):
        noise = [chance.randint(-9_000, 9_000) for _ in range(PACKET)]
        assert not is_tone(noise, 440)


def test_half_a_packet_is_none() -> None:
    assert not is_tone([*tone(440, PACKET // 2), *[0] * (PACKET // 2)], 440)


async def test_what_was_heard_before_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tones, "LONGEST_S", 0.3)
    file = write_tone(tmp_path / "heard.wav", 440, seconds=1)
    with pytest.raises(AssertionError, match="of 0 packets 0 are 440 Hz"):
        await hears(file, 440)


async def test_a_tone_with_gaps_is_heard_for_as_long_as_it_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tones, "LONGEST_S", 0.3)
    file = tmp_path / "heard.wav"

    async def hears_it(seconds: float, hertz: int = 440) -> None:
        """It is written when the test listens."""
        file.unlink(missing_ok=True)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(hears(file, hertz, seconds))
            await asyncio.sleep(0)
            with wave.open(str(file), "wb") as written:
                written.setparams((1, 2, 8_000, 0, "NONE", ""))
                said = [*tone(440), *tone(440, phase=1.0), *[0] * PACKET, *tone(1000)]
                written.writeframes(array("h", said * 10).tobytes())

    await hears_it(20 * 0.02)
    await hears_it(10 * 0.02, 1000)
    with pytest.raises(ExceptionGroup) as told:
        await hears_it(21 * 0.02)
    assert "of 40 packets 20 are 440 Hz and 10 silent, and never 21" in str(told.value.exceptions[0])
