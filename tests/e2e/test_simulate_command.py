"""`centralka simulate`: what it refuses, and made-up phones from the first plug to the report."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest

from tests.e2e.conftest import Run


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--made-up", "5", "--customer", "somebody"), "leave the rest out"),
        (("--made-up", "5", "--device", "00:15:65:31:4b:c0"), "leave the rest out"),
        (("--made-up", "5", "--profile", "nobody"), "choose one of office, call-centre, quiet"),
        (("--device", "nonsense"), "nonsense"),
    ],
)
def test_what_makes_no_sense_is_refused(command: Run, asked: tuple[str, ...], said: str):
    assert said in " ".join(command("simulate", *asked, code=1).split())


def test_it_starts_no_server_for_the_phones_of_an_installation(command: Run):
    command("init")
    assert "no server runs on" in command("simulate", code=1)


def test_made_up_phones_come_up_on_a_server_of_their_own_and_leave_nothing(
    command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    slowly = ("--over", "0", "--for", "0", "--patience", "600", "--hurry", "1000")
    report = json.loads(command("simulate", "--made-up", "2", *slowly, "--json"))
    assert (report["phones"], report["up"]) == (2, 2)
    assert report["server_cpu_s"] is not None
    assert list(tmp_path.iterdir()) == []
