"""Registrations are stored before they are true, many with one commit, and none is lost with another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from secrets import token_hex
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from db.engine import Database
from db.errors import DatabaseUnavailable
from db.queries import registrations as queries
from db.schema import DeviceAccountRow, DeviceRow, LineRow, RegistrationEventRow, RegistrationRow
from db.writing import Work
from provisioner.operations.installation import Installation
from provisioner.pbx import bindings, registrations
from provisioner.pbx.news import News
from sip.binding import ChangeKind
from sip.location import Reachability, Registered
from sip.transport.flow import Address, Transport
from tests.provisioner.conftest import apply_text
from tests.provisioner.pbx.registering import LIMITS, Server, Wire, eventually, registering

ONE, TWO, THREE = "48223809887", "48223809986", "48223809880"
NOBODYS = "48111222333"
INSTANCE = '"<urn:uuid:00000000-0000-1000-8000-0015654aa937>"'
LINES = """
customers:
  - login: nowyklienttestowy
    lines:
      - {number: "48223809887", product: telefonia-ip-plus}
      - {number: "48223809986", product: telefonia-ip-plus}
      - {number: "48223809880", product: telefonia-ip-plus}
      - {number: "48223809882", product: telefonia-ip-plus}
      - {number: "48223809883", product: telefonia-ip-standard}
"""
WITH_A_PASSWORD = LINES.replace("ip-plus}", "ip-plus, password: a-new-password-of-its-own}", 1)
CONTACT = f"sip:{ONE}@192.0.2.20:5062"
WITH_ANOTHER = LINES + '      - {number: "48111222333", product: telefonia-ip-plus}\n'


@pytest.fixture
async def server(sample: Installation) -> AsyncIterator[Server]:
    async with registering(sample) as made:
        yield made


async def rows(installation: Installation) -> list[RegistrationRow]:
    async with installation.database.read() as session:
        return list(await session.scalars(select(RegistrationRow).order_by(RegistrationRow.id)))


async def happened(installation: Installation, most: int = 1000) -> list[str]:
    """The kinds of what happened, in order."""
    async with installation.database.read() as session:
        query = select(RegistrationEventRow.kind).order_by(RegistrationEventRow.id)
        return list(await session.scalars(query.limit(most)))


@asynccontextmanager
async def failing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> AsyncIterator[None]:
    """Nothing can be appended meanwhile."""

    async def appended(database: Database, work: Work[Any]) -> Any:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(Database, "appended", appended)
        yield


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One element for each transaction that appended."""
    made: list[None] = []
    appended = Database.appended

    async def counted(database: Database, work: Work[Any]) -> Any:
        done = await appended(database, work)
        made.append(None)
        return done

    monkeypatch.setattr(Database, "appended", counted)
    return made


def known(server: Server) -> list[Registered]:
    return sorted(server.location.snapshot(server.sip.now()), key=repr)


def assert_same(found: Registered, expected: Registered) -> None:
    """The same but for the last digits of times, which rows don't keep."""
    assert found.aor == expected.aor
    for name in type(expected.binding).__slots__:
        one, other = getattr(found.binding, name), getattr(expected.binding, name)
        assert one == (pytest.approx(other, abs=0.01) if isinstance(other, float) else other), name
    assert found.reachability.is_reachable == expected.reachability.is_reachable
    assert found.reachability.heard_at == pytest.approx(expected.reachability.heard_at, abs=0.01)


async def test_after_a_restart_every_binding_is_what_it_was(sample: Installation, server: Server):
    tcp = Wire(Address("2001:db8::7", 40_001), Transport.TLS, Address("2001:db8::1", 5061))
    via_proxy = ("Path: <sip:p1.example.com;lr;ob>, <sip:p2.example.com;lr>", "Supported: path")
    await server.register(ONE, contact="<sip:one@[2001:db8::7]:40001;transport=tls>;q=0.5", flow=tcp)
    await server.register(ONE, contact=f"<sip:two@192.0.2.9>;+sip.instance={INSTANCE}", call_id="b")
    await server.register(TWO, *via_proxy, contact="<sip:x@192.0.2.9;a=b>", agent="Łódź 100% 'phone'")
    for cseq in (2, 3):
        await server.register(TWO, *via_proxy, contact="<sip:x@192.0.2.9;a=b>", cseq=cseq, agent="Łódź")
    outbound = f"<sip:o@192.0.2.9>;reg-id=2;+sip.instance={INSTANCE}"
    await server.register(THREE, "Supported: outbound", contact=outbound, cseq=4_294_967_295, call_id="c")
    before = known(server)
    assert len(before) == 4
    async with registering(sample) as again:
        for found, expected in zip(known(again), before, strict=True):
            assert_same(found, expected)
        answer = await again.register(TWO, *via_proxy, contact="<sip:x@192.0.2.9;a=b>", cseq=3)
        # It was heeded before the restart; a repetition changes nothing.
        assert answer.status == 200
        assert (await again.register(TWO, contact="<sip:x@192.0.2.9;a=b>", cseq=2)).status == 500


async def test_what_comes_together_shares_one_commit(server: Server, commits: list[None]):
    numbers = list(server.line_ids)
    answers = [server.begin(number) for number in numbers]
    assert {(await each).status for each in answers} == {200}
    assert len(commits) == 1
    assert [server.contacts(number) for number in numbers] == [
        [f"sip:{number}@192.0.2.20:5062"] for number in numbers
    ]


async def test_what_asks_only_costs_no_commit(server: Server, commits: list[None]):
    await server.register(ONE)
    answer = await server.register(ONE, contact=None, cseq=2)
    assert [str(each.uri) for each in answer.contact] == [f"sip:{ONE}@192.0.2.20:5062"]
    assert len(commits) == 1


async def test_registers_of_one_line_in_one_batch_act_in_their_order(sample: Installation, server: Server):
    first = server.begin(ONE)
    gone = server.begin(ONE, cseq=2, expires=0)
    other = server.begin(
        ONE, contact="<sip:b@192.0.2.21>", call_id="b", flow=Wire(Address("192.0.2.21", 5060))
    )
    assert [len((await each).contact) for each in (first, gone, other)] == [1, 0, 1]
    assert [row.contact for row in await rows(sample)] == server.contacts(ONE)
    assert (await happened(sample))[:2] == ["registered", "unregistered"]


async def test_a_phone_that_moved_has_one_row_and_a_history(sample: Installation, server: Server):
    await server.register(ONE, contact=f"<sip:a@192.0.2.20>;+sip.instance={INSTANCE}")
    await server.register(
        ONE,
        contact=f"<sip:a@192.0.2.77>;+sip.instance={INSTANCE}",
        call_id="after-boot",
        flow=Wire(Address("192.0.2.77", 5060)),
    )
    (row,) = await rows(sample)
    assert (row.contact, row.source) == ("sip:a@192.0.2.77", "192.0.2.77:5060")
    assert await happened(sample) == ["registered", "moved"]


async def test_a_refresh_is_counted_and_is_no_event(sample: Installation, server: Server):
    for cseq in range(1, 6):
        await server.register(ONE, cseq=cseq)
    (row,) = await rows(sample)
    assert row.refreshes == 4
    assert row.refreshed_at > row.registered_at
    assert await happened(sample) == ["registered"]


async def test_refreshed_bindings_whose_rows_have_gone_are_stored_again(sample: Installation, server: Server):
    for number in (ONE, TWO):
        await server.register(number)
    async with sample.database.change() as session:
        theirs = select(LineRow.id).where(LineRow.number == TWO).scalar_subquery()
        await session.execute(delete(RegistrationRow).where(RegistrationRow.line_id == theirs))
    answers = [server.begin(number, cseq=2) for number in (ONE, TWO)]
    assert [(await each).status for each in answers] == [200, 200]
    assert [(row.cseq, row.refreshes, row.user_agent) for row in await rows(sample)] == [
        (2, 1, "Yealink SIP-T46S 66.86.0.15")
    ] * 2


async def test_a_refresh_writes_whatever_else_the_phone_says_anew(sample: Installation, server: Server):
    await server.register(ONE)
    await server.register(ONE, call_id="anew", agent="Yealink SIP-T46S 66.86.0.20")
    await server.register(ONE, cseq=2, call_id="anew", contact="<sip:{number}@192.0.2.20:5062>;q=0.5")
    (row,) = await rows(sample)
    assert (row.call_id, row.cseq, row.user_agent, row.q, row.refreshes) == (
        "anew",
        2,
        "Yealink SIP-T46S 66.86.0.15",
        500,
        2,
    )


async def test_what_can_not_be_stored_is_not_done(
    sample: Installation, server: Server, monkeypatch: pytest.MonkeyPatch
):
    await server.register(ONE)
    async with failing(monkeypatch, DatabaseUnavailable("the disk is full")):
        new, refresh, gone = (
            server.begin(TWO),
            server.begin(ONE, cseq=2),
            server.begin(ONE, cseq=3, expires=0),
        )
        for answer in [await new, await refresh, await gone]:
            assert answer.status == 503
            assert 5 <= int(answer.headers.get("Retry-After") or 0) < 15
        assert server.contacts(TWO) == []
        assert server.contacts(ONE) == [f"sip:{ONE}@192.0.2.20:5062"]
        assert (await server.register(THREE, contact=None)).status == 200
    # It heals by itself.
    assert (await server.register(TWO)).status == 200
    assert [row.cseq for row in await rows(sample)] == [1, 1]


@pytest.mark.parametrize("error", [IntegrityError("x", {}, Exception()), ValueError("poison"), MemoryError()])
async def test_one_that_can_not_be_stored_costs_no_other(
    sample: Installation, server: Server, monkeypatch: pytest.MonkeyPatch, error: Exception
):
    put = queries.put_bindings

    async def poisoned(connection: Any, new: Sequence[queries.BindingRow]) -> None:
        if any(row.contact == "sip:poison@192.0.2.66" for row in new):
            raise error
        await put(connection, new)

    monkeypatch.setattr(queries, "put_bindings", poisoned)
    before, poison, after = (
        server.begin(ONE),
        server.begin(TWO, contact="<sip:poison@192.0.2.66>"),
        server.begin(THREE),
    )
    assert [(await each).status for each in (before, poison, after)] == [200, 500, 200]
    assert [row.contact for row in await rows(sample)] == [
        f"sip:{number}@192.0.2.20:5062" for number in (ONE, THREE)
    ]
    assert server.contacts(TWO) == []
    assert (await server.register(TWO, cseq=2)).status == 200


async def test_one_that_can_not_be_answered_costs_no_other(sample: Installation, server: Server):
    class Broken(Wire):
        def send(self, data: bytes) -> bool:
            raise ValueError("no way")

    unheard = server.begin(ONE, flow=Broken())
    other = server.begin(TWO)
    async with asyncio.timeout(60):
        assert (await other).status == 200
        assert (await server.register(THREE)).status == 200
    assert not unheard.done()  # type: ignore[attr-defined]
    # It is stored, so it is true.
    assert server.contacts(ONE) == [f"sip:{ONE}@192.0.2.20:5062"]


async def test_a_contact_that_no_index_takes_costs_no_other(sample: Installation, server: Server):
    # PostgreSQL takes 2704 bytes, after it has tried to write them shorter.
    letters = "".join(chr(0x4E00 + number) for number in range(1000))
    long = server.begin(ONE, contact=f"<sip:{letters}@192.0.2.20>")
    other = server.begin(TWO)
    assert ((await long).status, (await other).status) == (400, 200)
    both = f'<sip:{token_hex(504)}@192.0.2.20>;+sip.instance="<{token_hex(511)}>"'
    assert (await server.register(ONE, contact=both, cseq=2)).status == 200


async def test_what_nobody_waits_for_costs_nobody_its_registration(
    sample: Installation, server: Server, monkeypatch: pytest.MonkeyPatch
):
    heard = queries.note_heard

    async def poisoned(connection: Any, new: Sequence[queries.Heard]) -> None:
        if new:
            raise ValueError("poison")
        await heard(connection, new)

    monkeypatch.setattr(queries, "note_heard", poisoned)
    await server.register(ONE)
    (binding,) = server.location.bindings(ONE, server.sip.now())
    server.registrations.heard(ONE, binding, 0.02)
    assert (await server.register(TWO)).status == 200
    assert len(await rows(sample)) == 2


async def test_a_line_taken_away_meanwhile_costs_no_other(sample: Installation, server: Server):
    """It was there when its phone proved who it is."""
    answers = [server.begin(ONE), server.begin(NOBODYS), server.begin(TWO)]
    assert [(await each).status for each in answers] == [200, 503, 200]
    assert server.contacts(NOBODYS) == []
    assert len(await rows(sample)) == 2


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_line_that_a_long_change_is_taking_away_holds_nobody_up(sample: Installation, server: Server):
    await apply_text(sample, WITH_ANOTHER)
    async with registering(sample) as fresh:
        await fresh.register(NOBODYS)
        async with sample.database.change() as session:
            await session.execute(delete(LineRow).where(LineRow.number == NOBODYS))
            answers = [fresh.begin(ONE), fresh.begin(NOBODYS, cseq=2), fresh.begin(TWO)]
            assert [(await each).status for each in answers] == [200, 503, 200]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_device_that_a_long_change_is_taking_away_holds_up_its_own_line_alone(sample: Installation):
    await share(sample, ONE, T46S)
    async with registering(sample) as server:
        for number in (ONE, TWO):
            assert (await server.register(number)).status == 200
        async with sample.database.change() as session:
            await session.execute(delete(DeviceRow).where(DeviceRow.mac == T46S))
            answers = [server.begin(number, cseq=2) for number in (TWO, ONE, THREE)]
            assert [(await each).status for each in answers] == [200, 503, 200]
        assert (await server.register(ONE, cseq=3)).status == 200


async def test_bindings_of_a_line_that_is_removed_go_at_once(sample: Installation):
    await apply_text(sample, WITH_ANOTHER)
    async with registering(sample) as server:
        await server.register(NOBODYS)
        await server.register(ONE)
        await apply_text(sample, LINES)

        async def is_gone() -> bool:
            return server.contacts(NOBODYS) == []

        await eventually(is_gone)
        assert [row.contact for row in await rows(sample)] == server.contacts(ONE)


async def test_bindings_of_a_line_removed_while_nothing_ran_are_not_there_again(sample: Installation):
    await apply_text(sample, WITH_ANOTHER)
    async with registering(sample) as server:
        await server.register(NOBODYS)
    await apply_text(sample, LINES)
    async with registering(sample) as server:
        assert known(server) == []


async def test_bindings_made_with_an_old_password_go_at_once_and_are_told(
    sample: Installation, server: Server, database_url: str
):
    woken: list[None] = []
    for number in (ONE, TWO):
        await server.register(number, "Mac: 80:5e:c0:12:34:56")
    watch = server.location.subscribe(ONE, lambda: woken.append(None))
    (device_id,) = (each.device_id for each in server.location.bindings(ONE, server.sip.now()))
    assert device_id is not None
    # As another process does it.
    elsewhere = replace(sample, database=await Database.open(database_url))
    await apply_text(elsewhere, WITH_A_PASSWORD)
    await elsewhere.database.close()

    async def is_kept() -> bool:
        return (await happened(sample))[-1] == "revoked" and len(await rows(sample)) == 1

    await eventually(is_kept)
    assert [change.kind for change in watch.take().changes] == [ChangeKind.REVOKED]
    assert woken
    assert (server.contacts(ONE), len(server.contacts(TWO))) == ([], 1)
    parted = server.parted.of(device_id, server.sip.now())
    assert parted is not None
    assert (parted[0], parted[1].contact) == (ONE, CONTACT)
    server.versions[ONE] = 2
    assert (await server.register(ONE, cseq=2)).status == 200
    assert server.contacts(ONE) == [CONTACT]
    assert (await server.register(ONE, cseq=3)).status == 200


async def test_who_has_proved_an_old_password_before_it_changed_is_not_registered_after(
    sample: Installation, server: Server
):
    await apply_text(sample, WITH_A_PASSWORD)
    answers = [server.begin(ONE), server.begin(TWO)]
    assert [(await each).status for each in answers] == [503, 200]
    assert server.contacts(ONE) == []
    assert [row.contact for row in await rows(sample)] == server.contacts(TWO)


async def test_who_comes_with_the_new_password_finds_nothing_of_the_old_one(
    sample: Installation, server: Server, monkeypatch: pytest.MonkeyPatch
):
    """Also where nobody has heard yet that there is another."""
    await server.register(ONE, contact="<sip:{number}@198.51.100.7>")
    monkeypatch.setattr(News, "hear", lambda self: True)
    await apply_text(sample, WITH_A_PASSWORD)
    server.versions[ONE] = 2
    assert (await server.register(ONE, cseq=2)).status == 200
    assert server.contacts(ONE) == [CONTACT]


async def test_bindings_made_with_an_old_password_are_not_there_after_a_restart(sample: Installation):
    async with registering(sample) as server:
        await server.register(ONE)
    await apply_text(sample, WITH_A_PASSWORD)
    async with registering(sample) as server:
        assert server.contacts(ONE) == []
        server.versions[ONE] = 2
        assert (await server.register(ONE, cseq=2)).status == 200
    async with registering(sample) as server:
        server.versions[ONE] = 2
        assert (await server.register(ONE, cseq=3)).status == 200
        assert [row.refreshes for row in await rows(sample)] == [1]


async def test_a_binding_that_lapses_goes_from_the_rows_with_an_event(sample: Installation, server: Server):
    await server.register(ONE, expires=1)
    await server.register(TWO)

    async def has_lapsed() -> bool:
        return len(await rows(sample)) == 1

    await eventually(has_lapsed)
    assert (await happened(sample))[-1] == "expired"


async def test_a_binding_that_lapsed_while_nothing_ran_is_told_and_goes(sample: Installation):
    async with registering(sample) as server:
        await server.register(ONE, expires=60)
    async with sample.database.change() as session:
        row = (await session.scalars(select(RegistrationRow))).one()
        row.expires_at = row.registered_at
    async with registering(sample) as server:
        assert server.contacts(ONE) == []

        async def is_gone() -> bool:
            return await rows(sample) == []

        await eventually(is_gone)
    assert await happened(sample) == ["registered", "expired"]


async def test_a_binding_that_comes_back_as_its_end_is_written_stays(
    sample: Installation, server: Server, monkeypatch: pytest.MonkeyPatch
):
    await server.register(ONE)
    (binding,) = server.location.bindings(ONE, server.sip.now())
    async with failing(monkeypatch, DatabaseUnavailable("away")):
        server.registrations.note(server.location.expire(binding.expires_at + 1))
    assert (await server.register(ONE, call_id="again")).status == 200
    assert len(await rows(sample)) == 1
    assert await happened(sample) == ["registered", "expired", "registered"]


async def test_more_than_may_wait_are_refused_before_they_wait(
    server: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(registrations, "_MOST_WAITING", 2)
    answers = [server.begin(number) for number in (ONE, TWO, THREE)]
    assert [(await each).status for each in answers] == [200, 200, 503]
    assert not server.registrations.is_full


async def test_nobody_waits_for_ever_for_a_database_that_hangs(
    sample: Installation, monkeypatch: pytest.MonkeyPatch
):
    hangs, goes_on = asyncio.Event(), asyncio.Event()
    appended = Database.appended

    async def hanging(database: Database, work: Work[Any]) -> Any:
        hangs.set()
        await goes_on.wait()
        return await appended(database, work)

    monkeypatch.setattr(Database, "appended", hanging)
    monkeypatch.setattr(registrations, "_LONGEST_S", 0.1)
    monkeypatch.setattr(registrations, "_STUCK_S", 0.05)
    async with registering(sample) as hurried:
        under_way = hurried.begin(ONE)
        await hangs.wait()
        behind = hurried.begin(TWO)
        assert [(await each).status for each in (under_way, behind)] == [503, 503]
        assert hurried.registrations.is_full
        assert (await hurried.register(THREE)).status == 503
        goes_on.set()

        async def is_done() -> bool:
            return not hurried.registrations.is_full

        await eventually(is_done)
        monkeypatch.undo()
        # It was stored after all, and is true; whoever was behind it was never begun with.
        assert (len(hurried.contacts(ONE)), hurried.contacts(TWO)) == (1, [])
        assert (await hurried.register(TWO, cseq=2)).status == 200
    assert len(await rows(sample)) == 2


async def test_reachability_is_kept_for_the_flow_on_which_it_was_found(sample: Installation, server: Server):
    await server.register(ONE)
    (binding,) = server.location.bindings(ONE, server.sip.now())
    now = server.sip.now()
    server.registrations.note(server.location.heard(ONE, binding.key, now, 0.0234))
    await server.register(ONE, cseq=2)
    (row,) = await rows(sample)
    assert (row.reachable, row.rtt_ms) == (True, 23)
    async with registering(sample) as again:
        (found,) = again.location.registered(ONE, again.sip.now())
        assert (found.reachability.is_reachable, found.reachability.rtt_s) == (True, 0.023)
    await server.register(ONE, cseq=3, flow=Wire(Address("192.0.2.20", 9999)))
    (row,) = await rows(sample)
    assert (row.reachable, row.rtt_ms) == (None, None)
    assert await happened(sample) == ["registered", "reachable", "moved"]


async def test_what_was_heard_by_the_old_flow_says_nothing_of_the_new_one(
    sample: Installation, server: Server, monkeypatch: pytest.MonkeyPatch
):
    await server.register(ONE)
    (binding,) = server.location.bindings(ONE, server.sip.now())
    monkeypatch.setattr(registrations, "_FLUSH_S", 3600.0)
    server.registrations.note(server.location.heard(ONE, binding.key, server.sip.now(), 0.0234))
    # What was heard waits still, and is not to be written over what the phone says now.
    await server.register(ONE, cseq=2, flow=Wire(Address("192.0.2.20", 9999)))
    await server.register(TWO)
    (row, _) = await rows(sample)
    (known,) = server.location.registered(ONE, server.sip.now())
    assert (row.reachable, known.reachability.is_reachable) == (None, None)
    assert await happened(sample) == ["registered", "reachable", "moved", "registered"]


async def test_whether_a_binding_was_reachable_that_has_lapsed_says_nothing_of_the_next(
    sample: Installation, server: Server, monkeypatch: pytest.MonkeyPatch
):
    await server.register(ONE)
    (binding,) = server.location.bindings(ONE, server.sip.now())
    server.registrations.note(server.location.heard(ONE, binding.key, server.sip.now(), 0.0234))
    await server.register(ONE, cseq=2)
    assert (await rows(sample))[0].reachable
    # It lapses, and its phone comes back, before anybody has looked.
    monkeypatch.setattr(server.location, "expire", lambda now: [])
    lapsed = replace(binding, expires_at=server.sip.now())
    server.location.restore([Registered(ONE, lapsed, Reachability(server.sip.now(), True))])
    await server.register(ONE, cseq=3)
    (row,) = await rows(sample)
    assert (row.refreshes, row.reachable) == (0, None)


async def test_a_phone_out_of_reach_is_registered_and_not_reachable(
    sample: Installation, server: Server, monkeypatch: pytest.MonkeyPatch
):
    await server.register(ONE)
    (binding,) = server.location.bindings(ONE, server.sip.now())
    heard_at = (await rows(sample))[0].heard_at
    lost = server.location.unanswered(ONE, binding.key, server.sip.now(), is_lost=True)
    server.registrations.note(lost)

    async def is_known() -> bool:
        return (await rows(sample))[0].reachable is False

    await eventually(is_known)
    assert (await rows(sample))[0].heard_at == heard_at
    assert await happened(sample) == ["registered", "unreachable"]


async def test_a_lines_history_is_bounded(
    sample: Installation, server: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bindings, "_PRUNE_AFTER", 5)
    server.registrations._stored._kept_events = 10
    await server.register(TWO)
    for cseq in range(1, 41):
        await server.register(ONE, cseq=cseq, expires=3600 * (cseq % 2))
    async with sample.database.read() as session:
        found = list(await session.scalars(select(RegistrationEventRow.line_id)))
    assert 10 <= found.count(server.line_ids[ONE]) <= 15
    assert found.count(server.line_ids[TWO]) == 1


async def device_ids(installation: Installation) -> Mapping[str, int]:
    """By MAC."""
    async with installation.database.read() as session:
        return {row.mac: row.id for row in await session.scalars(select(DeviceRow))}


async def share(installation: Installation, number: str, *macs: str) -> None:
    """Has the line on an account of these devices, and of no other."""
    ids = await device_ids(installation)
    async with installation.database.change() as session:
        line = (await session.scalars(select(LineRow).where(LineRow.number == number))).one()
        await session.execute(delete(DeviceAccountRow).where(DeviceAccountRow.line_id == line.id))
        session.add_all(
            DeviceAccountRow(device_id=ids[mac], account=9, line_id=line.id, label=None) for mac in macs
        )


VP530, T46S = "0015654aa937", "805ec0123456"


async def test_a_line_of_one_phone_is_that_phones(sample: Installation):
    await share(sample, ONE, T46S)
    async with registering(sample) as server:
        await server.register(ONE, agent="baresip")
    assert [row.device_id for row in await rows(sample)] == [(await device_ids(sample))[T46S]]


@pytest.mark.parametrize(
    ("said", "agent", "contact"),
    [
        (["Mac: 80:5E:C0:12:34:56"], "x", ""),
        ([], "Yealink SIP-T46S 66.86.0.15 80:5e:c0:12:34:56", ""),
        ([], "x", ';+sip.instance="<urn:uuid:00000000-0000-1000-8000-805ec0123456>"'),
    ],
)
async def test_a_shared_line_is_the_phones_that_says_its_mac(
    sample: Installation, said: list[str], agent: str, contact: str
):
    await share(sample, ONE, VP530, T46S)
    async with registering(sample) as server:
        await server.register(ONE, *said, agent=agent, contact=f"<sip:a@192.0.2.20:5062>{contact}")
    assert [row.device_id for row in await rows(sample)] == [(await device_ids(sample))[T46S]]


async def test_a_shared_line_is_the_phones_that_fetched_from_there_and_else_nobodys(sample: Installation):
    await share(sample, ONE, VP530, T46S)
    async with registering(sample) as server:
        await server.register(ONE, agent="x")
        assert [row.device_id for row in await rows(sample)] == [None]
        async with sample.database.append() as session:
            fetched = update(DeviceRow).where(DeviceRow.mac == T46S)
            await session.execute(fetched.values(contacted_from="192.0.2.20"))
        await server.register(ONE, agent="x", cseq=2)
        assert [row.device_id for row in await rows(sample)] == [(await device_ids(sample))[T46S]]


async def test_a_strangers_mac_is_no_hint(sample: Installation):
    await share(sample, ONE, T46S)
    async with registering(sample) as server:
        await server.register(ONE, "Mac: 00:15:65:4a:a9:37")
    assert [row.device_id for row in await rows(sample)] == [(await device_ids(sample))[T46S]]


async def test_a_device_taken_away_meanwhile_costs_only_its_name(
    sample: Installation, monkeypatch: pytest.MonkeyPatch
):
    await share(sample, ONE, T46S)
    there = queries.devices_there

    async def gone(connection: Any, ids: Any) -> frozenset[int]:
        return await there(connection, ()) if ids else frozenset()

    monkeypatch.setattr(queries, "devices_there", gone)
    async with registering(sample) as server:
        assert (await server.register(ONE)).status == 200
    assert [row.device_id for row in await rows(sample)] == [None]


async def test_limits_are_the_registrars(sample: Installation, server: Server):
    for number in range(LIMITS.bindings):
        flow = Wire(Address("192.0.2.20", 6000 + number))
        contact = f"<sip:a@192.0.2.20:{6000 + number}>"
        said = {"contact": contact, "call_id": f"{number}", "agent": f"phone {number}"}
        assert (await server.register(ONE, flow=flow, **said)).status == 200
    one_more = await server.register(ONE, contact="<sip:a@192.0.2.99>", call_id="more", agent="more")
    assert one_more.status == 403
    assert len(await rows(sample)) == LIMITS.bindings


async def test_a_server_that_is_asked_a_lot_at_once_answers_everybody(sample: Installation, server: Server):
    flow = Wire()
    waiting = [
        server.begin(ONE, contact="<sip:a@192.0.2.20>", cseq=cseq, call_id="x", flow=flow)
        for cseq in range(1, 1501)
    ]
    answers = await asyncio.gather(*waiting)
    assert {each.status for each in answers} == {200}
    (row,) = await rows(sample)
    assert (row.cseq, row.refreshes) == (1500, 1499)
