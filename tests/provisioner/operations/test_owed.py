"""A change of many phones: their files are written some at a time, and nothing else is held up or undone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from db.errors import DatabaseUnavailable
from db.queries import owed as queries
from db.queries.owed import owing
from db.schema import AlarmRow, ChangeRow, DeviceRow, OwedFilesRow, RevisionRow
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import Conflict
from provisioner.centrex.mac import MacAddress
from provisioner.files.errors import FileErrors
from provisioner.operations import claims, device_files, encryption, owed, rollouts
from provisioner.operations.customer_step import Plan
from provisioner.operations.installation import Installation
from provisioner.operations.owed import SLICE, settle
from provisioner.operations.publishing import announce, publish
from provisioner.operations.rollouts import Reach, Standing
from tests.provisioner.operations.small import audits, dump, exact, just, line, other, phone, put, small
from tests.provisioner.written import Written

ALIVE = "account.1.nat.udp_update_time"
URL = "static.auto_provision.server.url"
PASSWORD = "account.1.password"


def mac(number: int) -> MacAddress:
    return MacAddress(f"0015650001{number:02x}")


def number(at: int) -> str:
    return f"4822111{at:04}"


def many(phones: int, **more: Any) -> dict[str, Any]:
    """The small company with that many phones, each on a line of its own."""
    return {
        "lines": [line(number(at)) for at in range(phones)],
        "extensions": [
            {"number": f"{201 + at}", "line": number(at), "name": f"Osoba {at}", "published": True}
            for at in range(phones)
        ],
        "hunt_groups": [],
        "devices": [phone(mac(at), "T46S", number(at)) for at in range(phones)],
        **more,
    }


@pytest.fixture(scope="module")
def written_large(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """What is copied."""

    async def write(made: Installation) -> None:
        await put(made, small())
        await just(made, **many(SLICE * 5 // 2))

    return Written(tmp_path_factory.mktemp("large"), write)


@pytest.fixture(params=["sqlite", "postgresql"])
def large_url(request: pytest.FixtureRequest, tmp_path: Path, written_large: Written) -> Iterator[str]:
    """A copy of the test's own, once on each engine."""
    with written_large.copied(request, tmp_path) as url:
        yield url


@pytest.fixture
async def large(large_url: str, written_large: Written, tmp_path: Path) -> AsyncIterator[Installation]:
    """The company with two slices and a half of phones."""
    async with written_large.opened(large_url, tmp_path) as installation:
        yield installation


class Died(Exception):
    """Stands for the end of a process."""


@pytest.fixture
def dies_after(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes whoever settles die before its next slice after so many."""

    def after(slices: int) -> None:
        left = slices
        real = owed._slice

        async def one(*arguments: Any) -> Any:
            nonlocal left
            if left == 0:
                monkeypatch.setattr(owed, "_slice", real)
                raise Died
            left -= 1
            return await real(*arguments)

        monkeypatch.setattr(owed, "_slice", one)

    return after


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Does something once, between the moment on which the first slice is worked out and its transaction."""

    def do(work: Any) -> None:
        real = owed.drafted

        async def drafted(*arguments: Any, **more: Any) -> Any:
            draft = await real(*arguments, **more)
            monkeypatch.setattr(owed, "drafted", real)
            await work()
            return draft

        monkeypatch.setattr(owed, "drafted", drafted)

    return do


async def alive(installation: Installation, phones: int = SLICE * 5 // 2) -> list[str]:
    """What each phone is told of keeping its way through a NAT open."""
    return [(await exact(installation, mac(at)))[ALIVE] for at in range(phones)]


async def is_owed(installation: Installation) -> bool:
    async with installation.database.read() as session:
        return bool(await owing(session, None))


async def changes(installation: Installation) -> int:
    async with installation.database.read() as session:
        return await session.scalar(select(func.max(ChangeRow.id))) or 0


def owners(plan: Plan) -> list[str]:
    return [file.owner for file in plan.files if ":" in file.owner]


@pytest.mark.parametrize("phones", [SLICE - 1, SLICE, SLICE + 1, 2 * SLICE])
async def test_each_phone_gets_the_setting_of_its_customer_once(firma: Installation, phones: int):
    await just(firma, **many(phones))
    dry = await put(firma, {"login": "firma", "phone": {"nat_keepalive_s": 25}}, dry_run=True)
    plan = await just(firma, phone={"nat_keepalive_s": 25})
    assert plan == dry
    assert owners(plan) == [str(mac(at)) for at in range(phones)]
    assert await alive(firma, phones) == ["25"] * phones
    assert not await is_owed(firma)
    entry = (await audits(firma))[-1]
    async with firma.database.read() as session:
        made = select(RevisionRow).where(RevisionRow.audit_id == entry.id)
        found = (await session.scalars(made)).all()
    said = [(each.number, each.actor, each.cause) for each in found]
    assert said == [(2, "cli", "apply test.yaml")] * phones


@pytest.mark.parametrize("ahead", [SLICE, SLICE + 2, SLICE * 5 // 2, 100])
async def test_phones_are_looked_for_many_at_a_time_and_none_is_left_out(
    large: Installation, monkeypatch: pytest.MonkeyPatch, ahead: int
):
    phones, looks = SLICE * 5 // 2, 0
    real = queries.macs_after

    async def counted(*arguments: Any) -> Any:
        nonlocal looks
        looks += 1
        return await real(*arguments)

    monkeypatch.setattr(queries, "macs_after", counted)
    monkeypatch.setattr(owed, "_AHEAD", ahead)
    plan = await just(large, phone={"nat_keepalive_s": 25})
    assert owners(plan) == [str(mac(at)) for at in range(phones)]
    assert await alive(large) == ["25"] * phones
    if ahead > phones:
        assert looks == 1


async def test_another_debt_owes_the_phones_that_were_listed_before_it(
    large: Installation, dies_after: Any, monkeypatch: pytest.MonkeyPatch
):
    phones = SLICE * 5 // 2
    real, once = owed._slice, False

    async def meanwhile_settled(*arguments: Any) -> Any:
        nonlocal once
        written = await real(*arguments)
        if not once:
            once = True
            # Somebody else writes the rest, lists a phone that comes first, and owes all of them again.
            listed = [phone(MacAddress("001565000099"), "T46S", number(0))]
            await settle(large)
            await just(large, devices=[*listed, *many(phones)["devices"]])
            monkeypatch.setattr(owed, "_slice", real)
            dies_after(0)
            with pytest.raises(Died):
                await just(large, phone={"nat_keepalive_s": 30})
        return written

    monkeypatch.setattr(owed, "_slice", meanwhile_settled)
    await just(large, phone={"nat_keepalive_s": 25})
    assert await alive(large) == ["30"] * phones
    assert (await exact(large, MacAddress("001565000099")))[ALIVE] == "30"


async def test_the_same_again_changes_nothing(large: Installation):
    await just(large, phone={"nat_keepalive_s": 25})
    before = await dump(large)
    assert (await just(large, phone={"nat_keepalive_s": 25})).changes == ()
    assert await dump(large) == before


async def test_a_change_of_lists_reaches_the_phone_book_and_the_phones(large: Installation):
    phones = SLICE * 5 // 2
    more = many(phones + 1)
    dry = await put(large, {"login": "firma", **more}, dry_run=True)
    plan = await just(large, **more)
    assert plan == dry
    assert [(file.owner, file.file) for file in plan.files if file.owner == "firma"] == [
        ("firma", "phonebook.xml")
    ]
    assert (await exact(large, mac(phones)))["account.1.label"] == f"Osoba {phones}"


async def test_what_no_phone_sees_owes_nothing(large: Installation):
    plan = await just(large, credit_limit="10.00")
    assert (len(plan.changes), plan.files) == (1, ())


async def test_a_setting_that_a_phone_can_not_have_is_refused_before_anything_is_kept(large: Installation):
    before = await dump(large)
    with pytest.raises(FileErrors):
        await just(large, settings={"no.such_parameter": "1"})
    with pytest.raises(FileErrors):
        await just(large, settings={"account.1.enable": "perhaps"})
    assert await dump(large) == before


async def test_who_dies_on_the_way_is_continued_by_the_next_change(large: Installation, dies_after: Any):
    dies_after(1)
    with pytest.raises(Died):
        await just(large, phone={"nat_keepalive_s": 25})
    assert await is_owed(large)
    assert (await alive(large)).count("25") == SLICE
    first = (await audits(large))[-1]
    plan = await just(large, phone={"nat_keepalive_s": 25, "voice_mail": "*97"})
    assert await alive(large) == ["25"] * (SLICE * 5 // 2)
    assert len(owners(plan)) == SLICE * 5 // 2
    # What was owed says whose change it was.
    async with large.database.read() as session:
        made = select(func.count(RevisionRow.id)).where(RevisionRow.audit_id == first.id)
        assert await session.scalar(made) == SLICE * 5 // 2


async def test_a_database_that_goes_away_on_the_way_is_told_as_that(
    large: Installation, monkeypatch: pytest.MonkeyPatch
):
    real = owed._slice

    async def away(*_: Any) -> None:
        raise DatabaseUnavailable("the database can't be used now: it is full")

    monkeypatch.setattr(owed, "_slice", away)
    with pytest.raises(DatabaseUnavailable, match=r"of firma is kept, but not all .* it is full; repeat"):
        await just(large, phone={"nat_keepalive_s": 25})
    monkeypatch.setattr(owed, "_slice", real)
    assert (await just(large, phone={"nat_keepalive_s": 25})).changes == ()
    assert await alive(large) == ["25"] * (SLICE * 5 // 2)


async def test_the_next_start_of_a_server_writes_what_is_owed(large: Installation, dies_after: Any):
    await announce(large, "127.0.0.1:8099", "127.0.0.1:5060")
    await publish(large)
    dies_after(2)
    with pytest.raises(Died):
        await just(large, phone={"nat_keepalive_s": 25})
    await announce(large, "127.0.0.1:8099", "127.0.0.1:5060")
    await publish(large)
    assert await alive(large) == ["25"] * (SLICE * 5 // 2)
    assert not await is_owed(large)


async def test_a_claim_between_the_moment_of_a_slice_and_its_writing_stays(
    large: Installation, meanwhile: Any
):
    old = await exact(large, mac(0))
    meanwhile(lambda: claims.claim(large, mac(0), COMMAND_LINE))
    await just(large, phone={"nat_keepalive_s": 25})
    new = await exact(large, mac(0))
    assert new[ALIVE] == "25"
    assert new[URL] != old[URL]


async def test_a_password_that_changes_meanwhile_stays(large: Installation, meanwhile: Any):
    lines = [line(number(at)) for at in range(SLICE * 5 // 2)]
    lines[3]["password"] = "Tajne-123"
    change = many(SLICE * 5 // 2, lines=lines)
    meanwhile(lambda: just(large, **change))
    await just(large, phone={"nat_keepalive_s": 25})
    assert (await exact(large, mac(3)))[PASSWORD] == "Tajne-123"
    assert await alive(large) == ["25"] * (SLICE * 5 // 2)


async def test_a_roll_back_meanwhile_holds(large: Installation, meanwhile: Any):
    meanwhile(lambda: device_files.roll_back(large, mac(1), 1, COMMAND_LINE))
    await just(large, phone={"nat_keepalive_s": 25})
    told = await alive(large)
    assert told.count("25") == SLICE * 5 // 2 - 1
    assert told[1] != "25"


async def test_a_phone_that_can_not_have_its_files_any_more_keeps_them_and_the_others_go_on(
    large: Installation, meanwhile: Any
):
    async def becomes(model: str) -> None:
        async with large.database.change() as session:
            row = await session.scalar(select(DeviceRow).where(DeviceRow.mac == mac(SLICE + 2).hex))
            assert row is not None
            row.model = model

    meanwhile(lambda: becomes("no such model"))
    plan = await just(large, phone={"nat_keepalive_s": 25})
    assert owners(plan) == [str(mac(at)) for at in range(SLICE * 5 // 2) if at != SLICE + 2]
    async with large.database.read() as session:
        (alarm,) = await session.scalars(select(AlarmRow))
    assert alarm.kind == "files"
    assert str(mac(SLICE + 2)) in alarm.text
    await becomes("T46S")
    meanwhile(lambda: becomes("no such model"))
    await just(large, phone={"nat_keepalive_s": 26})
    async with large.database.read() as session:
        (again,) = await session.scalars(select(AlarmRow))
    assert (again.kind, again.id > alarm.id) == ("files", True), "in the place of the one before"


async def test_two_changes_of_one_customer_at_once_are_both_whole(large: Installation):
    one, two = await asyncio.gather(
        just(large, phone={"nat_keepalive_s": 25}),
        just(large, settings={"phone_setting.ring_type": "Ring2.wav"}),
    )
    assert await alive(large) == ["25"] * (SLICE * 5 // 2)
    for at in range(SLICE * 5 // 2):
        assert (await exact(large, mac(at)))["phone_setting.ring_type"] == "Ring2.wav"
    assert not await is_owed(large)
    assert one.changes
    assert two.changes


async def test_two_who_settle_at_once_write_each_slice_once(large: Installation, dies_after: Any):
    dies_after(0)
    with pytest.raises(Died):
        await just(large, phone={"nat_keepalive_s": 25})
    both = await asyncio.gather(settle(large), settle(large))
    files = [file.owner for written in both for each in written.values() for file in each]
    assert sorted(files) == [str(mac(at)) for at in range(SLICE * 5 // 2)]


async def test_what_is_said_of_a_model_reaches_all_customers(large: Installation):
    await put(large, other(devices=[phone(MacAddress("001565000003"), "T46S", "48333000001")]))
    vendors = [{"vendor": "yealink", "models": [{"model": "T46S", "phone": {"nat_keepalive_s": 25}}]}]
    dry = await put(large, vendors=vendors, dry_run=True)
    plan = await put(large, vendors=vendors)
    assert plan == dry
    assert await alive(large) == ["25"] * (SLICE * 5 // 2)
    assert (await exact(large, MacAddress("001565000003")))[ALIVE] == "25"


async def test_a_staged_change_of_many_phones_waits_for_each(large: Installation, dies_after: Any):
    before = await alive(large)
    dies_after(1)
    with pytest.raises(Died):
        await put(large, {"login": "firma", "phone": {"nat_keepalive_s": 25}}, staged=True)
    # A claim of a phone that no slice has come to yet gives it no more than its new token.
    await claims.claim(large, mac(2 * SLICE), COMMAND_LINE)
    assert await alive(large) == before
    (rollout,) = await rollouts.show(large, "firma")
    assert {each.standing for each in rollout.phones} == {Standing.WAITS}
    await settle(large)
    assert await alive(large) == before
    (rollout,) = await rollouts.show(large, "firma")
    assert rollout.waiting == SLICE * 5 // 2
    await rollouts.release(large, "firma", Reach(mac=mac(2 * SLICE)), COMMAND_LINE)
    assert (await alive(large)).count("25") == 1
    await rollouts.release(large, "firma", Reach(), COMMAND_LINE)
    assert await alive(large) == ["25"] * (SLICE * 5 // 2)
    await rollouts.take_back(large, "firma", Reach(), COMMAND_LINE)
    assert await alive(large) == before


async def test_a_release_that_dies_on_the_way_has_released_some_and_goes_on(
    large: Installation, monkeypatch: pytest.MonkeyPatch
):
    await put(large, {"login": "firma", "phone": {"nat_keepalive_s": 25}}, staged=True)
    real = rollouts.write
    left = 2

    async def written(*arguments: Any) -> None:
        nonlocal left
        if left == 0:
            raise Died
        left -= 1
        await real(*arguments)

    monkeypatch.setattr(rollouts, "write", written)
    with pytest.raises(Died):
        await rollouts.release(large, "firma", Reach(), COMMAND_LINE)
    monkeypatch.setattr(rollouts, "write", real)
    assert [told == "25" for told in await alive(large)] == [at < 2 * SLICE for at in range(SLICE * 5 // 2)]
    (rollout,) = await rollouts.show(large, "firma")
    assert (rollout.waiting, rollout.closed_at) == (SLICE // 2, None)
    await rollouts.release(large, "firma", Reach(), COMMAND_LINE)
    assert await alive(large) == ["25"] * (SLICE * 5 // 2)
    assert (await rollouts.show(large, "firma"))[0].closed_at is not None


async def test_a_step_of_many_phones_says_in_a_dry_run_what_it_does(large: Installation):
    await put(large, {"login": "firma", "phone": {"nat_keepalive_s": 25}}, staged=True)
    for step in (rollouts.release, rollouts.take_back):
        dry = await step(large, "firma", Reach(), COMMAND_LINE, dry_run=True)
        assert len(owners(dry)) >= SLICE * 5 // 2
        assert await step(large, "firma", Reach(), COMMAND_LINE) == dry


async def test_a_claim_while_many_are_released_stays(large: Installation, monkeypatch: pytest.MonkeyPatch):
    await put(large, {"login": "firma", "phone": {"nat_keepalive_s": 25}}, staged=True)
    old = await exact(large, mac(0))
    real = rollouts.drafted

    async def drafted(*arguments: Any, **more: Any) -> Any:
        draft = await real(*arguments, **more)
        monkeypatch.setattr(rollouts, "drafted", real)
        await claims.claim(large, mac(0), COMMAND_LINE)
        return draft

    monkeypatch.setattr(rollouts, "drafted", drafted)
    await rollouts.release(large, "firma", Reach(), COMMAND_LINE)
    new = await exact(large, mac(0))
    assert (new[ALIVE], new[URL] != old[URL]) == ("25", True)


async def test_a_staged_change_that_touches_no_phone_opens_no_rollout(large: Installation):
    # Every phone knows better.
    knows = {"phone": {"nat_keepalive_s": 20}}
    own = [phone(mac(at), "T46S", number(at)) | knows for at in range(SLICE * 5 // 2)]
    await just(large, devices=own)
    plan = await put(large, {"login": "firma", "phone": {"nat_keepalive_s": 25}}, staged=True)
    assert (plan.files, plan.rollouts) == ((), ())
    assert await rollouts.show(large, "firma") == []


async def test_a_second_staged_change_is_refused(large: Installation):
    await put(large, {"login": "firma", "phone": {"nat_keepalive_s": 25}}, staged=True)
    before = await dump(large)
    with pytest.raises(Conflict):
        await put(large, {"login": "firma", "phone": {"nat_keepalive_s": 20}}, staged=True)
    assert await dump(large) == before


async def test_new_keys_reach_every_phone_and_each_gets_one_token(large: Installation):
    plan = await just(large, phone={"encryption": True})
    assert len(owners(plan)) == SLICE * 5 // 2
    shown = await encryption.show(large, "firma")
    assert {(each.wanted, each.told) for each in shown.phones} == {(True, 1)}
    rotated = await encryption.rotate(large, "firma", COMMAND_LINE)
    assert rotated.version == 2
    assert len({file.owner for file in rotated.files}) == SLICE * 5 // 2
    assert {each.told for each in (await encryption.show(large, "firma")).phones} == {2}


async def test_a_change_of_many_phones_ends_with_a_number_that_tells_of_the_last(large: Installation):
    before = await changes(large)
    await just(large, phone={"nat_keepalive_s": 25})
    async with large.database.read() as session:
        scopes = (await session.scalars(select(ChangeRow.scope).where(ChangeRow.id > before))).all()
        ids = (await session.scalars(select(DeviceRow.id))).all()
        assert await session.scalar(select(func.count(OwedFilesRow.id))) == 0
        assert await session.scalar(select(func.count(AlarmRow.id))) == 0
    assert {f"device:{each}" for each in ids} <= set(scopes)
    assert "all" not in scopes
