"""`python -m sip.testcall`: the test phones (`phones`), in a process that lets others go first.

Each packet that comes to a phone wakes it. Where two processors have calls of people to carry as well, that
must not push those aside, which an equal may do (sched(7)).
"""

from __future__ import annotations

import asyncio
import os

_NICENESS = 10

if __name__ == "__main__":
    os.nice(_NICENESS)
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    # After that: reading it in is most of the work.
    from sip.testcall.phones import run

    asyncio.run(run())
