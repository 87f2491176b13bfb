"""`python -m sip.testcall`: the test phones (`phones`), in a process that lets others go first.

Each packet that comes to a phone wakes it. Where two processors have calls of people to carry as well, that
must not push those aside, which an equal may do (sched(7)). Linux has sessions share its processors first,
and only then looks at the niceness within each ("The autogroup feature" there): so our session has one, too.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from pathlib import Path

_NICENESS = 10
_AUTOGROUP = Path("/proc/self/autogroup")
_BUSY_S, _TRIES = 0.1, 5
"The system takes so few of these orders, of whoever is not root."


def _step_back() -> None:
    """Lets others go first."""
    os.nice(_NICENESS)
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    # Where there are no such groups niceness has its say alone.
    with suppress(OSError):
        for _ in range(_TRIES):
            try:
                _AUTOGROUP.write_text(str(_NICENESS))
                break
            except BlockingIOError:
                time.sleep(_BUSY_S)


if __name__ == "__main__":
    _step_back()
    # After that: reading it in is most of the work.
    from sip.testcall.phones import run

    asyncio.run(run())
