"""A way to a TLS server for tools that know TCP only."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from sip.transport.flow import Address


@asynccontextmanager
async def tunnel(server: Address, host: str, trusted: Path) -> AsyncIterator[Address]:
    """Where TCP is taken, to go on from `host` by TLS to `server`, which must be known by `trusted`."""
    context = ssl.create_default_context(cafile=str(trusted))

    async def goes_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_connection(
            server.host, server.port, ssl=context, local_addr=(host, 0)
        )
        await asyncio.gather(_copy(reader, here), _copy(there, writer))

    listening = await asyncio.start_server(goes_on, host)
    try:
        yield Address(*listening.sockets[0].getsockname())
    finally:
        listening.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until the one who writes has hung up; then the other one is told."""
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
