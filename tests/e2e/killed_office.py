"""A company whose server is killed under its phones, which stay and go on with the next one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from db.engine import Database
from db.schema import CallEventRow, CallLegRow, CallRecordRow, SubscriptionRow
from db.vault import Vault
from provisioner.operations.calls import Call, Wanted, list_calls
from provisioner.operations.installation import KEY_FILE, Installation
from provisioner.settings import Settings
from provisioner.virtual_phones.account import Account
from tests.e2e.exchange import Phone, Site, exchange
from tests.e2e.softphones.baresip import Baresip, baresip
from tests.e2e.softphones.linphone import Linphone, linphone
from tests.e2e.softphones.program import LONGEST_S
from tests.e2e.tones import write_tone

BARESIPS = ("102", "103", "104", "105", "106", "107", "109", "110")
LINPHONES = ("101", "108")
"They write down what they hear of their server; and one of them passes calls on to whom it has asked."
WATCHER = "111"
"Its keys are a test's own."
GROUP = (
    '      - {number: "600", name: Sprzedaz, strategy: simultaneous,'
    ' members: [{extension: "106"}, {extension: "107"}]}\n'
)
_LOOK_S = 0.05


@dataclass(frozen=True)
class Office:
    """The phones, and what the server has written down."""

    site: Site
    installation: Installation
    accounts: dict[str, Account]
    phones: dict[str, Baresip]
    writers: dict[str, Linphone]
    token: str
    "A program's, that may see everything."

    @property
    def url(self) -> str:
        """The database's."""
        return f"sqlite:///{self.installation.data_dir / 'centralka.db'}"

    async def registers(self) -> None:
        """Returns when all phones are registered."""
        await asyncio.gather(*(each.registers() for each in (*self.phones.values(), *self.writers.values())))

    async def calls(self) -> list[Call]:
        """All of them, the newest first."""
        found: list[Call] = []
        before: int | None = None
        while True:
            page = await list_calls(self.installation, Wanted(), before)
            found += page.calls
            before = page.next
            if before is None:
                return found

    async def comes_to(self, *states: tuple[str, str, str, int]) -> None:
        """Returns when that is what is written of live calls: from, to, `rings` or `talks`, how many ring."""
        async with asyncio.timeout(LONGEST_S):
            # Nobody tells when a call is written.
            while sorted(_state(each) for each in await self.calls() if each.is_live) != sorted(states):  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_S)

    async def keeps(self, subscriptions: int) -> None:
        """Returns when so many subscriptions are written, which the next server will know of."""
        async with asyncio.timeout(LONGEST_S):
            while await self._subscriptions() != subscriptions:  # noqa: ASYNC110 - nobody tells, here too
                await asyncio.sleep(_LOOK_S)

    async def _subscriptions(self) -> int | None:
        async with self.installation.database.read() as session:
            return await session.scalar(select(func.count(SubscriptionRow.id)))

    async def check_once(self) -> None:
        """No call, leg or end is written twice, and nothing is open."""
        async with self.installation.database.read() as session:
            for query in (
                select(func.count(CallRecordRow.id)).group_by(CallRecordRow.uuid),
                select(func.count(CallLegRow.call_id)).group_by(CallLegRow.call_id, CallLegRow.position),
                select(func.count(CallEventRow.id))
                .where(CallEventRow.kind == "ended")
                .group_by(CallEventRow.call_id),
            ):
                assert set(await session.scalars(query)) <= {1}
            ended = await session.scalar(
                select(func.count(CallEventRow.id)).where(CallEventRow.kind == "ended")
            )
        calls = await self.calls()
        assert ended == len(calls)
        for call in calls:
            assert call.ended_at is not None
            assert call.ended_at >= (call.answered_at or call.started_at) >= call.started_at
            for leg in call.legs:
                assert leg.reason is not None
                assert leg.ended_at is not None

    async def is_quiet(self) -> None:
        """Has all phones hang up; returns when none knows of a call any more."""
        for writer in self.writers.values():
            writer.program.told("terminate all")
        async with asyncio.timeout(LONGEST_S), asyncio.TaskGroup() as tasks:
            for phone in self.phones.values():
                tasks.create_task(_hangs_up_all(phone))
            for writer in self.writers.values():
                tasks.create_task(_has_none(writer))


def _stays(phone: Phone) -> Phone:
    """As it is, but that it need not register again as long as a test lasts."""
    return replace(phone, options={**phone.options, "register_expires_s": 3600})


async def _hangs_up_all(phone: Baresip) -> None:
    while "(0)" not in (await phone.command("listcalls"))["data"]:
        await phone.command("hangup")
        await asyncio.sleep(_LOOK_S)
    await phone.program.falls_silent()


async def _has_none(writer: Linphone) -> None:
    while True:
        writer.program.told("calls")
        if (await writer.program.says(r"No active call|Call states"))[0] == "No active call":
            return
        writer.program.told("terminate all")
        await asyncio.sleep(_LOOK_S)


def _state(call: Call) -> tuple[str, str, str, int]:
    ringing = sum(leg.rang_at is not None and leg.reason is None for leg in call.legs)
    state = "talks" if call.answered_at is not None else "rings"
    return call.from_number, call.to_number, state, ringing


def asked(writer: Linphone, method: str) -> list[int]:
    """What its server has answered to its requests of this method."""
    answers = re.findall(
        r"^SIP/2\.0 (\d{3}) [^\n]*\n(?:[^\n]+\n)*?CSeq: \d+ (\w+)\r?$", writer.log(), re.MULTILINE
    )
    return [int(status) for status, of in answers if of == method]


@asynccontextmanager
async def office(folder: Path, template: Path) -> AsyncIterator[Office]:
    """Phones that have booted; their server is not up any more, and they have not registered yet."""
    site = Site.make()
    numbers = sorted((*BARESIPS, *LINPHONES, WATCHER))
    phones = {number: _stays(site.phone(2 + place)) for place, number in enumerate(numbers)}
    extensions = "".join(f"      - {phone.extension(each, f'Nr {each}')}\n" for each, phone in phones.items())
    company = f"    extensions:\n{extensions}    hunt_groups:\n{GROUP}"
    async with exchange(folder, template, site, list(phones.values()), company=company) as served:
        accounts = {number: await served.account(phone) for number, phone in phones.items()}
        hosts = {number: served.host(phone) for number, phone in phones.items()}
    data_dir = folder / "data"
    database = await Database.open(f"sqlite:///{data_dir / 'centralka.db'}")
    installation = Installation(data_dir, Settings(), database, Vault.load(data_dir / KEY_FILE))
    tone = write_tone(folder / "tone.wav", 440)
    try:
        async with AsyncExitStack() as stack:

            async def started(number: str, start: Any) -> Any:
                return await stack.enter_async_context(
                    start(accounts[number], folder / number, hosts[number], tone=tone)
                )

            yield Office(
                site,
                installation,
                accounts,
                {number: await started(number, baresip) for number in BARESIPS},
                {number: await started(number, linphone) for number in LINPHONES},
                served.token,
            )
    finally:
        await database.close()
