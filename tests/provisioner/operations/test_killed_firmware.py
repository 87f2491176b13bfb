"""kill -9 in the middle of `firmware add` leaves nothing, or the whole file; the next `add` completes it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from pathlib import Path

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.operations.firmware import list_firmware, remove_firmware
from provisioner.operations.firmware_check import Fault, check_firmware, served_firmware
from provisioner.operations.installation import Installation
from tests.copies import config_file
from tests.forked import Moments, Run, forking
from tests.provisioner.firmware import rom

ROUNDS = 50 if os.environ.get("CENTRALKA_PROVE") else 2
NAME = "T46S-66.86.0.15.rom"
_SIZE = 8 * 1024 * 1024


async def test_a_file_whose_adding_is_killed_is_there_whole_or_not_at_all(
    firma: Installation, firma_url: str, tmp_path: Path
):
    file = tmp_path / "elsewhere" / NAME
    file.parent.mkdir()
    content = rom(NAME, _SIZE)
    file.write_bytes(content)
    config = config_file(tmp_path, firma_url)
    with forking() as commands:

        def add(killed_after_s: float | None = None) -> Run:
            where = ("--data-dir", tmp_path, "--config", config)
            return commands.run("firmware", "add", file, *where, killed_after_s=killed_after_s)

        run = await asyncio.to_thread(add)
        assert NAME in run.out
        moments, seen = Moments(ROUNDS, run.lasted_s), Counter[str]()
        while (killed := seen.total() - seen["ended before"]) < ROUNDS:
            await remove_firmware(firma, NAME, COMMAND_LINE)
            run = await asyncio.to_thread(add, moments.of(killed))
            # A command that is killed has said so when the file was there, or not at all.
            found = await looked_at(firma, content, acknowledged=NAME in run.out)
            if run.was_killed:
                seen[found] += 1
            else:
                assert run.was_acknowledged, run.said
                assert found == "there"
                seen["ended before"] += 1
                moments.measured(run)
            # Run again, it completes what was cut short, and clears away what was left.
            again = await asyncio.to_thread(add)
            assert again.was_acknowledged, again.said
            if found != "there":
                moments.measured(again)
            assert await check_firmware(firma) == []
            assert (firma.firmware_dir / NAME).read_bytes() == content
    sys.stderr.write(f"killed {ROUNDS} times: {dict(seen)}\n")


async def looked_at(firma: Installation, content: bytes, *, acknowledged: bool) -> str:
    """What the run left, which must be something that it may leave."""
    listed = [each.name for each in await list_firmware(firma)]
    faults = {each.name: each.fault for each in await check_firmware(firma)}
    stored = firma.firmware_dir / NAME
    async with firma.database.read() as session:
        served = await served_firmware(session, firma, NAME)
    assert not any(fault.is_missed for fault in faults.values())
    if acknowledged:
        assert listed == [NAME]
    if listed:
        assert served == stored
        assert stored.read_bytes() == content
        return "there"
    assert served is None
    if stored.exists():
        assert stored.read_bytes() == content
        assert faults[NAME] is Fault.NOT_ADDED
        return "whole, without its row"
    assert set(faults.values()) <= {Fault.LEFT_OVER}
    return "a left-over" if faults else "nothing"
