"""Packets that are lost and late are counted as RFC 3550 says."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.testcall.quality import Reception

RATE = 8_000
PACKET_S = 0.02


def reception(numbers: Iterable[int], first: int = 0, stamp: int = 0, source: int = 1) -> Reception:
    """Of the packets with these places, each in its time."""
    counted = Reception(RATE)
    for number in numbers:
        counted.came(source, (first + number) % 2**16, (stamp + 160 * number) % 2**32, number * PACKET_S)
    return counted


@given(st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1), st.sets(st.integers(1, 98), max_size=40))
def test_losses_are_counted_wherever_the_numbers_begin(first: int, stamp: int, lost: set[int]) -> None:
    counted = reception((each for each in range(100) if each not in lost), first, stamp)
    assert (counted.packets, counted.lost) == (100 - len(lost), len(lost))
    assert counted.jitter_s == pytest.approx(0, abs=1e-6)


def test_an_order_that_is_mixed_up_is_no_loss() -> None:
    numbers = list(range(1, 50))
    random.Random(1).shuffle(numbers)  # noqa: S311
    assert reception([0, *numbers]).lost == 0


def test_packets_that_come_twice_are_no_gain() -> None:
    assert reception([0, 1, 1, 2, 2]).lost == 0


def test_another_source_counts_on() -> None:
    counted = Reception(RATE)
    for source, begins in ((1, 100), (2, 60_000)):
        for number in (0, 1, 3):
            counted.came(source, begins + number, 160 * number, number * PACKET_S)
    assert (counted.packets, counted.lost) == (6, 2)


def test_jitter_comes_near_to_how_much_packets_are_off() -> None:
    counted = Reception(RATE)
    for number in range(500):
        counted.came(1, number, 160 * number, number * PACKET_S + (0.008 if number % 2 else 0.0))
    assert counted.jitter_s == pytest.approx(0.008, rel=0.01)


def test_nothing_that_came_is_nothing_that_was_lost() -> None:
    assert (Reception(RATE).packets, Reception(RATE).lost) == (0, 0)
