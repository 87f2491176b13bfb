"""Live test calls in a living server: phones that are registered ring, and nothing else is otherwise."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from db.changes import newest
from db.queries.chosen_lines import customer_called
from db.schema import CallRecordRow, LineRow, RegistrationRow
from provisioner.app import Running, serving
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.control.client import ask
from provisioner.control.errors import Refused
from provisioner.operations import live_calls, trials
from provisioner.operations.installation import Installation
from provisioner.operations.proof_history import Wanted, keep_proof, list_proofs
from sip.call import outgoing
from sip.testcall import taken
from sip.testcall.account import Account
from sip.testcall.agents import TestPhones
from sip.testcall.drawn import Drawn
from sip.testcall.observed import Rang, StoppedRinging
from sip.testcall.process import test_phones as some_phones
from sip.testcall.scenario import Behaviour, Then
from sip.transport.flow import Address
from tests.provisioner.operations.proofs import proof
from tests.provisioner.operations.small import dump
from tests.provisioner.operations.test_test_calls import CUSTOMER, own_processes

ANNA, SALES, HALL = "48223809986", "48223809880", "48223809882"
"The lines of 102, 103 and 104: the members of 603, which rings the least used first."
STORE = "48223809883"
"Of 105, which is with 103 in 602: that rings in any order."
ANSWERS, BUSY = Behaviour(Then.ANSWER, 0.2), Behaviour(Then.REFUSE, 0.1, 486)
SILENT = Behaviour(Then.SILENT)
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def soon_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens to the test's tone, and no phone here takes its time."""
    monkeypatch.setattr(trials, "_LIVE_TALK_S", 0.4)
    monkeypatch.setattr(live_calls, "_SETTLES_S", 0.1)


@asynccontextmanager
async def people(
    sample: Installation, running: Running, behaviours: dict[str, Behaviour]
) -> AsyncIterator[TestPhones]:
    """Phones of these lines, registered as people's are."""
    async with sample.database.read() as session:
        rows = await session.scalars(select(LineRow).where(LineRow.number.in_(behaviours)))
        passwords = {row.number: sample.vault.open(row.password_sealed) for row in rows}
    async with some_phones() as phones:
        for number, behaviour in behaviours.items():
            await phones.register(Account(number, passwords[number], running.sip), behaviour, 640)
        yield phones


def question(number: str, **more: Any) -> dict[str, Any]:
    return {"number": number, "customer": CUSTOMER, "live": True, **more}


async def told(sample: Installation, number: str, **more: Any) -> list[dict[str, Any]]:
    """All that the server says of a live test call."""
    return [each async for each in ask(sample.data_dir, "test-call", question(number, **more))]


async def ended(sample: Installation, count: int) -> Sequence[CallRecordRow]:
    """The records of so many calls, once all of them are over and written."""
    async with asyncio.timeout(60):
        while True:
            async with sample.database.read() as session:
                rows = list(await session.scalars(select(CallRecordRow)))
            if len(rows) == count and all(row.ended_at is not None for row in rows):
                return rows
            await asyncio.sleep(0.05)


async def test_registered_phones_ring_and_the_record_of_a_test_is_all_that_is_left(
    sample: Installation, running: Running
):
    async with people(sample, running, {SALES: BUSY, HALL: ANSWERS}) as phones:
        before, processes = await dump(sample), own_processes()
        *_, last = await told(sample, "603", confirmed=True, calls=2)
        said = last["proof"]
        assert (said["passed"], said["live"], len(said["calls"])) == (True, True, 2), said
        for call in said["calls"]:
            # Who has answered a test is not used the more for it: his turn comes as before.
            assert [each["extension"] for each in call["rung"]] == ["103", "104"]
            assert (call["answered_by"], call["talk"]["caller_hears"]) == ("104", True)
            does = {each["extension"]: each["does"] for each in call["phones"]}
            assert does == {"102": "unregistered", "103": "refuse", "104": "answer"}
        shown = [each.displays[0].name for each in phones.seen if isinstance(each, Rang)]
        assert shown == ["Test Centralka"] * 4
        assert own_processes() <= processes
        async with sample.database.read() as session:
            registered = await session.scalars(select(LineRow.number).join(RegistrationRow))
            assert set(registered) == {SALES, HALL}
    (run,) = (await list_proofs(sample, Wanted())).runs
    assert (run.live, run.number, run.calls, run.failed) == (True, "603", 2, 0)
    for row in await ended(sample, 2):
        assert (row.direction, row.from_name, row.to_number) == ("internal", "Test Centralka", "603")
        assert (row.billed_line_id, row.billed_number, row.sip_code) == (None, None, 200)
    after = await dump(sample)
    for table in ("customers", "extensions", "hunt_groups", "hunt_group_usage", "changes"):
        assert after[table] == before[table]
    async with sample.database.read() as session:
        assert list(await session.scalars(select(LineRow.last_used_at).distinct())) == [None]


@ON_SQLITE
async def test_what_a_group_has_drawn_before_counts_as_well(sample: Installation, running: Running):
    members = ("105", "103")
    always = replace(proof("602").calls[0], drawn=Drawn("602", members, members))
    async with sample.database.read() as session:
        owner, since = await customer_called(session, CUSTOMER), await newest(session)
    assert owner is not None
    # Whatever is drawn now, before it were 39 in the order of the list.
    await keep_proof(sample, owner, replace(proof("602"), calls=(always,) * 39), COMMAND_LINE, since)
    async with people(sample, running, {STORE: ANSWERS, SALES: ANSWERS}):
        *_, last = await told(sample, "602", confirmed=True)
    assert last["proof"]["calls"][0]["passed"]
    (finding,) = last["proof"]["findings"]
    assert (finding["code"], finding["blames"]["of"]) == ("not-random", "602")


@ON_SQLITE
async def test_a_phone_that_is_registered_and_gives_no_answer_is_to_blame(
    sample: Installation, running: Running, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(outgoing, "_TRYING_S", 1.0)
    monkeypatch.setattr(taken, "_DEAD_S", 1.0)
    async with people(sample, running, {HALL: ANSWERS}) as phones:
        os.kill(phones.pid, signal.SIGSTOP)
        try:
            *_, last = await told(sample, "104", confirmed=True)
        finally:
            os.kill(phones.pid, signal.SIGCONT)
    (call,) = last["proof"]["calls"]
    assert [(each["code"], each["blames"]["setting"]) for each in call["findings"]] == [
        ("did-not-ring", "phone")
    ]
    assert ([each["does"] for each in call["phones"]], call["status"]) == (["dead"], 480)


@ON_SQLITE
async def test_a_server_at_all_addresses_lets_it_in_by_one_that_the_phones_reach(sample: Installation):
    listen = sample.settings.listen.model_copy(update={"sip": "0.0.0.0:0"})
    everywhere = replace(sample, settings=sample.settings.model_copy(update={"listen": listen}))
    async with serving(everywhere, lambda _: None) as server:
        here = replace(server, sip=Address("127.0.0.1", server.sip.port))
        async with people(sample, here, {HALL: ANSWERS}):
            *_, last = await told(sample, "104", confirmed=True)
    assert (last["proof"]["passed"], last["proof"]["calls"][0]["talk"]["caller_hears"]) == (True, True)


@ON_SQLITE
@pytest.mark.parametrize("kills", [False, True])
async def test_phones_stop_ringing_when_the_test_breaks_off(
    sample: Installation, running: Running, kills: bool
):
    async with people(sample, running, {SALES: SILENT}) as phones:
        before = own_processes()
        async with aclosing(ask(sample.data_dir, "test-call", question("103", confirmed=True))) as answers:
            assert "begun" in await anext(answers)
            await phones.until(lambda: any(isinstance(each, Rang) for each in phones.seen), 60)
            (caller,) = own_processes() - before
            if kills:
                os.kill(caller, signal.SIGKILL)
                with pytest.raises(Refused, match="phones has ended"):
                    await anext(answers)
        await phones.until(lambda: any(isinstance(each, StoppedRinging) for each in phones.seen), 60)


@ON_SQLITE
@pytest.mark.usefixtures("running")
async def test_nobody_is_rung_before_that_is_confirmed_or_where_it_can_not_be(sample: Installation):
    (said,) = await told(sample, "603")
    assert [(each["extension"], each["line"], each["phones"]) for each in said["rings"]] == [
        ("102", ANNA, 0), ("103", SALES, 0), ("104", HALL, 0)
    ]  # fmt: skip
    for more, words in (
        ({"number": "112"}, "112 is an emergency number"),
        ({"number": "777"}, "nobody of the company has 777"),
        ({"number": "603", "calls": 21}, "20 calls at the most"),
        ({"number": "603", "confirmed": 1}, "true or false"),
    ):
        with pytest.raises(Refused, match=words):
            await told(sample, **{"confirmed": True, **more})  # type: ignore[arg-type]
    async with sample.database.read() as session:
        assert list(await session.scalars(select(CallRecordRow))) == []
