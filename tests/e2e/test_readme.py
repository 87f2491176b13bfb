"""The README's example, run as it stands there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
_RANDOM = (
    (re.compile(r"password: \w{20}"), "password: …"),
    (re.compile(r"user_password = (\w+):\w{14}"), r"user_password = \1:…"),
    (re.compile(r"/[0-9a-f]{32}/"), "/…/"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"), "…"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:…"),
)


def _steps() -> list[tuple[str, list[str]]]:
    """Each command of the block with the lines that it prints."""
    block = (PROJECT / "README.md").read_text(encoding="utf-8").split("```console\n")[1].split("```")[0]
    steps: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            steps.append((line[2:], []))
        else:
            steps[-1][1].append(line)
    return steps


def _plain(lines: list[str]) -> list[str]:
    for pattern, shown in _RANDOM:
        lines = [pattern.sub(shown, line) for line in lines]
    return lines


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    yield shell
    shell.end()


class Shell:
    """Runs the README's commands, on ports that are free and in a directory of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server: subprocess.Popen[str] | None = None
        self.ports: dict[str, str] = {}
        (folder / "provisioner").symlink_to(PROJECT / "provisioner")
        bin_dir = Path(sys.executable).parent
        self.env = {**os.environ, "PATH": f"{bin_dir}:{os.environ['PATH']}"}

    def run(self, command: str, expected: list[str]) -> list[str]:
        if command.endswith("&"):
            return self._serve(command.removesuffix("&"), len(expected))
        for written, real in self.ports.items():
            command = command.replace(written, real)
        done = subprocess.run(
            ["sh", "-c", command], cwd=self.folder, env=self.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def _serve(self, command: str, lines: int) -> list[str]:
        written = re.findall(r"127\.0\.0\.1:\d+", command)
        self.server = subprocess.Popen(
            shlex.split(re.sub(r"(127\.0\.0\.1):\d+", r"\1:0", command)),
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.server.stdout is not None
        printed = [self.server.stdout.readline().rstrip("\n") for _ in range(lines)]
        # SIP says its address for UDP and for TCP.
        real = dict.fromkeys(re.findall(r"127\.0\.0\.1:\d+", " ".join(printed)))
        self.ports = dict(zip(written, real, strict=True))
        return printed

    def end(self) -> None:
        if self.server is not None:
            self.server.send_signal(signal.SIGTERM)
            assert self.server.wait(timeout=60) == 0


def test_the_readme_shows_what_really_happens(shell: Shell):
    if shutil.which("curl") is None:
        missing = "curl is not installed: apt install curl"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    for command, expected in _steps():
        assert _plain(shell.run(command, expected)) == _plain(expected), command
