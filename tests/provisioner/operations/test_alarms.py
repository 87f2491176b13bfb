"""Alarms wait until somebody says that they have seen to them, and who did is kept."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from db.schema import AlarmRow, DeviceRow
from provisioner.centrex.actor import COMMAND_LINE, Actor, Role
from provisioner.centrex.errors import Forbidden, NotFound
from provisioner.operations import alarms
from provisioner.operations.alarms import AlarmKind, acknowledge, list_alarms, raise_alarms
from provisioner.operations.bans import lift_ban
from provisioner.operations.installation import Installation, utc_now
from tests.provisioner.alarms import raised as about_a_number
from tests.provisioner.operations.small import DESK, audits

LATER = utc_now()


async def raised(installation: Installation, *kinds: AlarmKind) -> None:
    async with installation.database.change() as session:
        for kind in kinds:
            alarm = AlarmRow(kind=kind, text=f"because of {kind}", source="192.0.2.7", at=utc_now())
            session.add(alarm)
            await session.flush()


async def test_an_alarm_is_shown_until_it_is_acknowledged_and_kept_after(firma: Installation):
    await raised(firma, AlarmKind.FILES, AlarmKind.SCAN)
    scan, files = await list_alarms(firma)
    assert (scan.kind, scan.source, files.text) == ("mac-scan", "192.0.2.7", "because of files")
    assert await acknowledge(firma, scan.number, COMMAND_LINE, LATER) == 1
    assert await list_alarms(firma) == [files]
    waiting, seen = await list_alarms(firma, everything=True)
    assert (seen.number, seen.acknowledged_at, waiting) == (scan.number, LATER, files)
    entry = (await audits(firma))[-1]
    assert (entry.verb, entry.actor, entry.summary) == (
        "alarms.ack",
        "cli",
        f"acknowledge alarm {scan.number}",
    )


async def test_all_that_wait_are_acknowledged_at_once_and_those_seen_to_before_stay_as_they_are(
    firma: Installation,
):
    await raised(firma, AlarmKind.FILES, AlarmKind.SCAN, AlarmKind.FIRMWARE)
    first = (await list_alarms(firma))[-1]
    before = utc_now()
    await acknowledge(firma, first.number, COMMAND_LINE, before)
    assert await acknowledge(firma, None, COMMAND_LINE, LATER) == 2
    assert await list_alarms(firma) == []
    assert (await list_alarms(firma, everything=True))[-1].acknowledged_at == before
    entries = len(await audits(firma))
    assert await acknowledge(firma, None, COMMAND_LINE, LATER) == 0
    assert len(await audits(firma)) == entries


async def test_of_those_that_wait_no_more_the_newest_are_kept(
    firma: Installation, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(alarms, "KEPT", 2)
    await about_a_number(firma, AlarmKind.RED, customer="firma", number="600")
    await raised(firma, *[AlarmKind.SCAN] * 4)
    await acknowledge(firma, None, COMMAND_LINE, LATER)
    await raised(firma, AlarmKind.FILES)
    found = [alarm.kind for alarm in await list_alarms(firma, everything=True)]
    assert found == ["files", "mac-scan", "mac-scan", "number-red"], "it is red still, and known to be"


async def test_one_alarm_waits_of_each_cause_about_each_phone_and_of_strangers_each_source(
    firma: Installation,
):
    async with firma.database.read() as session:
        phone = await session.scalar(select(DeviceRow.id).where(DeviceRow.mac == DESK.hex))
    seen = await about_a_number(firma, AlarmKind.SCAN, source="192.0.2.7")
    await acknowledge(firma, seen, COMMAND_LINE, LATER)
    red = await about_a_number(firma, AlarmKind.RED, customer="firma", number="600")
    for source in ("192.0.2.7", "192.0.2.8", "192.0.2.7"):
        rows = [
            AlarmRow(kind=AlarmKind.FILES, device_id=phone, source=source, text=source, at=utc_now()),
            AlarmRow(kind=AlarmKind.RACED, device_id=phone, source=source, text=source, at=utc_now()),
            AlarmRow(kind=AlarmKind.SCAN, source=source, text=source, at=utc_now()),
            AlarmRow(kind=AlarmKind.SPREAD_SCAN, text=source, at=utc_now()),
        ]
        async with firma.database.change() as session:
            await raise_alarms(session, rows)
    *waiting, last = await list_alarms(firma, everything=True)
    assert sorted((each.kind, each.text) for each in waiting) == [
        ("claim-raced", "192.0.2.7"),
        ("files", "192.0.2.7"),
        ("mac-scan", "192.0.2.7"),
        ("mac-scan", "192.0.2.8"),
        ("mac-scan-spread", "192.0.2.7"),
        ("number-red", "because of number-red"),
    ], "what came again is the newest"
    assert (red in {each.number for each in waiting}, last.number) == (True, seen)


async def test_of_those_about_strangers_the_newest_are_kept_waiting_and_all_about_phones(
    firma: Installation, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(alarms, "STRANGE", 3)
    await about_a_number(firma, AlarmKind.FILES, mac=DESK)
    await about_a_number(firma, AlarmKind.RED, customer="firma", number="600")
    await about_a_number(firma, AlarmKind.SCAN, source="192.0.2.1")
    for number in range(8):
        text = f"{number}"
        row = AlarmRow(kind=AlarmKind.GUESSING, source=f"192.0.2.{number}", text=text, at=utc_now())
        async with firma.database.append() as session:
            await raise_alarms(session, [row])
    found = [(each.kind, each.source) for each in await list_alarms(firma)]
    guessers = [("sip-guessing", f"192.0.2.{number}") for number in (7, 6, 5)]
    assert found == [*guessers, ("mac-scan", "192.0.2.1"), ("number-red", None), ("files", None)]


async def test_an_alarm_names_its_phone_and_customer(firma: Installation):
    async with firma.database.change() as session:
        listed = await session.scalar(select(DeviceRow).where(DeviceRow.mac == DESK.hex))
        assert listed is not None
        about = {"device_id": listed.id, "customer_id": listed.customer_id}
        session.add(AlarmRow(kind=AlarmKind.RACED, text="two", at=utc_now(), **about))
    (alarm,) = await list_alarms(firma)
    assert (alarm.mac, alarm.customer) == (str(DESK), "firma")


async def test_what_does_not_wait_and_who_may_not_are_refused(firma: Installation):
    await raised(firma, AlarmKind.FILES)
    (alarm,) = await list_alarms(firma)
    with pytest.raises(NotFound, match="centralka alarms list"):
        await acknowledge(firma, alarm.number + 1, COMMAND_LINE, LATER)
    with pytest.raises(Forbidden):
        await acknowledge(firma, None, Actor("klient", Role.CUSTOMER), LATER)
    assert await list_alarms(firma) == [alarm]
    await acknowledge(firma, alarm.number, COMMAND_LINE, LATER)
    with pytest.raises(NotFound):
        await acknowledge(firma, alarm.number, COMMAND_LINE, LATER)


async def test_lifting_a_ban_sees_to_the_alarm_about_it(firma: Installation):
    await raised(firma, AlarmKind.SCAN, AlarmKind.FILES)
    await lift_ban(firma, "192.0.2.7", COMMAND_LINE, utc_now())
    assert [alarm.kind for alarm in await list_alarms(firma)] == ["files"]


def test_every_kind_says_what_to_do():
    assert all(kind.advice for kind in AlarmKind)
