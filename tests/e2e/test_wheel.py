"""The wheel holds all that the program needs: it is installed into an empty venv and runs there."""

from __future__ import annotations

import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    build = "from hatchling.build import build_wheel; import sys; print(build_wheel(sys.argv[1]))"
    name = subprocess.run(
        [sys.executable, "-c", build, str(out)], cwd=PROJECT, check=True, capture_output=True, text=True
    ).stdout.split()[-1]
    return out / name


def test_wheel_holds_the_packages_with_their_data_and_nothing_else(wheel: Path):
    names = zipfile.ZipFile(wheel).namelist()
    rooms = {name.split("/")[0] for name in names}
    assert {room for room in rooms if not room.endswith(".dist-info")} == {
        "db",
        "phone_templates",
        "provisioner",
        "sip",
    }
    for data in (
        "phone_templates/yealink/models.toml",
        "phone_templates/yealink/templates/base.cfg.j2",
        "provisioner/demo/company.yaml",
        "provisioner/simulation/profiles.toml",
        "provisioner/web/portal/static/live.js",
        "provisioner/web/portal/static/portal.css",
        "provisioner/web/portal/templates/base.html",
    ):
        assert data in names


def test_installed_wheel_runs_its_main_job_in_an_empty_venv(wheel: Path, tmp_path: Path):
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    pip = [str(venv / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", str(PROJECT / "requirements.lock")], check=True)
    subprocess.run([*pip, "--no-deps", str(wheel)], check=True)
    shown = subprocess.run(
        [str(venv / "bin" / "centralka"), "demo", "--check"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert shown.returncode == 0, shown.stdout + shown.stderr
    # The phones of test calls are a process of their own: it ends where nobody can want any.
    ours, theirs = socket.socketpair()
    ours.close()
    with theirs:
        phones = subprocess.run(
            [str(venv / "bin" / "python"), "-P", "-m", "sip.testcall"],
            cwd=tmp_path,
            check=False,
            stdin=theirs,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert (phones.returncode, phones.stdout, phones.stderr) == (0, "", "")
