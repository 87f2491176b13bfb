"""A phone whose connection ends is out of reach at once, though its registration goes on."""

from __future__ import annotations

import asyncio

from provisioner.app import Running
from provisioner.operations.installation import Installation
from tests.provisioner.pbx.phone import Stream, phone
from tests.provisioner.web.asking import all_secrets

LINE = "48223809887"


async def test_a_phone_whose_connection_ends_is_out_of_reach_at_once(sample: Installation, running: Running):
    password = (await all_secrets(sample))[f"line {LINE}"]
    async with phone(running.sip, LINE, password, over=Stream) as mine:
        assert (await mine.register()).status == 200
    async with asyncio.timeout(60):
        while (kinds := await happened(sample)) != ["registered", "unreachable"]:
            assert kinds in ([], ["registered"])
            await asyncio.sleep(0.01)
    (row,) = await sample.database.rows("SELECT reachable FROM registrations")
    assert not row[0]


async def happened(installation: Installation) -> list[str]:
    found = await installation.database.rows("SELECT kind FROM registration_events ORDER BY id")
    return [str(kind) for (kind,) in found]
