"""`centralka token` as people run it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from provisioner.cli import main


def test_a_token_is_made_listed_and_revoked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def run(*arguments: str, code: int = 0) -> str:
        monkeypatch.setattr("sys.argv", ["centralka", *arguments, "--data-dir", str(tmp_path / "data")])
        with pytest.raises(SystemExit) as ended:
            main()
        assert (ended.value.code or 0) == code
        said = capsys.readouterr()
        return said.err if code else said.out

    run("init")
    said = run("token", "create", "--name", "monitor", "--days", "30")
    (token,) = re.findall(r"^Token 1: ([0-9a-f]{32})$", said, re.MULTILINE)
    listed = run("token", "list")
    assert "monitor" in listed
    assert "everything" in listed
    assert token not in listed
    assert run("token", "revoke", "1") == "Token 1 (monitor) opens nothing any more.\n"
    [kept] = json.loads(run("token", "list", "--json"))
    assert kept["revoked_at"] is not None
    assert token not in str(kept)
    assert "there is no customer" in run("token", "create", "--name", "x", "--customer", "nobody", code=1)
    assert "there is no token 7" in run("token", "revoke", "7", code=1)
