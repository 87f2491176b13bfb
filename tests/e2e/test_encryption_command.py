"""`centralka encryption` as people run it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioner.cli import main
from tests.provisioner.operations.small import DESK, small, written

Run = Callable[..., str]
ON = {"login": "firma", "phone": {"encryption": True}}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command, on a data directory with the company in it."""

    def run(*arguments: str, fails: bool = False) -> str:
        monkeypatch.setattr("sys.argv", ["centralka", *arguments, "--data-dir", str(tmp_path / "d")])
        with pytest.raises(SystemExit) as ended:
            main()
        assert bool(ended.value.code) is fails
        said = capsys.readouterr()
        return said.err if fails else said.out

    monkeypatch.chdir(tmp_path)
    Path("company.yaml").write_text(written(small()), encoding="utf-8")
    Path("on.yaml").write_text(written(ON), encoding="utf-8")
    run("init")
    run("apply", "company.yaml")
    return run


def test_keys_are_made_rotated_and_shown_by_their_versions(run: Run) -> None:
    assert "encryption: true" in run("encryption", "rotate", "firma", fails=True)
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
    assert "no customer 'nobody'" in run("encryption", "rotate", "nobody", fails=True)
    assert "no customer 'nobody'" in run("encryption", "show", "nobody", fails=True)
