"""Phones that say another firmware: one by one or all at once, each gets the files that are right for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.engine import Database
from db.errors import DatabaseUnavailable
from db.queries.devices import device_of_mac
from db.queries.serving import Serving, serving_of_mac
from db.schema import AlarmRow, DeviceFileRow, DeviceRow, RevisionRow
from provisioner.centrex.mac import MacAddress
from provisioner.operations.firmware_heard import FirmwareHearing, Heard
from provisioner.operations.installation import Installation, utc_now
from provisioner.phones.render import DeviceFile
from tests.provisioner.firmware import put_firmware
from tests.provisioner.operations.small import ONE, phone, put, small

T46G = [MacAddress(f"0015650000{number:02x}") for number in range(6)]
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"What is no matter of the database."
OLD, OLDER, NEW = "28.72.0.1", "28.71.0.81", "28.83.0.10"
"Of three generations; a T46G of which nothing is known is taken for the last."


async def write(installation: Installation, **options: str) -> None:
    devices = [phone(mac, "T46G", ONE) for mac in T46G[:-1]]
    # What no firmware before V81 knows.
    devices.append(phone(T46G[-1], "T46G", ONE, settings={"features.dnd.allow": "1"}))
    await put(installation, small(devices=devices, phone=options))


async def serving(installation: Installation, mac: MacAddress) -> Serving:
    found = await serving_of_mac(installation.database, mac.hex, DeviceFile.MAC)
    assert found is not None
    return found


async def says(
    hearing: FirmwareHearing, installation: Installation, mac: MacAddress, firmware: str
) -> Serving:
    """The phone as it is served after that."""
    seen = await serving(installation, mac)
    await hearing.hear(word(seen, firmware), seen)
    return await serving(installation, mac)


def word(seen: Serving, firmware: str) -> Heard:
    return Heard(seen.device_id, f"Yealink SIP-T46G {firmware}", firmware, "192.0.2.7", utc_now())


def knows_static(seen: Serving) -> bool:
    """Whether its file is for V81 or later."""
    assert seen.content is not None
    return "static.auto_provision.pnp_enable" in seen.content.text


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is."""
    monkeypatch.setattr("provisioner.operations.firmware_heard.BUSY_S", 600.0)


@pytest.fixture
def changes(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One entry for each change of the database."""
    begun: list[None] = []
    whole = Database.change

    @asynccontextmanager
    async def counted(self: Database, **more: bool) -> AsyncIterator[AsyncSession]:
        begun.append(None)
        async with whole(self, **more) as session:
            yield session

    monkeypatch.setattr(Database, "change", counted)
    return begun


async def test_phones_that_come_together_are_written_together_each_for_what_it_says(
    installation: Installation, changes: list[None]
):
    await write(installation)
    hearing, said = FirmwareHearing(installation), (OLD, OLDER, NEW, OLDER, OLD)
    seen = [await serving(installation, mac) for mac in T46G[:-1]]
    assert all(map(knows_static, seen))
    changes.clear()
    words = [word(each, firmware) for each, firmware in zip(seen, said, strict=True)]
    await asyncio.gather(*map(hearing.hear, words, seen))
    # The first waits for nobody. The third needs no session: no byte of it changes.
    extra = installation.database.url.drivername == "postgresql"
    assert len(changes) == 2 + extra
    found = [await serving(installation, mac) for mac in T46G[:-1]]
    assert [each.firmware_seen for each in found] == list(said)
    assert [knows_static(each) for each in found] == [each is NEW for each in said]
    async with installation.database.read() as session:
        causes = await session.scalars(
            select(RevisionRow.cause)
            .join(DeviceFileRow, DeviceFileRow.current_revision_id == RevisionRow.id)
            .join(DeviceRow, DeviceFileRow.device_id == DeviceRow.id)
            .where(DeviceFileRow.name == DeviceFile.MAC, DeviceRow.mac.in_([T46G[0].hex, T46G[1].hex]))
            .order_by(DeviceRow.mac)
        )
        assert causes.all() == [f"the phone says that its firmware is {each}" for each in (OLD, OLDER)]


async def test_one_whose_files_can_not_be_written_keeps_them_and_harms_no_other(installation: Installation):
    await write(installation)
    hearing, bad = FirmwareHearing(installation), T46G[-1]
    before = await serving(installation, bad)
    found = await asyncio.gather(
        *(says(hearing, installation, mac, OLDER) for mac in (T46G[0], bad, T46G[1]))
    )
    assert [each.firmware_seen for each in found] == [OLDER, None, OLDER]
    assert found[1].content == before.content
    async with installation.database.read() as session:
        (alarm,) = (await session.scalars(select(AlarmRow))).all()
        row = await device_of_mac(session, bad.hex)
    assert alarm.text.startswith(f"{bad} says that its firmware is {OLDER}, but its files can't be written")
    assert row is not None
    assert row.agent_seen == f"Yealink SIP-T46G {OLDER}"


@ON_SQLITE
async def test_while_the_database_is_away_everybody_who_waits_hears_of_it(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    await write(installation)
    hearing = FirmwareHearing(installation)

    @asynccontextmanager
    async def away(self: Database, **more: bool) -> AsyncIterator[AsyncSession]:
        await asyncio.sleep(0)
        raise DatabaseUnavailable("it is away")
        yield

    with monkeypatch.context() as patched:
        patched.setattr(Database, "change", away)
        asked = [says(hearing, installation, mac, OLD) for mac in T46G[:-1]]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(each) for each in answers] == [DatabaseUnavailable] * 5
    assert (await says(hearing, installation, T46G[0], OLD)).firmware_seen == OLD


@ON_SQLITE
async def test_who_goes_away_while_it_waits_leaves_the_others_their_turn(installation: Installation):
    await write(installation)
    hearing = FirmwareHearing(installation)
    seen = [await serving(installation, mac) for mac in T46G[:3]]
    async with installation.database.change():
        hearing_each = [hearing.hear(word(each, OLD), each) for each in seen]
        first, gone, last = map(asyncio.create_task, hearing_each)
        # All three have been heard, and stand before the same lock.
        await asyncio.sleep(0)
        first.cancel()
        gone.cancel()
        await asyncio.wait([first, gone])
    await last
    assert [(await serving(installation, mac)).firmware_seen for mac in T46G[:3]] == [None, None, OLD]


async def revisions(installation: Installation) -> int:
    async with installation.database.read() as session:
        return await session.scalar(select(func.count()).select_from(RevisionRow)) or 0


async def test_another_version_of_its_generation_is_noted_without_a_look_at_the_company(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    await write(installation)
    before = await revisions(installation)
    monkeypatch.setattr("provisioner.operations.firmware_heard.write_files", None)
    found = await says(FirmwareHearing(installation), installation, T46G[0], NEW)
    assert (found.firmware_seen, found.agent_seen) == (NEW, f"Yealink SIP-T46G {NEW}")
    assert await revisions(installation) == before


async def test_where_somebody_says_which_firmware_it_shall_have_every_version_counts(
    installation: Installation,
):
    target = "28.83.0.20.rom"
    await put_firmware(installation, target)
    await write(installation, firmware=target)
    first = await serving(installation, T46G[0])
    assert first.content is not None
    assert target in first.content.text
    found = await says(FirmwareHearing(installation), installation, T46G[0], "28.83.0.30")
    assert found.content is not None
    assert target not in found.content.text, "it has a newer one, and is not told to go back"
