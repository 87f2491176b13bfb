"""Servers in processes of their own, and what Linux knows of them."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from sip.transport.flow import Address

COMMAND = Path(sys.executable).with_name("centralka")
_LOOK_S = 0.02


@dataclass(frozen=True)
class Server:
    """`centralka serve` on free ports."""

    portal_url: str
    provisioning_url: str
    provisioning_tls_url: str | None
    sip: Address
    "For UDP and TCP."
    process: asyncio.subprocess.Process

    @property
    def pid(self) -> int:
        return self.process.pid

    def workers(self) -> list[int]:
        """The processes that it has started and that are alive."""
        return [pid for pid in _all_processes() if _parent(pid) == self.pid]

    @property
    def address(self) -> tuple[str, int]:
        """Of the phones' listener."""
        host, _, port = self.provisioning_url.removeprefix("http://").partition(":")
        return host, int(port)


@asynccontextmanager
async def served(
    data_dir: Path,
    database_url: str,
    *options: str,
    errors: int | None = None,
    tables: str = "",
    within: Sequence[str] = (),
) -> AsyncIterator[Server]:
    """The server of an installation, ended in order unless it has ended before.

    `tables` are further ones of its configuration file; `within` is what its command line begins with.
    """
    config = data_dir / "centralka.toml"
    # Tests keep connections open while they do other things.
    said = f'[database]\nurl = "{database_url}"\n[limits]\nidle_s = 3600\n'
    config.write_text(said + tables, encoding="utf-8")
    listen = ("--provisioning", "127.0.0.1:0", "--portal", "127.0.0.1:0", "--sip", "127.0.0.1:0", *options)
    process = await asyncio.create_subprocess_exec(
        *(*within, COMMAND, "serve", "--data-dir", data_dir, "--config", config, *listen),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=errors,
    )
    try:
        assert process.stdout is not None
        lines: dict[str, str] = {}
        while "portal" not in lines:
            name, _, url = (await process.stdout.readline()).decode().strip().partition(": ")
            assert url, "the server ended"
            lines[name] = url.rstrip("/")
        sip = Address("127.0.0.1", int(lines["sip"].rpartition(":")[2]))
        yield Server(lines["portal"], lines["provisioning"], lines.get("provisioning-tls"), sip, process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def connections(
    address: tuple[str, int], processes: Sequence[int], of_each: int = 1
) -> dict[int, list[HTTPConnection]]:
    """So many open connections with each of the processes, which listen together."""
    found: dict[int, list[HTTPConnection]] = {pid: [] for pid in processes}
    while any(len(each) < of_each for each in found.values()):
        connection = HTTPConnection(*address)
        connection.connect()
        while (pid := _accepted_by(connection.sock, processes)) is None:
            time.sleep(_LOOK_S)
        if len(found[pid]) < of_each:
            found[pid].append(connection)
        else:
            # The process that is asked to accept is for the system to choose.
            connection.close()
    return found


def _accepted_by(connection: socket.socket, processes: Sequence[int]) -> int | None:
    """Which of the processes holds the other end of a connection on this machine; None while it waits."""
    ours, theirs = (_as_in_proc(*end) for end in (connection.getsockname(), connection.getpeername()))
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        local, remote, *rest = line.split()[1:]
        if (local, remote) == (theirs, ours):
            name = f"socket:[{rest[6]}]"
            return next((pid for pid in processes if name in _open_files(pid)), None)
    return None


def is_alive(pid: int) -> bool:
    """Whether a process runs."""
    return _state(pid) not in (None, "Z")


def wait_until(happened: Callable[[], bool]) -> None:
    """Waits for what other processes do, a minute at the longest."""
    for _ in range(int(60 / _LOOK_S)):
        if happened():
            return
        time.sleep(_LOOK_S)
    raise AssertionError("it did not happen")


def _as_in_proc(host: str, port: int) -> str:
    return f"{int.from_bytes(socket.inet_aton(host), 'little'):08X}:{port:04X}"


def _all_processes() -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal()]


def _open_files(pid: int) -> set[str]:
    found = set()
    with suppress(OSError):
        for each in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                found.add(str(each.readlink()))
    return found


def _state(pid: int) -> str | None:
    said = _status(pid)
    return said[0] if said else None


def _parent(pid: int) -> int | None:
    said = _status(pid)
    return int(said[1]) if said and said[0] != "Z" else None


def _status(pid: int) -> list[str] | None:
    """What stands behind the name in proc(5)'s stat: state, parent …"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
