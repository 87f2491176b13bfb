"""The verb `lint`: words for people, JSON for programs, and an exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from provisioner.cli import app
from tests.provisioner.conftest import SAMPLE


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A data directory, fresh."""
    done = CliRunner().invoke(app, ["init", "--data-dir", str(tmp_path / "office")])
    assert done.exit_code == 0, done.output
    return tmp_path / "office"


PHONE = "24:9a:d8:00:00:54"
LINE = next(number for number, text in enumerate(SAMPLE.read_text("utf-8").splitlines(), 1) if PHONE in text)
"Where the sample company lists it."


def spoilt(tmp_path: Path) -> Path:
    file = tmp_path / "company.yaml"
    file.write_text(SAMPLE.read_text("utf-8").replace("modules: 1", "modules: 5"), "utf-8")
    return file


def test_errors_are_said_with_their_line_and_make_the_exit_code_1(office: Path, tmp_path: Path):
    done = CliRunner().invoke(app, ["lint", str(spoilt(tmp_path)), "--data-dir", str(office)])
    assert done.exit_code == 1
    assert f"company.yaml:{LINE}: nowyklienttestowy: device {PHONE}  [too-many-modules]" in done.output
    assert "-> set modules to 3" in done.output
    assert done.output.splitlines()[-1].startswith("1 error, ")


def test_without_errors_the_exit_code_is_0(office: Path):
    file = CliRunner().invoke(app, ["lint", str(SAMPLE), "--data-dir", str(office)])
    stored = CliRunner().invoke(app, ["lint", "--data-dir", str(office)])
    assert (file.exit_code, stored.exit_code) == (0, 0)
    assert stored.output == "Nothing to say: all of it should work.\n"


def test_programs_get_the_findings_as_data(office: Path, tmp_path: Path):
    done = CliRunner().invoke(app, ["lint", str(spoilt(tmp_path)), "--json", "--data-dir", str(office)])
    assert done.exit_code == 1
    first = json.loads(done.stdout)[0]
    assert first.pop("message")
    assert first == {
        "code": "too-many-modules",
        "severity": "error",
        "customer": "nowyklienttestowy",
        "subject": {"kind": "device", "name": PHONE},
        "advice": "set modules to 3",
        "line": LINE,
    }
