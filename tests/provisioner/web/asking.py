"""Asking the phones' listener over real HTTP, from any loopback address, and looking behind the answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import aiohttp
from sqlalchemy import Engine, event, inspect, select
from yarl import URL

from db.engine import Database
from db.plain import Rows
from db.schema import (
    AlarmRow,
    DeviceRow,
    DeviceTokenRow,
    LineRow,
    ProvisioningRequestRow,
    SettingRow,
)
from phone_templates.cfg import parse
from phone_templates.yealink.boot import BootMachine
from phone_templates.yealink.models import find_model
from provisioner.app import Running
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.mac import MacAddress
from provisioner.operations import claims
from provisioner.operations.asking import Answer, Ask
from provisioner.operations.devices import Details, show_device
from provisioner.operations.installation import Installation
from provisioner.operations.provisioning import answer
from provisioner.store.secret_values import open_secrets
from provisioner.virtual_phones.booting import Boot, boot
from provisioner.virtual_phones.generations import FIRMWARE

_counting = ContextVar("counting", default=False)
VP530P = "001565314bc0"
T46G = "0015654aa937"
T23G = "0015659370f2"
T46S = "805ec0123456"
"Its second account has the line of the VP530P."
T54W = "249ad8000054"
MODELS = {VP530P: "VP530P", T46G: "T46G", T23G: "T23G", T46S: "T46S", T54W: "T54W"}
"The sample company's phones: one of each generation."
UNLISTED = "001565ffffff"

PHONE = "127.0.0.11"
STRANGER = "127.0.0.99"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
CLOSED = (404, b"Not found.\n")


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    "Names as sent, in order."
    body: bytes

    def header(self, name: str) -> str | None:
        """One header's value."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def looks(self) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        """All that a stranger sees of it but the clock."""
        return self.status, tuple(each for each in self.headers if each[0] != "Date"), self.body

    @property
    def settings(self) -> dict[str, str]:
        """The body read as a .cfg."""
        return dict(parse(self.body.decode("utf-8")))


async def ask(
    server: Running,
    path: str,
    *,
    method: str = "GET",
    source: str = PHONE,
    agent: str = "",
    headers: Mapping[str, str] | None = None,
    data: bytes | None = None,
) -> Reply:
    """One request; `path` goes out as it is."""
    url = URL(f"{server.provisioning_url}{path}", encoded=True)
    sent = {"User-Agent": agent, **(headers or {})}
    connector = aiohttp.TCPConnector(local_addr=(source, 0))
    async with (
        aiohttp.ClientSession(connector=connector, auto_decompress=False) as session,
        session.request(method, url, headers=sent, data=data, allow_redirects=False) as response,
    ):
        body = await response.read()
        names = tuple((key.decode(), value.decode()) for key, value in response.raw_headers)
        return Reply(response.status, names, body)


async def ask_all(server: Running, wanted: Sequence[tuple[str, str]], *, source: str) -> list[Reply]:
    """Many requests (method, path) over one connection."""
    connector = aiohttp.TCPConnector(local_addr=(source, 0), limit=1)
    replies = []
    async with aiohttp.ClientSession(connector=connector) as session:
        for method, path in wanted:
            url = URL(f"{server.provisioning_url}{path}", encoded=True)
            async with session.request(method, url) as response:
                names = tuple((key.decode(), value.decode()) for key, value in response.raw_headers)
                replies.append(Reply(response.status, names, await response.read()))
    return replies


async def ask_raw(
    server: Running, target: bytes, *, method: bytes = b"GET", source: str = STRANGER, header: bytes = b""
) -> Reply:
    """One request of bytes that no client library would send; `header` is whole lines."""
    host, _, port = server.provisioning_url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), local_addr=(source, 0))
    writer.write(method + b" " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + header + b"\r\n")
    received = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    return Reply(int(status.split()[1]), headers, body)


async def decide(
    installation: Installation,
    path: str,
    now: datetime,
    *,
    source: str = PHONE,
    agent: str = "",
    clear_text: bool = True,
    head: bool = False,
) -> Answer:
    """What the server decides at the moment `now`, without the server."""
    token, _, rest = path.lstrip("/").rpartition("/")
    return await answer(
        installation, Ask(token or None, rest, source, agent, clear_text, counts_as_fetch=not head), now
    )


def phone(server: Running, mac: str, firmware: str | None = None) -> BootMachine:
    """The sample company's phone, at a plug whose DHCP tells it the server (option 66)."""
    model = MODELS[mac]
    return BootMachine(
        mac, find_model(model), firmware or FIRMWARE[model], dhcp_url=f"{server.provisioning_url}/"
    )


async def claim(installation: Installation, mac: str) -> claims.Claimed:
    """Opens the window."""
    return await claims.claim(installation, MacAddress(mac), COMMAND_LINE)


async def release(installation: Installation, mac: str) -> None:
    """Revokes everything."""
    await claims.release(installation, MacAddress(mac), COMMAND_LINE)


async def settled(
    installation: Installation, server: Running, mac: str, firmware: str | None = None
) -> BootMachine:
    """A phone that was claimed, booted twice, and so has its own address."""
    await claim(installation, mac)
    machine = phone(server, mac, firmware)
    await booted(machine)
    await booted(machine)
    return machine


async def booted(machine: BootMachine, source: str = PHONE) -> Boot:
    """One boot over real HTTP."""
    return await boot(machine, source)


async def secret(installation: Installation, name: str) -> str:
    """Today's value of a secret, such as `device/001565314bc0/token`."""
    async with installation.database.read() as session:
        return (await open_secrets(session, installation.vault, [f"{name}@1"]))[f"{name}@1"]


async def token_of(installation: Installation, mac: str) -> str:
    """The newest device token."""
    return await secret(installation, f"device/{mac}/token")


async def service_of(installation: Installation, mac: str) -> str:
    """The service token."""
    return await secret(installation, f"device/{mac}/service-token")


async def all_secrets(installation: Installation) -> dict[str, str]:
    """Every secret that the vault holds for phones, by what it is, old tokens too."""
    opened = installation.vault.open
    async with installation.database.read() as session:
        found = {
            f"line {line.number}": opened(line.password_sealed)
            for line in await session.scalars(select(LineRow))
        }
        for device in await session.scalars(select(DeviceRow)):
            found[f"service {device.mac}"] = opened(device.service_token_sealed)
            found[f"admin {device.mac}"] = opened(device.admin_password_sealed)
            found[f"user {device.mac}"] = opened(device.user_password_sealed)
        for token in await session.scalars(select(DeviceTokenRow)):
            found[f"token {token.device_id}.{token.version}"] = opened(token.token_sealed)
        for row in await session.scalars(select(SettingRow).where(SettingRow.value_sealed.is_not(None))):
            found[f"setting {row.id}"] = opened(row.value_sealed or b"")
    return found


async def requests(installation: Installation, server: Running | None = None) -> list[ProvisioningRequestRow]:
    """Everything that is kept, the oldest first; with `server`, of all that was asked before."""
    if server is not None:
        await server.settled()
    async with installation.database.read() as session:
        query = select(ProvisioningRequestRow).order_by(ProvisioningRequestRow.id)
        return list(await session.scalars(query))


async def shown(installation: Installation, server: Running, mac: str) -> Details:
    """What `devices show` says, when all that was asked before is stored."""
    await requests(installation, server)
    return await show_device(installation, MacAddress(mac))


async def alarms(installation: Installation) -> list[AlarmRow]:
    """Every alarm."""
    async with installation.database.read() as session:
        return list(await session.scalars(select(AlarmRow).order_by(AlarmRow.id)))


async def row_of(installation: Installation, mac: str) -> DeviceRow:
    """The device as it is stored."""
    async with installation.database.read() as session:
        row = await session.scalar(select(DeviceRow).where(DeviceRow.mac == mac))
        assert row is not None
        return row


def text_of(row: ProvisioningRequestRow) -> str:
    """All columns of a kept request in one text."""
    return " ".join(str(getattr(row, column.key)) for column in inspect(ProvisioningRequestRow).columns)


@contextmanager
def statements_sent() -> Iterator[list[str]]:
    """The SQL that the caller, and the tasks it starts, carry out meanwhile; not a server's beside it."""
    sent: list[str] = []
    ours = _counting.set(True)

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if _counting.get():
            sent.append(statement)

    plain = Database.rows

    async def rows(self: Database, statement: str, **parameters: object) -> Rows:
        if _counting.get():
            sent.append(statement)
        return await plain(self, statement, **parameters)

    event.listen(Engine, "after_cursor_execute", count)
    Database.rows = rows  # type: ignore[method-assign]
    try:
        yield sent
    finally:
        Database.rows = plain  # type: ignore[method-assign]
        event.remove(Engine, "after_cursor_execute", count)
        _counting.reset(ours)
