"""What a server tells the interpreter before it is up, and when it is."""

from __future__ import annotations

import gc
import sys

_SWITCH_S = 0.0005
_YOUNG = 10_000
"New objects after which the collector looks through them; a batch of requests makes more than its 700."


def settle_in() -> None:
    """Spares what is there for good from being looked through, and lets threads take turns sooner.

    A full collection walks through everything that lives: with many phones it stops the loop for a quarter
    of a second. After this it has little to walk through: requests and calls go as soon as they are over, for
    there are no circles in them. What was imported takes 130 ms: it is spared before anybody is served, and
    what has come since then when the server is up. To look through what is new costs a quarter of a batch,
    in which nearly all is in use. And a thread of the database waits for the loop's thread up to the switch
    interval, each time that it has something to say.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
    sys.setswitchinterval(_SWITCH_S)
