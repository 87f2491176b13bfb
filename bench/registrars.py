"""A registrar under load, in processes of its own on loopback, and what it uses of the machine."""

from __future__ import annotations

import re
import shutil
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import servers

HOST = "127.0.0.1"
_PACKAGES = {
    "kamailio": "kamailio kamailio-postgres-modules kamailio-sqlite-modules",
    "sipp": "sip-tester",
    "psql": "postgresql",
}
_OWN = re.compile(r"Pss_(?:Anon|Shmem): +(\d+)")


@dataclass(frozen=True)
class Registrar:
    """A registrar that is up."""

    name: str
    port: int
    password: str
    "Of the phone `{number}`, which counts from 0."
    roots: tuple[int, ...]
    "Processes that belong to it with all their children, such as those of its database."
    phones_port: int = field(default_factory=lambda: free_port())
    "Where its phones are: in each run the same, so that they are the same phones."
    portal: str = ""
    "Where programs hear of registrations, if it has such."

    def processes(self) -> list[int]:
        """All of its processes that run now."""
        found = list(self.roots)
        for pid in found:
            for task in _tasks(pid):
                found += map(int, _read(task / "children").split())
        return found

    def cpu_s(self) -> float:
        """CPU seconds of all of them, and of those that have ended."""
        used = 0
        for pid in self.processes():
            fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
            used += sum(map(int, fields[11:13])) if fields else 0
        return used / servers.CLOCK_TICKS

    def memory(self) -> int:
        """Bytes of memory of their own, what they share counted once.

        Without the files that they map: what of those counts for them depends on who else has them open.
        """
        rolled = (_read(Path(f"/proc/{pid}/smaps_rollup")) for pid in self.processes())
        return 1024 * sum(int(each) for text in rolled for each in _OWN.findall(text))


def _tasks(pid: int) -> Sequence[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return ()


def _read(file: Path) -> str:
    """The text of a file of /proc; nothing where the process has ended."""
    try:
        return file.read_text()
    except OSError:
        return ""


def wanted(*programs: str) -> None:
    """Ends the program where one of Debian's is missing."""
    missing = [_PACKAGES[each] for each in programs if shutil.which(each) is None]
    if missing:
        sys.exit(f"not installed: apt install {' '.join(missing)}")


def free_port() -> int:
    """One that is free for UDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tried:
        tried.bind((HOST, 0))
        return int(tried.getsockname()[1])
