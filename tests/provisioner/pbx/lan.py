"""A network of its own for a test: a server's machine, a phone's, and a wire between them (Linux, root)."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)
SERVER, PHONE, OTHER, STRANGER = "10.77.0.1", "10.77.0.2", "10.77.0.3", "203.0.113.5"
"The last three are one machine; the last one is of a network that is not configured."


@dataclass(frozen=True)
class Lan:
    """Two network namespaces."""

    server: str
    phone: str
    wire: str
    "The server's interface."

    @contextmanager
    def inside(self, machine: str) -> Iterator[None]:
        """What this thread opens while the context lasts, it opens on that machine."""
        with Path("/proc/thread-self/ns/net").open("rb") as here:
            _enter(Path("/run/netns", machine))
            try:
                yield
            finally:
                _set(here.fileno())

    def socket(self, machine: str, host: str, port: int) -> socket.socket:
        """A bound UDP socket on that machine."""
        with self.inside(machine):
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setblocking(False)
        made.bind((host, port))
        if host != "0.0.0.0":  # noqa: S104 - compared, not listened on
            made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(host))
        return made


def _enter(namespace: Path) -> None:
    with namespace.open("rb") as there:
        _set(there.fileno())


def _set(namespace: int) -> None:
    if _LIBC.setns(namespace, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


@contextmanager
def wired() -> Iterator[Lan]:
    """The network, gone when the context ends. Skips the test where it can't be made; fails it in CI."""
    lan = Lan(f"centralka-{os.getpid()}-server", f"centralka-{os.getpid()}-phone", "lan0")
    missing = _missing(lan.server)
    if missing is not None:
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with ExitStack() as stack:
        stack.callback(_ip, "netns", "delete", lan.server)
        _ip("netns", "add", lan.phone)
        stack.callback(_ip, "netns", "delete", lan.phone)
        # The wire goes with its namespaces.
        _ip(
            *("link", "add", "lan0", "netns", lan.server, "type", "veth"),
            *("peer", "name", "eth0", "netns", lan.phone),
        )
        _ip("-n", lan.server, "address", "add", f"{SERVER}/24", "dev", "lan0")
        for host in (PHONE, OTHER, STRANGER):
            _ip("-n", lan.phone, "address", "add", f"{host}/24", "dev", "eth0")
        for machine, wire in ((lan.server, "lan0"), (lan.phone, "eth0")):
            _ip("-n", machine, "link", "set", wire, "up")
            _ip("-n", machine, "link", "set", "lo", "up")
        _ip("-n", lan.server, "route", "add", "203.0.113.0/24", "dev", "lan0")
        yield lan


def _missing(machine: str) -> str | None:
    """Makes the first machine. Returns why none can be made; None: it is there."""
    if shutil.which("ip") is None:
        return "ip is not installed: apt install iproute2"
    done = _run("netns", "add", machine)
    if done.returncode != 0:
        return f"network namespaces want root, and a machine that lets it make them: {done.stderr.strip()}"
    return None


def _ip(*arguments: str) -> None:
    done = _run(*arguments)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
