"""`centralka test-calls`: what was tested, and who is tested when."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from db.schema import ProofRunRow
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.cli import app
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.proof_history import Within, keep_proof
from tests.provisioner.operations.proofs import FINDING, proof
from tests.provisioner.operations.test_proof_history import customer
from tests.provisioner.written import Written

Run = Callable[..., tuple[int, str]]

pytestmark = pytest.mark.parametrize("firma_url", ["sqlite"], indirect=True)


async def _a_night(installation: Installation) -> None:
    """In which 600 was found red, and 101 green."""
    now = utc_now()
    async with installation.database.change() as session:
        row = ProofRunRow(cause="nightly", actor="system", speed=4, made_at=now, due_at=now, numbers=3)
        row.began_at, row.finished_at, row.outcome, row.untested = now, now, "done", 1
        row.reasons = '[{"customer": "firma", "number": "102", "why": "too many phones"}]'
        session.add(row)
    owner, within = await customer(installation, "firma"), Within(1, "")
    for each in (proof("600", FINDING, customer="firma"), proof("101", customer="firma")):
        await keep_proof(installation, owner, each, COMMAND_LINE, 0, within=within)


@pytest.fixture
def run(firma_url: str, written_firma: Written, tmp_path: Path) -> Run:
    """Runs the command; gives how it ended and what it printed."""

    async def write(work: Callable[[Installation], Awaitable[None]]) -> None:
        async with written_firma.opened(firma_url, tmp_path) as installation:
            await work(installation)

    asyncio.run(write(_a_night))

    def command(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["test-calls", *arguments, "--data-dir", str(tmp_path)])
        return done.exit_code, done.output

    return command


def test_runs_are_listed_and_one_is_shown_with_what_is_red_and_what_was_not_tested(run: Run, tmp_path: Path):
    code, text = run("list")
    assert (code, "nightly" in text) == (0, True)
    (listed,) = json.loads(run("list", "--json")[1])
    assert (listed["green"], listed["red"], listed["untested"], listed["state"]) == (1, 1, 1, "done")
    junit = tmp_path / "night.xml"
    code, text = run("show", "1", "--junit", str(junit))
    assert code == 1
    assert "firma 600 does not ring as configured (1 of 1 calls): centralka test-call 600" in text
    assert "firma 102 was not tested: too many phones" in text
    assert '<testsuites name="centralka" tests="2" failures="1" errors="0">' in junit.read_text()
    shown = json.loads(run("show", "1", "--json")[1])
    assert shown["run"] == listed
    assert [each["number"] for each in shown["red"]] == ["600"]


def test_who_is_tested_when_is_shown_and_changed(run: Run):
    code, text = run("schedule", "--customer", "firma", "--no-nightly", "--window", "22:00-23:00")
    assert (code, "firma" in text) == (0, True)
    common, own = json.loads(run("schedule", "--json")[1])
    assert (common["customer"], common["nightly"]) == (None, True)
    assert (own["customer"], own["nightly"], own["window"]) == ("firma", False, "22:00-23:00")
    assert run("schedule", "--no-nightly")[0] == 1
    assert run("run")[0] == 1
