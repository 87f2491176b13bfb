"""`DATA_DIR DATABASE_URL`: records calls, of which some go on, and says what is stored. Made to be killed.

A line out is `CALL STATE`, when that was told, or `stored`: all that was told before is in the database.
"""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from db.engine import Database
from db.vault import Vault
from provisioner.operations.installation import KEY_FILE, Installation
from provisioner.pbx.recorder import Recorder
from provisioner.settings import Settings
from sip.call.story import EndedBy
from tests.provisioner.pbx.story import ANNA, MEETING, RECEPTION, SALES, Story


async def main() -> None:
    """Until somebody kills it."""
    data_dir = Path(sys.argv[1])
    database = await Database.open(sys.argv[2])
    installation = Installation(data_dir, Settings(), database, Vault.load(data_dir / KEY_FILE))
    recorder = Recorder(installation, asyncio.get_running_loop().time)
    await recorder.start()
    chance = random.Random(1)  # noqa: S311
    going_on: list[Story] = []
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(recorder.run())
        while True:
            for _ in range(5):
                going_on.append(begun(recorder))
            while len(going_on) > 20:
                end(going_on.pop(chance.randrange(len(going_on))), answers=chance.random() < 0.5)
            while recorder.counted.unwritten():  # noqa: ASYNC110 - of that nobody tells
                await asyncio.sleep(0.001)
            say("stored")


def begun(recorder: Recorder) -> Story:
    story = Story(recorder.tell, asyncio.get_running_loop().time()).begins(RECEPTION, "600")
    say(f"{story.id} began")
    return story.rings(SALES, "600").rings(ANNA, "600").rings(MEETING, "600")


def end(story: Story, *, answers: bool) -> None:
    for line in (SALES, ANNA):
        story.stops(line)
    if answers:
        story.answers(MEETING).ends(EndedBy.CALLEE)
    else:
        story.stops(MEETING).ends(EndedBy.NOBODY, 480)
    say(f"{story.id} {'callee' if answers else 'nobody'}")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
