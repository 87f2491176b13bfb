"""A client as a process of its own: what it says, how it ends, and that it does end."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

LONGEST_S = 60
"What takes longer has failed."
_SILENCE_S = 0.3
_PACKAGES = {
    "baresip": "baresip",
    "linphonec": "linphone-cli",
    "sipp": "sip-tester",
    "sipsak": "sipsak",
    "svcrack": "sipvicious",
    "svmap": "sipvicious",
    "svwar": "sipvicious",
}


def wanted(program: str) -> None:
    """Skips the test where Debian's program is missing, and fails it where `CI` is set."""
    if shutil.which(program) is None:
        missing = f"{program} is not installed: apt install {_PACKAGES[program]}"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)


@dataclass
class Program:
    """A running client. What it has said is kept."""

    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list)

    async def says(self, pattern: str) -> re.Match[str]:
        """The next of its lines that has `pattern` in it."""
        assert self.process.stdout is not None
        try:
            async with asyncio.timeout(LONGEST_S):
                while line := (await self.process.stdout.readline()).decode(errors="replace"):
                    self.lines.append(line)
                    if found := re.search(pattern, line):
                        return found
        except TimeoutError:
            pass
        raise AssertionError(f"it never said {pattern!r}: {''.join(self.lines)}")

    async def falls_silent(self) -> None:
        """Takes all that it has said, and returns when it says nothing for a moment."""
        assert self.process.stdout is not None
        with suppress(TimeoutError):
            while True:
                async with asyncio.timeout(_SILENCE_S):
                    self.lines.append((await self.process.stdout.readline()).decode(errors="replace"))

    async def skips(self) -> None:
        """Takes all that it has said by now."""
        assert self.process.stdout is not None
        with suppress(TimeoutError):
            async with asyncio.timeout(0):
                while line := await self.process.stdout.readline():
                    self.lines.append(line.decode(errors="replace"))

    def told(self, line: str) -> None:
        """Has it typed."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())

    async def ended(self) -> int:
        """Its exit code, when it has ended on its own or has been told to."""
        assert self.process.stdout is not None
        async with asyncio.timeout(LONGEST_S):
            rest = await self.process.stdout.read()
            self.lines.append(rest.decode(errors="replace"))
            return await self.process.wait()

    def interrupt(self) -> None:
        """As Ctrl-C does: it says good-bye to its server."""
        self.process.send_signal(signal.SIGINT)

    async def kill(self) -> None:
        """It has no time to say anything."""
        self.process.kill()
        await self.ended()


@asynccontextmanager
async def running(
    command: Sequence[str | Path],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    *,
    is_typed_to: bool = False,
) -> AsyncIterator[Program]:
    """The command as a process, in `folder`; it has ended when the context has."""
    wanted(str(command[0]))
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=asyncio.subprocess.PIPE if is_typed_to else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    program = Program(process)
    try:
        yield program
    finally:
        if process.returncode is None:
            await program.kill()
