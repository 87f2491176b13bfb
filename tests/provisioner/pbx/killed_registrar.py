"""`DATA_DIR DATABASE_URL`: registers what standard input says, and says when it is answered.

A line in is `NUMBER CSEQ EXPIRES`, a line out `NUMBER CSEQ STATUS`. Made to be killed.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from db.engine import Database
from db.vault import Vault
from provisioner.operations.installation import KEY_FILE, Installation
from provisioner.settings import Settings
from tests.provisioner.pbx.registering import Server, registering


async def main() -> None:
    """Until the input ends, or somebody kills it."""
    data_dir = Path(sys.argv[1])
    database = await Database.open(sys.argv[2])
    installation = Installation(data_dir, Settings(), database, Vault.load(data_dir / KEY_FILE))
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin.buffer
    )
    async with registering(installation) as server, asyncio.TaskGroup() as tasks:
        say(f"loaded {len(server.location)} 0")
        while line := (await lines.readline()).decode():
            number, cseq, expires = line.split()
            tasks.create_task(register(server, number, int(cseq), int(expires)))
    await database.close()


async def register(server: Server, number: str, cseq: int, expires: int) -> None:
    answer = await server.register(number, cseq=cseq, expires=expires)
    say(f"{number} {cseq} {answer.status}")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
