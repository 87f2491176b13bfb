"""A tone is recognised whichever it is, and nothing else is."""

from __future__ import annotations

import math
import random
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.testcall.tones import RATE, Ear, Tone, recognise, tone

PACKET = 160


def packets(samples: array[int]) -> list[array[int]]:
    return [samples[at : at + PACKET] for at in range(0, len(samples), PACKET)]


def heard(*sounds: array[int]) -> list[Tone]:
    """What is told of them, one after another."""
    ear = Ear()
    told = (ear.hears(packet) for sound in sounds for packet in packets(sound))
    return [each for each in told if each is not None]


def mixed(*sounds: array[int]) -> array[int]:
    return array("h", (sum(samples) for samples in zip(*sounds, strict=True)))


def noise(seed: int, level: int) -> array[int]:
    chance = random.Random(seed)  # noqa: S311
    return array("h", (chance.randint(-level, level) for _ in range(RATE)))


@given(st.integers(200, 3400), st.sampled_from([-30.0, -12.0, -4.0]))
def test_every_tone_is_recognised_with_its_level(hz: int, level_db: float) -> None:
    (found,) = heard(tone(hz, level_db))
    assert abs(found.hz - hz) <= 2
    assert found.level_db == pytest.approx(level_db, abs=0.5)


def test_a_tone_has_to_last_for_three_tenths_of_a_second() -> None:
    sound = tone(440)
    assert heard(sound[: RATE * 3 // 10 - PACKET]) == []
    assert len(heard(sound[: RATE * 3 // 10])) == 1


def test_each_tone_is_told_once() -> None:
    assert [each.hz for each in heard(tone(440), tone(440), tone(620), tone(440))] == [440, 620]


def test_silence_is_no_tone() -> None:
    assert heard(tone(0)) == []
    assert heard(tone(440, -50)) == []


@given(st.integers(0, 1000))
def test_noise_is_no_tone(seed: int) -> None:
    assert heard(noise(seed, 8000)) == []


def test_two_tones_at_once_are_none() -> None:
    assert heard(mixed(tone(440), tone(1130))) == []


def test_a_tone_is_recognised_in_some_noise() -> None:
    (found,) = heard(mixed(tone(440), noise(1, 1500)))
    assert abs(found.hz - 440) <= 5


def test_a_constant_is_no_tone() -> None:
    assert recognise(array("h", [8000] * 800)) is None


def test_a_second_of_a_tone_can_be_repeated_without_a_click() -> None:
    sound = tone(437)
    largest = max(sound)
    step = 2 * math.pi * 437 / RATE * largest
    assert abs(sound[0] - sound[-1]) <= step + 1
