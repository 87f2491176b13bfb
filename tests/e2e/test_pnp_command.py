"""`centralka pnp` as people run it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.conftest import Run

COMPANY = Path(__file__).parents[2] / "provisioner" / "demo" / "company.yaml"
PHONE, OTHER = "00:15:65:f4:f9:e1", "00:15:65:f4:f9:e2"


@pytest.fixture
def run(command: Run, tmp_path: Path) -> Run:
    """The command, on a data directory with the sample company and two phones in the inbox."""
    command("init")
    command("apply", COMPANY)
    with closing(sqlite3.connect(tmp_path / "d" / "centralka.db")) as database, database:
        database.executemany(
            "INSERT INTO pnp_inbox (mac, vendor, model, version, source, first_seen_at, last_seen_at, times)"
            " VALUES (?, 'yealink', ?, '25.81.0.10', '192.168.1.7', '2026-03-02 12:00:00.000000', ?, 3)",
            [
                ("001565f4f9e1", "SIP-T46S", "2026-03-02 12:00:00.000000"),
                ("001565f4f9e2", "[red]W52P[/red]", "2026-03-03 12:00:00.000000"),
            ],
        )
    return command


def test_phones_that_wait_are_listed_and_dismissed(run: Run) -> None:
    said = run("pnp", "list")
    assert said.index(OTHER) < said.index(PHONE), "the last heard of comes first"
    assert "[red]W52P[/red]" in said
    assert run("pnp", "dismiss", OTHER) == f"{OTHER} is shown no more.\n"
    (phone,) = json.loads(run("pnp", "list", "--json"))
    assert (phone["mac"], phone["model"], phone["times"]) == (PHONE, "SIP-T46S", 3)


def test_an_approved_phone_is_listed_and_may_fetch_its_file(run: Run) -> None:
    said = run("pnp", "approve", PHONE, "--customer", "nowyklienttestowy", "--name", "Recepcja 2")
    assert said.startswith(f"{PHONE} is listed, and may fetch its file until ")
    device = json.loads(run("devices", "show", PHONE, "--json"))
    assert (device["summary"]["model"], device["summary"]["name"]) == ("T46S", "Recepcja 2")
    assert device["window"]["state"] == "open"
    assert PHONE not in run("pnp", "list")


def test_a_phone_that_says_no_model_that_we_know_needs_one(run: Run) -> None:
    approve = ("pnp", "approve", OTHER, "--customer", "nowyklienttestowy")
    assert "is not a phone model we know" in run(*approve, code=1)
    run(*approve, "--model", "W52P")


def test_what_is_not_there_is_refused_with_advice(run: Run) -> None:
    missing = ("pnp", "approve", "00:15:65:00:00:09", "--customer", "nowyklienttestowy")
    assert "centralka devices import" in run(*missing, code=1)
    assert "there is no customer" in run("pnp", "approve", PHONE, "--customer", "nobody", code=1)


def test_an_empty_inbox_says_so(command: Run) -> None:
    command("init")
    assert command("pnp", "list") == "No phone waits to be approved.\n"
