"""From what is asked for to phones in their boxes, and the way to their server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import BadValue, CentralkaError
from provisioner.centrex.mac import MacAddress
from provisioner.operations import claims
from provisioner.operations.installation import opened
from provisioner.operations.stock import Stock, StockPhone, registered_lines, stock
from provisioner.settings import Settings
from provisioner.simulation.boxes import Packed, loopback_sources, own_source, packed
from provisioner.simulation.detours import Listening, ToServer, ToThisMachine, listening, trust
from provisioner.simulation.made_up import made_up
from provisioner.simulation.room import make_room
from provisioner.virtual_phones.network import Network

_NAMED = 5


class InUse(CentralkaError):
    """Somebody has registered a line that a virtual phone would register."""

    code = "in-use"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which phones of an installation."""

    customer: str | None
    "A login; None: of all."
    macs: frozenset[MacAddress] = frozenset()
    "These alone; empty: all."
    most: int | None = None
    "So many of them."
    claims: bool = False
    "Those that have never come are claimed, and come from their boxes."
    replaces: bool = False
    "Also where lines are registered by somebody now."
    server_url: str | None = None
    "Where their files are; None: on this machine."


@dataclass(frozen=True, slots=True)
class Ready:
    """All that `Simulation` wants."""

    packed: Packed
    network: Network
    server: int | None
    "The process that serves; None: it runs elsewhere."
    where: str
    "For people."


@asynccontextmanager
async def from_stock(data_dir: Path, settings: Settings, wanted: Wanted) -> AsyncIterator[Ready]:
    """The phones of an installation, while the context lasts.

    Raises `InUse`, `NoServer`, `NotFound`, and `BadValue` where there is no phone to be plugged in.
    """
    async with opened(data_dir, settings) as installation:
        server = await listening(data_dir) if wanted.server_url is None else None
        found = await stock(installation, wanted.customer, wanted.macs)
        phones = _chosen(found, wanted)
        make_room(len(phones))
        lines = frozenset(line for phone in phones for line in phone.lines)
        taken = await registered_lines(installation, wanted.customer, lines)
        if taken and not wanted.replaces:
            raise InUse(
                f"{len(taken)} of these lines are registered now ({_some(taken)}): virtual phones would ring"
                " beside the real ones and answer their calls; choose others, or say --yes if that is wanted"
            )
        fresh: set[str] = set()
        if wanted.claims:
            for phone in phones:
                if phone.token is None:
                    await claims.claim(installation, phone.mac, COMMAND_LINE)
                    fresh.add(phone.mac.hex)
        ready = _ready(found, phones, settings, wanted.server_url, server, fresh)
        if not ready.packed.boxes:
            why = next((f": {mac}: {why}" for mac, why in ready.packed.left_out), "")
            raise BadValue(
                f"there is no phone that could be plugged in{why}; say --claim for those that never came,"
                " or simulate --made-up ones"
            )
        yield ready


@asynccontextmanager
async def from_nothing(
    phones: int, made: Callable[[int], None], interrupted: asyncio.Event
) -> AsyncIterator[Ready]:
    """Made-up phones and a server of their own, while the context lasts; see `made_up`.

    Raises `BadValue` for more phones than this process may have sockets for.
    """
    make_room(phones)
    async with made_up(phones, made, interrupted) as (installation, found):
        server = await listening(installation.data_dir)
        fresh = {phone.mac.hex for phone in found.phones}
        yield _ready(found, found.phones, installation.settings, None, server, fresh)


def _ready(
    found: Stock,
    phones: Collection[StockPhone],
    settings: Settings,
    server_url: str | None,
    server: Listening | None,
    fresh: Collection[str],
) -> Ready:
    tls = trust(settings)
    if server is not None:
        here = ToThisMachine(found.provisioning_url, server, tls)
        boxes = packed(found, phones, loopback_sources(), fresh)
        return Ready(boxes, here, server.pid, "this machine's server")
    if server_url is None:
        raise AssertionError("either is known")
    there = ToServer(found.provisioning_url, server_url, tls)
    parts = urlsplit(server_url)
    try:
        sources = own_source(parts.hostname or "", parts.port or 80)
        first = packed(found, phones, sources, fresh)
    except OSError as error:
        raise BadValue(f"there is no way to {server_url}: {error.strerror or error}") from error
    return Ready(first, there, None, server_url)


def _chosen(found: Stock, wanted: Wanted) -> tuple[StockPhone, ...]:
    """The first of those that can come, and all others behind them."""
    able = sorted(found.phones, key=lambda phone: (phone.token is None and not wanted.claims, phone.mac.hex))
    return tuple(islice(able, wanted.most))


def _some(lines: list[str]) -> str:
    return ", ".join(lines[:_NAMED]) + (", …" if len(lines) > _NAMED else "")
