"""`centralka registrations`: a list, and what the living server tells of it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from provisioner.app import serving
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.mac import MacAddress
from provisioner.files.company import read_company_file
from provisioner.operations.companies import apply
from provisioner.operations.installation import Installation, initialise, opened
from tests.provisioner.bindings import bind, contact_of, happened, now, unbind
from tests.provisioner.conftest import SAMPLE
from tests.provisioner.written import loopback_settings

LINE, PHONE = "48223809880", MacAddress("805ec0123456")


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Installation]:
    """The sample company in a data directory of its own."""
    settings = loopback_settings()
    await initialise(tmp_path / "d", settings)
    async with opened(tmp_path / "d", settings) as installation:
        await apply(installation, read_company_file(SAMPLE.read_bytes(), SAMPLE.name), COMMAND_LINE)
        yield installation


async def command(shop: Installation, *arguments: str) -> asyncio.subprocess.Process:
    program = "from provisioner.cli import main; main()"
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, "registrations", *arguments, "--data-dir", str(shop.data_dir)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def said(shop: Installation, *arguments: str, code: int = 0) -> str:
    process = await command(shop, *arguments)
    out, err = await process.communicate()
    assert process.returncode == code, err.decode()
    return (err if code else out).decode()


async def test_who_is_registered_is_listed_for_people_and_programs(shop: Installation):
    assert "Nobody is registered." in await said(shop)
    await bind(shop, LINE, PHONE, reachable=True, heard_at=now(), rtt_ms=9)
    table = await said(shop)
    for word in (LINE, str(PHONE), "T46S", "66.86.0.15", "reachable", contact_of(LINE)):
        assert word in table
    [row] = json.loads(await said(shop, "--json", "--customer", "nowyklienttestowy"))
    assert (row["line"], row["state"], row["device"]["mac"]) == (LINE, "reachable", str(PHONE))
    assert len(json.loads(await said(shop, "--json", "--all"))) == 6
    assert "there is no customer 'x'" in await said(shop, "--customer", "x", code=1)
    assert "no server runs on" in await said(shop, "--watch", code=1)


async def test_what_changes_is_told_as_it_happens(shop: Installation):
    async with serving(shop, lambda _: None):
        # The server knows nothing of it, and leaves it alone.
        await bind(shop, LINE, PHONE)
        watch = await command(shop, "--watch", "--json")
        assert watch.stdout is not None

        async def step() -> tuple[str, str, str]:
            assert watch.stdout is not None
            async with asyncio.timeout(20):
                told = json.loads(await watch.stdout.readline())
            return told["turn"], told["registration"]["line"], told["registration"]["state"]

        try:
            assert await step() == ("there", LINE, "registered")
            await bind(shop, "48223809887", contact="sip:a@192.0.2.9")
            await happened(shop, "registered", "48223809887")
            assert await step() == ("there", "48223809887", "registered")
            await unbind(shop, LINE)
            await happened(shop, "unregistered", LINE, PHONE)
            assert await step() == ("gone", LINE, "unregistered")
        finally:
            watch.kill()
            await watch.wait()
        assert "there is no line '1'" in await said(shop, "--watch", "--line", "1", code=1)
