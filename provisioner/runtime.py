"""What a server tells the interpreter when it is up."""

from __future__ import annotations

import gc
import sys

_SWITCH_S = 0.0005


def settle_in() -> None:
    """Spares what is there for good from being looked through, and lets threads take turns sooner.

    A full collection walks through everything that lives: with many phones it stops the loop for a quarter
    of a second. And a thread of the database waits for the loop's thread up to the switch interval, each time
    that it has something to say: a dozen times for each commit.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(_SWITCH_S)
