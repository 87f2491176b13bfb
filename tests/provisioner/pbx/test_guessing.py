"""Bans are reported to people, each once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from db.engine import Database
from provisioner.operations.installation import Installation
from provisioner.pbx import guessing
from provisioner.pbx.guessing import Guessing
from sip.bans import Ban, Bans
from sip.transport.proven import Proven
from tests.provisioner.pbx.registering import eventually


def ban(number: int) -> Ban:
    who = f"192.0.2.{number}"
    return Ban(who, who, 0.0, 3600.0, 1)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_bans_that_come_while_others_are_reported_are_reported_too(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(guessing, "_LOOK_S", 0)
    told = Guessing(installation, Bans(Proven()))
    for number in range(100):
        told.note(ban(number))
    append = Database.append
    later = iter(range(100, 105))

    @asynccontextmanager
    async def meanwhile(database: Database) -> AsyncIterator[Any]:
        for number in later:
            told.note(ban(number))
        async with append(database) as session:
            yield session

    monkeypatch.setattr(Database, "append", meanwhile)

    async def sources() -> list[str]:
        rows = await installation.database.rows("SELECT source FROM alarms ORDER BY id")
        return [str(source) for (source,) in rows]

    async def all_are_told() -> bool:
        return await sources() == [ban(number).who for number in range(105)]

    running = asyncio.create_task(told.run())
    await eventually(all_are_told)
    running.cancel()
    await asyncio.wait([running])
