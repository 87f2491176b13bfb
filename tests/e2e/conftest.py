"""The command, run in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from provisioner.cli import main

Run = Callable[..., str]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `centralka` on the data directory `d`, which `init` has to make; gives what it printed.

    It must end with `code`; what is given then is what it printed of errors.
    """

    def run(*arguments: str | Path, code: int = 0) -> str:
        monkeypatch.setattr(
            "sys.argv", ["centralka", *map(str, arguments), "--data-dir", str(tmp_path / "d")]
        )
        with pytest.raises(SystemExit) as ended:
            main()
        assert (ended.value.code or 0) == code
        said = capsys.readouterr()
        return said.err if code else said.out

    return run
