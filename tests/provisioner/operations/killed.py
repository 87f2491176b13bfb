"""Runs a piece of work again and again in processes that are killed, each one step later than the one before.

A step is anything that Python reports to its audit hooks before it does it (PEP 578): a file opened, renamed
or removed, a directory made, a program started.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from provisioner.operations.backup import back_up, restore
from provisioner.settings import read_settings

_STEPS = frozenset(
    {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "subprocess.Popen", "sqlite3.connect"}
)


def killed_at_each_step(work: Callable[[], object]) -> Iterator[bool]:
    """Whether the run was killed; ends with the first one that was not."""
    for step in count(1):
        child = os.fork()
        if child == 0:
            left = step

            def hook(event: str, arguments: tuple[object, ...]) -> None:
                nonlocal left
                if event in _STEPS:
                    left -= 1
                    if left == 0:
                        os.kill(os.getpid(), signal.SIGKILL)

            sys.addaudithook(hook)
            work()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status)
        if not killed and os.waitstatus_to_exitcode(status) != 0:
            sys.exit(f"step {step}: the work failed")
        yield killed
        if not killed:
            return


def main() -> None:
    """`VERB DATA_DIR CONFIG FILE`; prints what was there after each run, as JSON."""
    verb, data_dir, config, file = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])
    settings = read_settings(config)
    seen = []
    if verb == "backup":
        before = file.read_bytes()
        for killed in killed_at_each_step(lambda: back_up(data_dir, settings, file)):
            seen.append([killed, file.read_bytes() == before])
    else:
        for killed in killed_at_each_step(lambda: restore(file, data_dir, settings)):
            seen.append([killed, data_dir.exists()])
            if data_dir.exists():
                break
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main()
