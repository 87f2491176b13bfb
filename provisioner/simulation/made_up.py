"""A made-up company and a server of its own for it, which leave nothing behind."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import cycle, islice
from pathlib import Path

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import CentralkaError
from provisioner.files.company import read_company_file
from provisioner.operations import claims, companies
from provisioner.operations.installation import Installation, initialise, opened
from provisioner.operations.stock import Stock, stock
from provisioner.settings import read_settings
from provisioner.virtual_phones.generations import FIRMWARE

_OF_A_COMPANY = 100
_OF_A_GROUP = 10
_STRATEGIES = ("order", "simultaneous", "random", "least_used")
_FIRST_MAC = 0x805EC0_000000
_FIRST_LINE = 48_220_000_000
_FIRST_EXTENSION = 1000
_FIRST_GROUP = 6000
_MODELS = tuple(FIRMWARE)
_COMMAND = "from provisioner.cli import main; main()"
_UP_S = 180.0
_END_S = 15.0
_TAIL = 500
"Characters of the log that say why a server did not start: the last."
_CONFIG = """
[listen]
portal = "127.0.0.1:0"
provisioning = "127.0.0.1:0"
sip = "127.0.0.1:0"
"""


class NotUp(CentralkaError):
    """The server for a made-up company did not start."""

    code = "not-up"


def companies_of(phones: int) -> Iterator[str]:
    """Company files for so many phones: companies of a hundred, with groups, keys, and all generations."""
    numbers = iter(range(phones))
    company = 0
    while own := list(islice(numbers, _OF_A_COMPANY)):
        yield _company(company, own)
        company += 1


def _company(company: int, phones: list[int]) -> str:
    extension = {phone: _FIRST_EXTENSION + place for place, phone in enumerate(phones)}
    lines = [f'{{number: "{_FIRST_LINE + each}", product: telefonia-ip-plus}}' for each in phones]
    extensions = [
        f'{{number: "{number}", line: "{_FIRST_LINE + each}", name: "Phone {number}"}}'
        for each, number in extension.items()
    ]
    groups = []
    for place in range(0, len(phones), _OF_A_GROUP):
        members = ", ".join(f'{{extension: "{extension[each]}"}}' for each in phones[place:][:_OF_A_GROUP])
        number = place // _OF_A_GROUP
        strategy = _STRATEGIES[number % len(_STRATEGIES)]
        groups.append(
            f'{{number: "{_FIRST_GROUP + number}", name: Group {number}, strategy: {strategy},'
            f" members: [{members}]}}"
        )
    devices = []
    for place, each in enumerate(phones):
        watched = islice(cycle(phones), place + 1, place + 3)
        keys = ", ".join(f'{{type: blf, value: "{extension[other]}"}}' for other in watched if other != each)
        devices.append(
            f'{{mac: "{_FIRST_MAC + each:012x}", model: {_MODELS[each % len(_MODELS)]},'
            f' accounts: [{{account: 1, line: "{_FIRST_LINE + each}"}}], keys: [{keys}]}}'
        )
    lists = {"lines": lines, "extensions": extensions, "hunt_groups": groups, "devices": devices}
    return (
        f"customers:\n  - login: {_login(company)}\n    name: Made up {company}\n"
        "    centrex: {extension_length: 4}\n"
        + "".join(
            f"    {name}:\n" + "".join(f"      - {each}\n" for each in entries)
            for name, entries in lists.items()
        )
    )


def _login(company: int) -> str:
    return f"made-up-{company}"


@asynccontextmanager
async def made_up(
    phones: int, made: Callable[[int], None], interrupted: asyncio.Event
) -> AsyncIterator[tuple[Installation, Stock]]:
    """An installation whose phones are all claimed, and its server, while the context lasts.

    `made` is told how many phones there are so far; `interrupted` has no more of them made. Raises `NotUp`.
    """
    with tempfile.TemporaryDirectory(prefix="centralka-simulate-") as folder:
        data_dir, config = Path(folder) / "data", Path(folder) / "centralka.toml"
        config.write_text(_CONFIG)
        settings = read_settings(config)
        await initialise(data_dir, settings)
        async with opened(data_dir, settings) as installation, _server(data_dir, config):
            done = 0
            for number, text in enumerate(companies_of(phones)):
                await companies.apply(installation, read_company_file(text.encode()), COMMAND_LINE)
                done += await claims.claim_new(installation, _login(number), COMMAND_LINE)
                made(done)
                if interrupted.is_set():
                    break
            yield installation, await stock(installation, None)


@asynccontextmanager
async def _server(data_dir: Path, config: Path) -> AsyncIterator[None]:
    """`centralka serve`, in a process of its own, up while the context lasts."""
    log = data_dir.parent / "log"
    with log.open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", "-c", _COMMAND, "serve", "--data-dir", str(data_dir), "--config", str(config)),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=said,
            # Ctrl-C goes to a whole session: its phones say goodbye first.
            start_new_session=True,
        )
    try:
        if not await _is_up(process):
            tail = log.read_text("utf-8", "replace").strip()[-_TAIL:]
            raise NotUp(f"the server for the made-up companies did not start: {tail}")
        yield
    finally:
        await _end(process)


async def _is_up(process: Process) -> bool:
    if process.stdout is None:
        raise AssertionError("it was asked for")
    with suppress(TimeoutError):
        async with asyncio.timeout(_UP_S):
            async for line in process.stdout:
                if line.startswith(b"portal: "):
                    return True
    return False


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(_END_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
