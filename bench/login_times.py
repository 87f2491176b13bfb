"""Whether the time of a refused login at `/auth` tells if the MAC is listed.

Run it with `.venv/bin/python bench/login_times.py`. For three seeds it takes as many answers to wrong
passwords for listed MACs, for listed ones whose phones have just logged in, and for unlisted ones, in random
order and in one process, and compares the times by Mann and Whitney's U test (two-sided, normal
approximation): where p is small, a stranger who measures as often could tell them apart. It ends with 1 if
that is so in two of three.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mann_whitney import p_of
from rich.console import Console
from rich.table import Table

from db.queries.devices import all_devices
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.files.company import read_company_file
from provisioner.operations.asking import Ask, Reason
from provisioner.operations.companies import apply
from provisioner.operations.installation import initialise, opened
from provisioner.settings import read_settings
from provisioner.web.autoprovision.digest import REALM, Logins, Said
from sip.digest import Challenge, ha1, parse_challenges

PHONES = 300
SOURCE = "10.0.0.7"
AGENT = "Yealink SIP-T46S 66.86.0.15"
SUSPICIOUS = 0.01
KINDS = ("listed", "listed, was here", "unlisted")


def company() -> bytes:
    """A company with `PHONES` phones without lines, whose MACs end in even numbers."""
    devices = "".join(f'      - {{mac: "805ec000{2 * n:04x}", model: T46S}}\n' for n in range(PHONES))
    return f"customers:\n  - login: bench\n    name: Bench\n    devices:\n{devices}".encode()


@dataclass(frozen=True)
class Gate:
    """One process's gate, and what it takes to ask there."""

    logins: Logins
    challenge: Challenge

    async def answer(self, mac: str, token: str) -> tuple[str, int]:
        """The reason, and how many nanoseconds the answer took."""
        target = f"/auth/{mac}.boot"
        key = ha1(self.challenge.algorithm, mac, REALM, token)
        words = str(self.challenge.answered(mac, key, "GET", target, cnonce="0a4f113b"))
        asks = Ask(None, target.lstrip("/"), SOURCE, AGENT, clear_text=True)
        said, now = Said("GET", target, (words,)), datetime.now(UTC)
        began = time.perf_counter_ns()
        answered = await self.logins.answer(asks, said, now)
        return answered.reason, time.perf_counter_ns() - began


async def gate(logins: Logins) -> Gate:
    """The gate with a challenge of its own."""
    asks = Ask(None, "auth/", SOURCE, AGENT, clear_text=True)
    asked = await logins.answer(asks, Said("GET", "/auth/", ()), datetime.now(UTC))
    return Gate(logins, parse_challenges(asked.challenges)[0])


async def measure(seed: int, samples: int, data_dir: Path) -> dict[str, list[int]]:
    """Nanoseconds of refusals by kind of MAC."""
    chance = random.Random(seed)  # noqa: S311
    settings = read_settings(None)
    await initialise(data_dir, settings)
    async with opened(data_dir, settings) as installation:
        await apply(installation, read_company_file(company()), COMMAND_LINE)
        async with installation.database.read() as session:
            tokens = {
                device.mac: installation.vault.open(device.tokens[-1].token_sealed)
                for device, _ in await all_devices(session)
            }
        logins = Logins(installation)
        listed = sorted(tokens)
        chance.shuffle(listed)
        here, away = listed[: PHONES // 2], listed[PHONES // 2 :]
        for mac in here:
            door = await gate(logins)
            assert (await door.answer(mac, tokens[mac]))[0] == Reason.NO_SUCH_FILE
        unlisted = [f"805ec000{2 * n + 1:04x}" for n in range(PHONES // 2)]
        macs = dict(zip(KINDS, (away, here, unlisted), strict=True))
        order = [kind for kind in KINDS for _ in range(samples)]
        chance.shuffle(order)
        taken: dict[str, list[int]] = {kind: [] for kind in KINDS}
        for kind in order:
            door = await gate(logins)
            reason, nanoseconds = await door.answer(chance.choice(macs[kind]), "0" * 32)
            assert reason == Reason.WRONG_LOGIN
            taken[kind].append(nanoseconds)
    return taken


def main() -> int:
    """Measures, prints, and says whether the times tell anything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--samples", type=int, default=1000, help="of each kind and seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options = parser.parse_args()
    table = Table("seed", *(f"{kind}, µs" for kind in KINDS), *(f"p: {kind}" for kind in KINDS[:2]))
    suspicious = 0
    for seed in options.seeds:
        with tempfile.TemporaryDirectory(prefix="centralka-bench-") as folder:
            taken = asyncio.run(measure(seed, options.samples, Path(folder) / "data"))
        found = [p_of(taken["unlisted"], taken[kind]) for kind in KINDS[:2]]
        suspicious += min(found) < SUSPICIOUS
        medians = [f"{statistics.median(taken[kind]) / 1000:.1f}" for kind in KINDS]
        table.add_row(str(seed), *medians, *(f"{p:.3f}" for p in found))
    Console().print(table)
    return int(suspicious * 2 > len(options.seeds))


if __name__ == "__main__":
    sys.exit(main())
