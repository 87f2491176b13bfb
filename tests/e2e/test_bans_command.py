"""`centralka bans` as people run it."""

from __future__ import annotations

import json

import pytest

from tests.e2e.conftest import Run


@pytest.fixture
def run(command: Run) -> Run:
    """The command, on a new data directory."""
    command("init")
    return command


def test_a_source_is_banned_shown_and_let_go_again(run: Run) -> None:
    assert run("bans", "list") == "Nobody is banned.\n"
    assert run("bans", "add", "192.0.2.7", "--minutes", "90").startswith(
        "192.0.2.7 gets nothing without a token until "
    )
    run("bans", "add", "2001:db8::7")
    listed = {ban["source"]: ban for ban in json.loads(run("bans", "list", "--json"))}
    assert set(listed) == {"192.0.2.7", "2001:db8::/64"}
    ban = listed["192.0.2.7"]
    assert (ban["verdict"], ban["misses"], ban["actor"]) == ("banned", 0, "cli")
    assert "2001:db8::/64" in run("bans", "list")
    assert run("bans", "lift", "2001:db8::99") == "2001:db8::/64 is free again.\n"
    assert [ban["source"] for ban in json.loads(run("bans", "list", "--json"))] == ["192.0.2.7"]


def test_what_is_no_source_and_who_is_not_banned_are_refused_with_advice(run: Run) -> None:
    assert "such as 192.0.2.7" in run("bans", "add", "192.0.2.0/24", code=1)
    assert "centralka bans list" in run("bans", "lift", "192.0.2.7", code=1)
