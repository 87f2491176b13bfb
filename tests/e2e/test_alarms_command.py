"""`centralka alarms` as people run it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.conftest import Run


@pytest.fixture
def run(command: Run, tmp_path: Path) -> Run:
    """The command, on a data directory in which two alarms wait."""
    command("init")
    with closing(sqlite3.connect(tmp_path / "d" / "centralka.db")) as database, database:
        database.executemany(
            "INSERT INTO alarms (kind, text, at) VALUES (?, ?, '2026-03-02 12:00:00.000000')",
            [("files", "[red]no files[/red]"), ("mac-scan", "a scan")],
        )
    return command


def test_alarms_are_listed_seen_to_and_listed_no_more(run: Run) -> None:
    said = run("alarms", "list")
    assert "[red]no files[/red]" in said
    assert said.index("a scan") < said.index("no files"), "the newest comes first"
    assert run("alarms", "ack", "1") == "1 alarm is seen to.\n"
    assert [alarm["number"] for alarm in json.loads(run("alarms", "list", "--json"))] == [2]
    assert run("alarms", "ack", "all") == "1 alarm is seen to.\n"
    assert run("alarms", "list") == "No alarm waits for anybody.\n"
    everything = json.loads(run("alarms", "list", "--all", "--json"))
    assert [alarm["number"] for alarm in everything] == [2, 1]
    assert all(alarm["acknowledged_at"] for alarm in everything)
    assert run("alarms", "ack", "all") == "0 alarms are seen to.\n"


def test_what_is_no_alarm_is_refused_with_advice(run: Run) -> None:
    for wrong in ("7", "seven"):
        assert "centralka alarms list" in run("alarms", "ack", wrong, code=1)
