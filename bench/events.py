"""How long after its 200 a registration is told at /api/v1/events.

    .venv/bin/python bench/events.py [--phones 2000] [--rate 100] [--readers 1]

Phones register for the first time, so many a second (`register_load.py`), while programs read the stream of
server-sent events. Both note the system's monotonic clock; a negative time is an event that came before the
200 did. The aim is 200 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path

import aiohttp
import stock
from our_registrar import our_registrar
from register_runs import load, percentile
from registrars import Registrar
from rich.console import Console

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.operations.api_tokens import create_token
from provisioner.operations.installation import opened
from provisioner.settings import read_settings

CONSOLE = Console()
AIM_MS = 200.0
PATIENCE_S = 10.0
"After the last 200; what is not told by then is lost."


class Reader:
    """A program that follows the stream."""

    def __init__(self, registrar: Registrar, token: str, wanted: int) -> None:
        self._url = f"{registrar.portal}/api/v1/events?kind=line.registered"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._wanted = wanted
        self.moments: dict[str, float] = {}
        "When each line was told of."
        self.is_open = asyncio.Event()

    async def read(self) -> None:
        """Until all that is wanted has come."""
        timeout = aiohttp.ClientTimeout()
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(self._url, headers=self._headers) as response,
        ):
            response.raise_for_status()
            async for line in response.content:
                self.is_open.set()
                if line.startswith(b"data:"):
                    now = time.monotonic()
                    told = json.loads(line[5:])["details"]["line"]
                    assert told not in self.moments, f"{told} was told twice"
                    self.moments[told] = now
                    if len(self.moments) == self._wanted:
                        return


async def measure(options: argparse.Namespace, registrar: Registrar, data_dir: Path) -> None:
    """All readers, while phones register."""
    config = data_dir.parent / "centralka.toml"
    async with opened(data_dir, read_settings(config)) as installation:
        token = (await create_token(installation, "bench", COMMAND_LINE)).token
    readers = [Reader(registrar, token, options.phones) for _ in range(options.readers)]
    async with asyncio.TaskGroup() as tasks:
        reading = [tasks.create_task(each.read()) for each in readers]
        for each in readers:
            await each.is_open.wait()
        plan = {"phones": options.phones, "rate": options.rate, "moments": True}
        seconds = options.phones / options.rate
        said = await asyncio.to_thread(load, registrar, seconds=seconds, **plan)
        _, late = await asyncio.wait(reading, timeout=PATIENCE_S)
        for each in late:
            each.cancel()
    answered = {stock.line(int(phone)): at for phone, at in said["moments"].items()}
    took = sorted(
        (each.moments[line] - at) * 1000
        for each in readers
        for line, at in answered.items()
        if line in each.moments
    )
    lost = len(answered) * len(readers) - len(took)
    within = sum(each <= AIM_MS for each in took) / max(1, len(took))
    CONSOLE.print(
        f"{len(answered):,} phones registered, {options.rate} a second, {options.readers} reading: told "
        f"after {percentile(took, 0.5):.1f} ms (p50), {percentile(took, 0.99):.1f} ms (p99), "
        f"{took[-1]:.1f} ms (longest); {within:.1%} within {AIM_MS:.0f} ms, {lost} never told"
    )


def main() -> None:
    """Parses what is asked for, and does it in a temporary directory."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--phones", type=int, default=2_000)
    parser.add_argument("--rate", type=int, default=100, help="registrations a second")
    parser.add_argument("--readers", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="centralka-bench-") as folder:
        place = Path(folder) / "ours"
        with our_registrar(place, options.phones) as registrar:
            asyncio.run(measure(options, registrar, place / "data"))


if __name__ == "__main__":
    main()
