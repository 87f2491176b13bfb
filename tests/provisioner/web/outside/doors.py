"""All doors for phones, open at once, and clients that send bytes to them and take bytes as they come."""

from __future__ import annotations

import asyncio
import re
import ssl
import warnings
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from provisioner.app import Running, serving
from provisioner.operations.installation import Installation
from tests.provisioner.web.asking import STRANGER
from tests.provisioner.web.authorities import Authority, Shown

PATIENCE_S = 60
"Whoever waits longer waits for nothing."
CLOSED = (
    b"HTTP/1.1 404 Not Found\r\n"
    b"Server: centralka\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: 11\r\n"
    b"\r\n"
    b"Not found.\n"
)
"The closed answer, byte for byte as `undated` leaves it."
UNREADABLE = (
    b"HTTP/1.0 400 Bad Request\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Server: centralka\r\n"
    b"Content-Length: 13\r\n"
    b"\r\n"
    b"Bad request.\n"
)
"What a request that can't be read gets; the connection ends (RFC 9112 §9.3)."
_DATE = re.compile(rb"Date: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n")
_NONCE = re.compile(rb'nonce="[^"]*"')


@dataclass(frozen=True)
class Door:
    """One listener, and how a client speaks there."""

    port: int
    tls: ssl.SSLContext | None = None
    folder: bytes = b"/"
    "Before the name of a file."


@dataclass
class Line:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, words: bytes) -> None:
        """Sends them; the server may have hung up."""
        with suppress(ConnectionError):
            self.writer.write(words)
            await self.writer.drain()

    async def answer(self, *, head: bool = False) -> bytes:
        """The next answer, whole; of HEAD its head."""
        async with asyncio.timeout(PATIENCE_S):
            heard = await self.reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"\r\nContent-Length: (\d+)\r\n", heard)
            return heard if head or length is None else heard + await self.reader.readexactly(int(length[1]))

    async def rest(self) -> bytes:
        """All that comes until the server hangs up."""
        heard = bytearray()
        # Over bytes that it had not read yet, the kernel resets.
        with suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE_S):
                while piece := await self.reader.read(2**16):
                    heard += piece
        return bytes(heard)

    async def end(self) -> None:
        self.writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await self.writer.wait_closed()


@asynccontextmanager
async def line_to(door: Door, source: str = STRANGER) -> AsyncIterator[Line]:
    """A connection from a loopback address."""
    name = None if door.tls is None else "127.0.0.1"
    line = Line(
        *await asyncio.open_connection(
            "127.0.0.1", door.port, ssl=door.tls, server_hostname=name, local_addr=(source, 0)
        )
    )
    try:
        yield line
    finally:
        await line.end()


async def said_and_heard(door: Door, words: bytes, source: str = STRANGER) -> bytes:
    """What comes on a connection of its own until the server ends it."""
    async with line_to(door, source) as line:
        await line.say(words)
        return await line.rest()


def undated(answers: bytes) -> bytes:
    """Without the clock."""
    return _DATE.sub(b"", answers)


def without_nonces(answers: bytes) -> bytes:
    """Without what a challenge has of its own."""
    return _NONCE.sub(b"", answers)


@dataclass(frozen=True)
class Doors:
    """A server with every listener that there is."""

    running: Running
    of: Mapping[str, Door]
    "By what a scanner would call them."

    @property
    def clear(self) -> Door:
        return self.of["clear text"]

    @property
    def tls(self) -> Door:
        return self.of["TLS"]


@dataclass(frozen=True)
class Papers:
    """The certificates of a server and of phones, made once for a run."""

    server: Shown
    vendor: Authority
    generic: Shown
    "The same on every phone of the vendor."
    other: Shown
    "Of the phone `OTHER`."

    @classmethod
    def make(cls, folder: Path, other: str) -> Papers:
        own, vendor = Authority.make(folder / "server"), Authority.make(folder / "vendor")
        server = own.issue("pbx.example.com", alternative="IP:127.0.0.1", key=("rsa:2048",))
        return cls(server, vendor, vendor.issue("Vendor Phone"), vendor.issue(other))


@asynccontextmanager
async def all_doors(
    installation: Installation, papers: Papers, **changed: Mapping[str, object]
) -> AsyncIterator[Doors]:
    """The server, up; `changed` is more to say in sections of the settings."""
    changed = {
        "listen": {f"provisioning_{name}": "127.0.0.1:0" for name in ("tls", "certificates", "legacy_tls")},
        "tls": {
            "certificate": papers.server.chain,
            "private_key": papers.server.key,
            "device_ca": papers.vendor.chain,
        },
        **changed,
    }
    settings = installation.settings
    sections = {name: getattr(settings, name).model_copy(update=more) for name, more in changed.items()}
    said: list[str] = []
    async with serving(
        replace(installation, settings=settings.model_copy(update=sections)), said.append
    ) as running:
        lines = dict(line.split(": ", 1) for line in said)
        port = {name: int(url.rstrip("/").rpartition(":")[2]) for name, url in lines.items()}
        yield Doors(
            running,
            {
                "clear text": Door(port["provisioning"]),
                "TLS": Door(port["provisioning-tls"], client_tls()),
                "a generic certificate": Door(port["provisioning-certificates"], client_tls(papers.generic)),
                "another phone's certificate": Door(
                    port["provisioning-certificates"], client_tls(papers.other)
                ),
                "old TLS": Door(port["provisioning-legacy-tls"], client_tls(is_old=True)),
                "a login": Door(port["provisioning"], folder=b"/auth/"),
            },
        )


def client_tls(shown: Shown | None = None, *, is_old: bool = False) -> ssl.SSLContext:
    """A phone that believes any server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if is_old:
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    if shown is not None:
        context.load_cert_chain(shown.chain, shown.key)
    return context
