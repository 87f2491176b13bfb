"""Addresses and ports of this machine that nobody else uses."""

from __future__ import annotations

import asyncio
import secrets
import socket
from pathlib import Path

from sip.transport.flow import Address

_SOCKETS = Path("/proc/net/udp")
_LONGEST_S, _LOOK_S = 60, 0.05


def own_network() -> str:
    """The first three bytes of a loopback network for one test: sources in it are no other test's."""
    return f"127.{1 + secrets.randbelow(254)}.{secrets.randbelow(256)}"


def free(host: str) -> Address:
    """A port of `host` that is free for UDP and for TCP, and so is the next, which baresip takes for TLS."""
    for _ in range(100):
        port = 10_000 + secrets.randbelow(20_000)
        try:
            for each in (port, port + 1):
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    with socket.socket(socket.AF_INET, kind) as tried:
                        tried.bind((host, each))
        except OSError:
            continue
        return Address(host, port)
    raise AssertionError(f"{host} has no free port")


async def listened_to(address: Address) -> None:
    """Returns when somebody takes datagrams there. To try the port would be to take it."""
    host = socket.inet_aton(address.host)[::-1].hex().upper()
    async with asyncio.timeout(_LONGEST_S):
        while f" {host}:{address.port:04X} " not in _SOCKETS.read_text():  # noqa: ASYNC110, ASYNC240
            await asyncio.sleep(_LOOK_S)
