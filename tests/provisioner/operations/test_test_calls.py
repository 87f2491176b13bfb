"""Test calls in a living server, by phones that are not ours."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from db.changes import newest
from db.queries.chosen_lines import customer_called
from db.schema import LineRow
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.control.client import ask
from provisioner.control.errors import Refused
from provisioner.operations.draws import draws_before
from provisioner.operations.installation import Installation
from provisioner.operations.proof_history import keep_proof
from provisioner.pbx.routing import Routing
from sip.testcall.drawn import Drawn
from tests.provisioner.operations.proofs import proof
from tests.provisioner.operations.small import dump

CUSTOMER = "nowyklienttestowy"
_OWN = ("instance", "nodes", "proofs")
"Tables in which the server says that it lives, and what was proved."


async def told(installation: Installation, number: str, **more: Any) -> list[dict[str, Any]]:
    """All that the server says of a test call, in which nobody waits for long."""
    question = {"number": number, "customer": CUSTOMER, "calls": 1, "speed": 10, **more}
    return [each async for each in ask(installation.data_dir, "test-call", question)]


async def kept(installation: Installation) -> dict[str, list[str]]:
    """All that is stored but what test calls are to leave."""
    async with installation.database.append() as session:
        await session.execute(update(LineRow).values(proved_at=None))
    return {name: rows for name, rows in (await dump(installation)).items() if name not in _OWN}


def own_processes() -> set[int]:
    """The processes that this one has started."""
    found: set[int] = set()
    for thread in Path("/proc/self/task").iterdir():
        # It may have ended meanwhile.
        with suppress(FileNotFoundError, ProcessLookupError):
            found.update(map(int, (thread / "children").read_text().split()))
    return found


@contextmanager
def nothing_is_left() -> Iterator[None]:
    before = own_processes()
    yield
    assert own_processes() <= before


@pytest.mark.usefixtures("running")
async def test_a_group_of_each_strategy_and_an_extension_ring_as_configured(sample: Installation):
    before = await kept(sample)
    with nothing_is_left():
        # 600 in order, 601 all at once, 602 at random, 603 the least used first.
        runs = await asyncio.gather(*(told(sample, number) for number in ("600", "601", "602", "603", "101")))
    for run in runs:
        begun, call, last = run
        assert begun["begun"] == {"scenario": "first-answers", "number": 1, "calls": 1}
        assert call["call"]["findings"] == []
        assert call["call"]["answered_by"] == call["call"]["rung"][0]["extension"]
        assert (last["proof"]["passed"], last["proof"]["calls"]) == (True, [call["call"]])
    assert await kept(sample) == before


@pytest.mark.usefixtures("running")
async def test_it_is_said_who_got_an_invite_when_and_what_they_saw(sample: Installation):
    _, call, last = await told(sample, "601", messages=True)
    first, second = call["call"]["rung"]
    assert (first["line"], first["extension"], first["name"]) == ("48223809887", "101", "Recepcja")
    assert (first["shown_number"], first["shown_name"]) == (call["call"]["caller"], "Test")
    assert (first["ended"], second["ended"]) == ("answered", "stopped")
    # 104 rings half a second after 101.
    assert 0 <= first["invited_s"] < second["invited_s"] < second["until_s"]
    assert call["call"]["messages"] == []
    messages = last["proof"]["calls"][0]["messages"]
    starts = [(each["line"], each["came"], each["text"].split()[0]) for each in messages]
    assert starts[0] == (messages[0]["line"], False, "INVITE")
    assert {(line, came, start) for line, came, start in starts if start in ("CANCEL", "BYE")} == {
        (second["line"], True, "CANCEL"),
        (messages[0]["line"], False, "BYE"),
        (first["line"], True, "BYE"),
    }
    assert (first["line"], False, "SIP/2.0") in starts
    assert any("Authorization: ***" in each["text"] for each in messages)
    assert not any("response=" in each["text"] or "REGISTER" in each["text"] for each in messages)


@pytest.mark.usefixtures("running")
async def test_each_kind_of_call_that_is_asked_for_is_made_once(sample: Installation):
    with nothing_is_left():
        *_, last = await told(sample, "601", calls=None)
    assert last["proof"]["passed"]
    kinds = [call["scenario"] for call in last["proof"]["calls"]]
    assert kinds[:3] == ["first-answers", "last-answers", "no-answer"]
    assert len(kinds) == len(set(kinds)) == 11


@pytest.mark.usefixtures("running")
async def test_what_a_group_has_drawn_before_counts_as_well(sample: Installation):
    members = ("105", "103")
    always = replace(proof("602").calls[0], drawn=Drawn("602", members, members))
    async with sample.database.read() as session:
        owner, since = await customer_called(session, CUSTOMER), await newest(session)
    assert owner is not None
    # Whatever is drawn now, before it were 39 in the order of the list.
    await keep_proof(sample, owner, replace(proof("602"), calls=(always,) * 39), COMMAND_LINE, since)
    *_, last = await told(sample, "602", calls=1)
    (finding,) = last["proof"]["findings"]
    assert (finding["code"], finding["blames"]["of"]) == ("not-random", "602")
    assert "n = 40" in finding["seen"]
    # That was found, and is not held against what comes after it.
    assert await draws_before(sample, owner, "602") == []


@pytest.mark.usefixtures("running")
async def test_what_is_not_as_configured_is_found(sample: Installation, monkeypatch: pytest.MonkeyPatch):
    ordered = Routing._ordered
    monkeypatch.setattr(Routing, "_ordered", lambda *asked: ordered(*asked)[::-1])
    *_, call, last = await told(sample, "600")
    assert last["proof"]["passed"] is False
    assert {each["code"] for each in call["call"]["findings"]} & {"wrong-order", "rang-wrongly"}


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        ({"customer": "nobody"}, "not-found", "there is no customer 'nobody'"),
        ({"number": "999999"}, "not-found", "999999"),
        ({"number": "112"}, "bad-value", "112 is an emergency number"),
        ({"calls": 0}, "bad-value", "calls as a number from 1"),
        ({"speed": 0.5}, "bad-value", "speed as a number from 1"),
        ({"number": 600}, "bad-value", "texts"),
    ],
)
async def test_what_can_not_be_tested_is_refused_in_plain_words(
    sample: Installation, asked: dict[str, Any], code: str, words: str
):
    with pytest.raises(Refused, match=words) as refused:
        await told(sample, **{"number": "600", **asked})
    assert refused.value.code == code


@pytest.mark.usefixtures("running")
async def test_whoever_stops_listening_ends_it(sample: Installation):
    with nothing_is_left():
        before = own_processes()
        question = {"number": "600", "customer": CUSTOMER, "calls": 2}
        async with aclosing(ask(sample.data_dir, "test-call", question)) as answers:
            assert "begun" in await anext(answers)
            (phones,) = own_processes() - before
        async with asyncio.timeout(60):
            while phones in own_processes():  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.01)


@pytest.mark.usefixtures("running")
async def test_phones_that_are_killed_end_it_with_a_word(sample: Installation):
    before = own_processes()
    question = {"number": "600", "customer": CUSTOMER, "calls": 2}
    async with aclosing(ask(sample.data_dir, "test-call", question)) as answers:
        assert "begun" in await anext(answers)
        (phones,) = own_processes() - before
        os.kill(phones, signal.SIGKILL)
        with pytest.raises(Refused, match="phones has ended") as refused:
            await anext(answers)
    assert refused.value.code == "test-call-broke"
