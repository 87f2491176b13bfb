"""No registration that was acknowledged is lost: not with the process, and not with the room on the disk."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from db.engine import Database
from provisioner.operations.installation import KEY_FILE, Installation
from tests.provisioner.conftest import apply_text
from tests.provisioner.pbx.registering import registering
from tests.provisioner.web.test_disk_full import fill
from tests.small_disk import SmallDisk, small_disk

PROJECT = Path(__file__).parents[3]
PROVE = bool(os.environ.get("CENTRALKA_PROVE"))
ROUNDS = 20 if PROVE else 2
PHONES = 10_000 if PROVE else 60
AT_ONCE = min(1_000, PHONES)
RESTART_S = 3.0


class Registrar:
    """`killed_registrar` in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._orders, self._answers = process.stdin, process.stdout
        self.acknowledged: dict[str, int] = {}
        "The highest CSeq that each number got a 200 for."
        self.refused: dict[str, int] = {}
        "Other statuses."

    def order(self, number: str, cseq: int, expires: int = 3600) -> None:
        self._orders.write(f"{number} {cseq} {expires}\n".encode())

    async def answer(self) -> bool:
        """Takes one answer; False: there will be none any more."""
        line = (await self._answers.readline()).decode()
        if not line.endswith("\n"):
            # What was cut off was read by nobody.
            return False
        number, cseq, status = line.split()
        if status == "200":
            self.acknowledged[number] = max(int(cseq), self.acknowledged.get(number, 0))
        elif number != "loaded":
            self.refused[number] = int(status)
        return True

    async def ask(self, number: str, cseq: int) -> int:
        self.order(number, cseq)
        await self.answer()
        return 200 if self.acknowledged.get(number) == cseq else self.refused[number]

    def kill(self) -> None:
        self._process.kill()


@asynccontextmanager
async def registrar(data_dir: Path, url: str, within: Sequence[str] = ()) -> AsyncIterator[Registrar]:
    """It is up when its bindings are loaded."""
    process = await asyncio.create_subprocess_exec(
        *(*within, sys.executable, "-m", "tests.provisioner.pbx.killed_registrar", data_dir, url),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=PROJECT,
    )
    made = Registrar(process)
    try:
        assert await made.answer(), "it did not start"
        yield made
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def lines(count: int) -> list[str]:
    return [f"4822{number:07d}" for number in range(count)]


def company(numbers: Sequence[str]) -> str:
    said = "\n".join(f'      - {{number: "{each}", product: telefonia-ip-plus}}' for each in numbers)
    return f"customers:\n  - login: duzy\n    name: Duży klient\n    lines:\n{said}\n"


async def test_no_acknowledged_registration_is_lost_when_the_process_is_killed(
    installation: Installation, database_url: str
):
    chance = random.Random(ROUNDS)  # noqa: S311
    numbers = lines(PHONES)
    await apply_text(installation, company(numbers))
    acknowledged: dict[str, int] = {}
    cseq = 0
    for _ in range(ROUNDS):
        # Until so many have been answered; then at whatever it is doing.
        most = chance.randrange(PHONES // 10, 2 * PHONES)
        async with registrar(installation.data_dir, database_url) as process:
            waves = (chance.sample(numbers, len(numbers)) for _ in range(3))
            orders = [(number, cseq + wave) for wave, each in enumerate(waves, 1) for number in each]
            cseq += 3
            # There is always something under way, and no more than the server has room for.
            for number, each in orders[:AT_ONCE]:
                process.order(number, each)
            for number, each in orders[AT_ONCE : AT_ONCE + most]:
                assert await process.answer()
                process.order(number, each)
            process.kill()
            while await process.answer():
                pass
            assert process.refused == {}
            acknowledged |= process.acknowledged
        began = asyncio.get_running_loop().time()
        async with registering(installation) as server:
            took_s = asyncio.get_running_loop().time() - began
            now = server.sip.now()
            for number, highest in acknowledged.items():
                (binding,) = server.location.bindings(number, now)
                assert binding.cseq >= highest
                assert binding.remaining_s(now) > 3000
        if PROVE:
            assert took_s < RESTART_S
    assert acknowledged


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk") as made:
        yield made


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_full_disk_refuses_registrations_loses_none_and_heals(
    installation: Installation, disk: SmallDisk, tmp_path: Path
):
    numbers = lines(600)
    await apply_text(installation, company(numbers))
    await installation.database.close()
    for name in ("centralka.db", KEY_FILE):
        shutil.copy(tmp_path / name, disk.seen)
    url = f"sqlite:///{disk.folder / 'centralka.db'}"
    async with registrar(disk.folder, url, disk.within) as process:
        assert await process.ask(numbers[0], 1) == 200
        fill(disk)
        for number in numbers[1:]:
            process.order(number, 1)
        for _ in numbers[1:]:
            await process.answer()
        assert set(process.refused.values()) == {503}
        before = dict(process.acknowledged)
        process.refused.clear()
        disk.make_room()
        for number in numbers:
            assert await process.ask(number, 2) == 200
        assert len(before) < len(numbers)
        process.kill()
    for each in disk.seen.glob("centralka.db*"):
        if not each.name.endswith("-shm"):
            shutil.copyfile(each, tmp_path / each.name)
    database = await Database.open(f"sqlite:///{tmp_path / 'centralka.db'}")
    found = await database.rows("SELECT count(*) FROM registrations WHERE cseq = 2")
    await database.close()
    assert found == [(len(numbers),)]
