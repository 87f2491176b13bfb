"""Traces are written many at a time, and as many as keep nobody else from writing for long."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from provisioner.operations.requests import next_batch


def batches(of_one_s: float, times: int = 20) -> list[int]:
    """What full batches come to where a trace takes so long."""
    limits = [1000]
    for _ in range(times):
        limits.append(next_batch(limits[-1], limits[-1], limits[-1] * of_one_s))
    return limits


def test_a_slow_disk_gets_small_batches_at_once():
    assert batches(50e-6)[1] == 120


def test_batches_grow_again_when_traces_have_become_quick():
    assert next_batch(120, 120, 120 * 10e-6) == 240


def test_a_few_traces_that_were_quick_say_nothing_of_many():
    assert next_batch(120, 3, 3 * 10e-6) == 120


@given(st.floats(1e-6, 90e-6))
def test_batches_settle_where_they_hold_the_lock_for_milliseconds(of_one_s: float):
    settled = batches(of_one_s)[1:]
    assert all(64 <= each <= 1000 for each in settled)
    assert all(each * of_one_s <= 0.006 for each in settled)
    assert all(before == after for before, after in pairwise(settled[-3:]))


@given(st.floats(0, 10))
def test_there_is_always_a_next_batch_and_never_a_boundless_one(held_s: float):
    assert 64 <= next_batch(1000, 500, held_s) <= 1000
