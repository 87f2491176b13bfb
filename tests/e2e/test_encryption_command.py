"""`centralka encryption` as people run it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Run
from tests.provisioner.operations.small import DESK, small, written

ON = {"login": "firma", "phone": {"encryption": True}}


@pytest.fixture
def run(command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command, on a data directory with the company in it."""
    monkeypatch.chdir(tmp_path)
    Path("company.yaml").write_text(written(small()), encoding="utf-8")
    Path("on.yaml").write_text(written(ON), encoding="utf-8")
    command("init")
    command("apply", "company.yaml")
    return command


def test_keys_are_made_rotated_and_shown_by_their_versions(run: Run) -> None:
    assert "encryption: true" in run("encryption", "rotate", "firma", code=1)
    assert "No keys were made yet." in run("encryption", "show", "firma")
    assert "2 phones get new bytes" in run("apply", "on.yaml")
    assert "version 2: 2 phones are told" in run("encryption", "rotate", "firma")
    shown = run("encryption", "show", "firma")
    assert "newest keys have version 2" in shown
    found = json.loads(run("encryption", "show", "firma", "--json"))
    phone = found["phones"][0]
    assert phone == {
        "mac": str(DESK),
        "model": "T46S",
        "wanted": True,
        "state": "changing",
        "key": None,
        "told": 2,
        "bits": 256,
    }
    assert json.loads(run("encryption", "rotate", "firma", "--json"))["version"] == 3
    text = run("render", str(DESK))
    key = text.split("aes_key.mac = ")[1].split("\n")[0]
    assert len(key) == 32
    assert "encryption-key@" in run("render", str(DESK), "--mask")
    assert key not in shown + json.dumps(found)
    assert key.encode() not in Path("d/centralka.db").read_bytes()


def test_an_unknown_customer_is_refused(run: Run) -> None:
    assert "no customer 'nobody'" in run("encryption", "rotate", "nobody", code=1)
    assert "no customer 'nobody'" in run("encryption", "show", "nobody", code=1)
