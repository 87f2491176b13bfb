"""Takes the steps of a rollout in processes that are killed at one SQL statement after the other.

`DATA_DIR URL`; prints for each step how often it was killed, and how often something of it was left.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from db.engine import Database
from db.vault import Vault
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.operations import rollouts
from provisioner.operations.installation import KEY_FILE, Installation
from provisioner.operations.rollouts import Reach
from tests.provisioner.operations.small import DESK, dump, put
from tests.provisioner.written import loopback_settings

Work = Callable[[Installation], Awaitable[Any]]
_EVERY = 9
"Statements from one kill to the next."

STEPS: dict[str, Work] = {
    "stage": lambda made: put(made, {"login": "firma", "phone": {"language": "en"}}, staged=True),
    "release one": lambda made: rollouts.release(made, "firma", Reach(mac=DESK), COMMAND_LINE),
    "release all": lambda made: rollouts.release(made, "firma", Reach(), COMMAND_LINE),
    "back": lambda made: rollouts.take_back(made, "firma", Reach(), COMMAND_LINE),
}


def on(data_dir: Path, url: str, work: Work) -> Any:
    """What `work` returns on the installation, opened for it alone."""

    async def run() -> Any:
        database = await Database.open(url)
        try:
            vault = Vault.load(data_dir / KEY_FILE)
            return await work(Installation(data_dir, loopback_settings(), database, vault))
        finally:
            await database.close()

    return asyncio.run(run())


def was_killed(data_dir: Path, url: str, work: Work, statement: int) -> bool:
    """Whether the process that did `work` came as far as to be killed before its n-th statement."""
    child = os.fork()
    if child == 0:
        left, has_written = statement, False

        def count(connection: object, cursor: object, text: str, *_: object) -> None:
            nonlocal left, has_written
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            has_written = has_written or text.startswith(("INSERT", "UPDATE", "DELETE"))

        def committed(_: object) -> None:
            # What follows waits for other nodes (PostgreSQL): a kill there leaves all of the step.
            nonlocal left
            if has_written:
                left = -1

        event.listen(Engine, "before_cursor_execute", count)
        event.listen(Engine, "commit", committed)
        on(data_dir, url, work)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status) and os.waitstatus_to_exitcode(status) != 0:
        sys.exit("the work failed")
    return os.WIFSIGNALED(status)


def main() -> None:
    """See the module."""
    data_dir, url = Path(sys.argv[1]), sys.argv[2]
    seen: dict[str, tuple[int, int]] = {}
    for name, work in STEPS.items():
        before = on(data_dir, url, dump)
        kills = halves = 0
        while was_killed(data_dir, url, work, 2 + kills * _EVERY):
            kills += 1
            halves += on(data_dir, url, dump) != before
        seen[name] = (kills, halves)
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main()
