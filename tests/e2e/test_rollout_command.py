"""`centralka rollout` as people run it, on a company whose change is staged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Run
from tests.provisioner.operations.small import DESK, HALL, ONE, TWO, phone, small, written

COMPANY = small(
    sites=[{"name": "Kraków"}],
    devices=[phone(DESK, "T46S", ONE, site="Kraków"), phone(HALL, "VP530P", TWO)],
)
CHANGE = {"login": "firma", "name": "Firma", "phone": {"language": "en"}}


@pytest.fixture
def run(command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command, on a data directory with the company in it and its change in `change.yaml`."""
    monkeypatch.chdir(tmp_path)
    Path("company.yaml").write_text(written(COMPANY), encoding="utf-8")
    Path("change.yaml").write_text(written(CHANGE), encoding="utf-8")
    command("init")
    command("apply", "company.yaml")
    return command


def test_a_staged_change_is_announced_shown_and_released(run: Run) -> None:
    said = run("apply", "change.yaml", "--staged")
    assert f"staged: {DESK} {DESK.hex}.cfg revision 2" in said
    assert "1 changes, 0 phones get new bytes, 2 keep what they have." in said
    assert "The rollout of firma is open" in said
    assert "2 phones wait, 0 are released" in run("rollout", "show")
    said = run("rollout", "release", "firma", "--site", "Kraków", "--dry-run")
    assert "1 phones get new bytes. Nothing was kept." in said
    assert "1 phones get new bytes.\n" in run("rollout", "release", "firma", "--site", "Kraków")
    (rollout,) = json.loads(run("rollout", "show", "firma", "--json"))
    assert (rollout["waiting"], rollout["released"], rollout["closed_at"]) == (1, 1, None)
    run("rollout", "release", "firma", "--all")
    assert run("rollout", "show") == "No rollout is open.\n"
    assert "closed" in run("rollout", "show", "firma")
    assert "2 phones get new bytes." in run("rollout", "back", "firma")
    assert json.loads(run("rollout", "back", "firma", "--json")) == {"dry_run": False, "files": []}


def test_lists_and_differences_tell_of_what_is_staged(run: Run) -> None:
    run("apply", "change.yaml", "--staged")
    assert "lang.gui" in run("diff", DESK.hex, "--staged")
    assert f"{DESK.hex}.cfg: revision 1, staged 2" in run("devices", "show", DESK.hex)
    first = json.loads(run("devices", "list", "--json"))[0]
    assert (first["revision"], first["staged_revision"], first["held_revision"]) == (1, 2, None)
    assert "leave the other option out" in run("diff", DESK.hex, "--staged", "--history", code=1)


@pytest.mark.parametrize(
    "options", [(), ("--all", "--site", "Kraków"), ("--device", DESK.hex, "--site", "Kraków")]
)
def test_a_release_says_for_which_phones(run: Run, options: tuple[str, ...]) -> None:
    run("apply", "change.yaml", "--staged")
    assert "say which phones" in run("rollout", "release", "firma", *options, code=1)


def test_a_step_back_is_for_a_phone_or_a_site(run: Run) -> None:
    said = run("rollout", "back", "firma", "--device", DESK.hex, "--site", "Kraków", code=1)
    assert "neither for all" in said


def test_a_customer_without_a_rollout_is_told_so(run: Run) -> None:
    assert run("rollout", "show", "firma") == "firma never had a rollout.\n"
    assert "every phone follows the data" in run("rollout", "release", "firma", "--all", code=1)
