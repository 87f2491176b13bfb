"""A server is killed in the middle of calls: what was stored is there, once, and all of it is closed."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path

from sqlalchemy import func, select

from db.schema import CallEventRow, CallLegRow, CallRecordRow
from provisioner.operations.calls import Wanted, list_calls
from provisioner.operations.installation import Installation
from provisioner.pbx.recorder import Recorder
from sip.call.story import EndedBy

PROJECT = Path(__file__).parents[3]
ROUNDS = 20 if os.environ.get("CENTRALKA_PROVE") else 2


async def killed(data_dir: Path, url: str, after: int) -> list[str]:
    """What the recorder has said when it was killed behind so many times of `stored`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.provisioner.pbx.killed_recorder", data_dir, url),
        stdout=asyncio.subprocess.PIPE,
        cwd=PROJECT,
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        while said.count("stored") < after:
            line = (await process.stdout.readline()).decode()
            assert line.endswith("\n"), "it ended"
            said.append(line.strip())
    finally:
        process.kill()
    # What it says until it is dead; what was cut off was read by nobody.
    rest = (await process.stdout.read()).decode().split("\n")[:-1]
    await process.wait()
    return said + rest


async def test_calls_are_recorded_once_whenever_the_server_is_killed(sample: Installation, database_url: str):
    chance = random.Random(ROUNDS)  # noqa: S311
    told: dict[str, str] = {}
    stored: dict[str, str] = {}
    for _ in range(ROUNDS):
        said = await killed(sample.data_dir, database_url, chance.randrange(2, 12))
        last = len(said) - said[::-1].index("stored")
        for number, line in enumerate(said):
            call, _, state = line.partition(" ")
            if state:
                told[call] = state
                if number < last:
                    stored[call] = state
        await Recorder(sample, asyncio.get_running_loop().time).start()
        found = {}
        before: int | None = None
        while True:
            page = await list_calls(sample, Wanted(), before)
            found.update({call.id: call for call in page.calls})
            before = page.next
            if before is None:
                break
        assert stored.keys() <= found.keys() <= told.keys()
        for call in found.values():
            if stored.get(call.id, "began") != "began":
                assert call.end == stored[call.id]
            else:
                # Whether it ended a moment before the server did is known or not.
                assert call.end in (told[call.id], EndedBy.RESTARTED)
            assert call.ended_at is not None
            assert call.ended_at >= call.started_at
            assert all(leg.ended_at is not None and leg.reason is not None for leg in call.legs)
    async with sample.database.read() as session:
        for query in (
            select(func.count(CallRecordRow.id)).group_by(CallRecordRow.uuid),
            select(func.count(CallLegRow.call_id)).group_by(CallLegRow.call_id, CallLegRow.position),
            select(func.count(CallEventRow.id))
            .where(CallEventRow.kind == "ended")
            .group_by(CallEventRow.call_id),
        ):
            assert set(await session.scalars(query)) == {1}
    assert len(found) > 10 * ROUNDS
