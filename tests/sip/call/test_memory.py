"""Thousands of calls, and nothing is left of them."""

from __future__ import annotations

import gc
import os
import tracemalloc

from tests.sip.call.phones import Switchboard, connected

PROVE = bool(os.environ.get("CENTRALKA_PROVE"))
CALLS = 20_000 if PROVE else 40
BEFORE = 3_000 if PROVE else 100
"Calls after which the texts are full that are remembered, of which there are so many and no more."


def a_round(board: Switchboard, calls: int) -> None:
    """Calls that are hung up, refused, given up, and that nobody hangs up properly."""
    alice, bob = list(board.phones.values())
    for number in range(calls // 4):
        talk, answered = connected(board, alice, bob)
        (answered if number % 2 else talk).asks("BYE")
        bob.inbox.clear()
        invite = alice.invite("102")
        if number % 2:
            bob.says(bob.request(), 486)
        else:
            alice.cancels(invite)
        alice.invite("999")
        bob.inbox.clear()
        # Neither an ACK comes, nor an answer to BYE.
        alice.invite("102")
        bob.answers(bob.request())
        board.passes(70)
        alice.inbox.clear()
        bob.inbox.clear()
        board.story.clear()
    board.passes(200)


def test_memory_is_the_same_after_many_calls() -> None:
    board = Switchboard()
    board.phone("101")
    board.phone("102")
    # From the beginning: what is remembered since takes the place of what was remembered before.
    tracemalloc.start()
    try:
        a_round(board, BEFORE)
        gc.collect()
        began, _ = tracemalloc.get_traced_memory()
        a_round(board, CALLS)
        gc.collect()
        ended, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (len(board.calls), board.calls.legs, len(board.transactions)) == (0, 0, 0)
    assert board.deadline is None
    # A few buffers of the interpreter and of Hypothesis come and go; a call keeps some 20 KiB while it lives.
    assert ended - began < 300_000


def test_what_calls_leave_goes_by_itself() -> None:
    # The collector would have to look for it in all that lives, and everybody would wait for that.
    board = Switchboard()
    board.phone("101")
    board.phone("102")
    a_round(board, 4)
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        a_round(board, 8)
        gc.collect()
        left = {type(each).__name__ for each in gc.garbage if type(each).__module__.startswith("sip.")}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert left == set()
