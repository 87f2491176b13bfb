"""`centralka registrations`: a list, and what the living server tells of it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from provisioner.app import serving
from provisioner.centrex.mac import MacAddress
from provisioner.control.client import ask
from provisioner.control.errors import Refused
from provisioner.operations.installation import Installation, opened
from tests.e2e.conftest import Run
from tests.provisioner.bindings import bind, contact_of, happened, now, unbind
from tests.provisioner.conftest import SAMPLE
from tests.provisioner.written import loopback_settings

LINE, PHONE = "48223809880", MacAddress("805ec0123456")


@pytest.fixture
def shop(command: Run) -> Run:
    """The command on the sample company."""
    command("init")
    command("apply", SAMPLE)
    return command


def inside(tmp_path: Path, work: Callable[[Installation], Awaitable[None]]) -> None:
    """Does something with the installation that the command works on."""

    async def run() -> None:
        async with opened(tmp_path / "d", loopback_settings()) as installation:
            await work(installation)

    asyncio.run(run())


def test_who_is_registered_is_listed_for_people_and_programs(shop: Run, tmp_path: Path):
    async def register(installation: Installation) -> None:
        await bind(installation, LINE, PHONE, reachable=True, heard_at=now(), rtt_ms=9)

    assert "Nobody is registered." in shop("registrations")
    inside(tmp_path, register)
    table = shop("registrations")
    for word in (LINE, str(PHONE), "T46S", "66.86.0.15", "reachable", contact_of(LINE)):
        assert word in table
    [row] = json.loads(shop("registrations", "--json", "--customer", "nowyklienttestowy"))
    assert (row["line"], row["state"], row["device"]["mac"]) == (LINE, "reachable", str(PHONE))
    assert len(json.loads(shop("registrations", "--json", "--all"))) == 6
    assert "there is no customer 'x'" in shop("registrations", "--customer", "x", code=1)
    assert "no server runs on" in shop("registrations", "--watch", code=1)


def test_what_changes_is_told_as_it_happens(shop: Run, tmp_path: Path):
    inside(tmp_path, _watched)


async def _watched(shop: Installation) -> None:
    async with serving(shop, lambda _: None):
        # The server knows nothing of it, and leaves it alone.
        await bind(shop, LINE, PHONE)
        watch = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from provisioner.cli import main; main()"),
            *("registrations", "--watch", "--json", "--data-dir", str(shop.data_dir)),
            stdout=asyncio.subprocess.PIPE,
        )

        async def step() -> tuple[str, str, str]:
            assert watch.stdout is not None
            async with asyncio.timeout(60):
                told = json.loads(await watch.stdout.readline())
            return told["turn"], told["registration"]["line"], told["registration"]["state"]

        try:
            assert await step() == ("there", LINE, "registered")
            await bind(shop, "48223809887", contact="sip:a@127.0.0.9")
            await happened(shop, "registered", "48223809887")
            assert await step() == ("there", "48223809887", "registered")
            await unbind(shop, LINE)
            await happened(shop, "unregistered", LINE, PHONE)
            assert await step() == ("gone", LINE, "unregistered")
        finally:
            watch.kill()
            await watch.wait()
        for question in ({"line": "1"}, {"mac": 1}, {"states": ["x"]}, {"states": "live"}):
            with pytest.raises(Refused):
                await anext(ask(shop.data_dir, "registrations", question))
