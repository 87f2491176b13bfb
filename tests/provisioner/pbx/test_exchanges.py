"""Switchboards in memory: read once, never stale, and of every customer only what routing needs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from db.changes import ALL, touch
from db.freshness import watching
from provisioner.centrex.codes import Case
from provisioner.centrex.customer import Forwarding, HuntStrategy, Member
from provisioner.centrex.dialling import NumberForms
from provisioner.centrex.exchange import SiteLimit
from provisioner.operations import line_services
from provisioner.operations.installation import Installation
from provisioner.pbx import exchange as module
from provisioner.pbx.codes import PHONE
from provisioner.pbx.exchange import Exchanges
from provisioner.pbx.news import News
from tests.provisioner.conftest import apply_text
from tests.provisioner.operations.small import ONE, TWO, line, other, small, written

FORWARDS = {"busy": {"to": "48333000001"}, "no_answer": {"to": "102", "after": 12, "enabled": False}}
GROUP = {
    "number": "600",
    "name": "Sprzedaż",
    "strategy": "least_used",
    "members": [
        {"extension": "101", "ring_delay": 3, "stop": True},
        {"extension": "102", "logged_in": False},
    ],
}


def company() -> str:
    lines = [line(ONE, forwarding=FORWARDS, dnd=True), line(TWO, call_waiting=False)]
    centrex = {"distinctive_ring": True, "codes": {"dnd_on": "*78"}}
    centrex["speed_dial"] = {"entries": [{"number": "34", "target": "102"}, {"number": "35"}]}
    return written(small(lines=lines, hunt_groups=[GROUP], centrex=centrex), other())


@pytest.fixture
async def exchanges(installation: Installation) -> AsyncIterator[Exchanges]:
    await apply_text(installation, company())
    async with watching(installation.database) as watcher:
        yield Exchanges(installation.database, News(watcher), NumberForms())


async def test_a_switchboard_is_what_its_customer_has_set(exchanges: Exchanges):
    exchange = await exchanges.of_line(ONE)
    assert exchange is not None
    assert exchange.lines[ONE].dnd
    assert exchange.lines[ONE].forwarding.busy == Forwarding("48333000001")
    assert exchange.lines[ONE].forwarding.no_answer == Forwarding("102", enabled=False, after=12)
    assert not exchange.lines[TWO].call_waiting
    group = exchange.groups["600"]
    assert group.strategy is HuntStrategy.LEAST_USED
    assert group.members == (Member("101", ring_delay=3, stop=True), Member("102", logged_in=False))
    assert exchange.extension_of == {ONE: "101", TWO: "102"}
    assert exchange.short_numbers == {"34": "102", "35": "35"}
    assert exchange.codes.dnd_on == "*78"
    assert exchange.distinctive_ring


async def test_how_many_calls_a_line_may_have_is_said_by_its_product_its_customer_or_itself(
    installation: Installation, exchanges: Exchanges
):
    async def allowed(change: str = "SELECT 1") -> tuple[float, float]:
        async with installation.database.change() as session:
            await session.execute(text(change))
            touch(session, ALL)
        exchange = await exchanges.of_line(ONE)
        assert exchange is not None
        return exchange.most_calls(ONE), exchange.most_calls(TWO)

    assert await allowed() == (2, 2)
    says = "INSERT INTO {0}_features ({0}_id, feature_id, value, locked, reason) SELECT own.id, f.id, '{1}',"
    says += " false, '' FROM {0}s own, features f WHERE f.name = 'concurrent_calls'"
    assert await allowed(says.format("customer", 7)) == (7, 7)
    assert await allowed(f"{says.format('line', 1)} AND own.number = '{ONE}'") == (1, 7)
    assert await allowed("UPDATE customer_features SET locked = true") == (7, 7)
    assert await allowed("UPDATE product_features SET locked = true") == (2, 2)


async def test_a_site_that_has_a_limit_knows_its_lines(installation: Installation, exchanges: Exchanges):
    async def limits(**sites: int | None) -> dict[str, SiteLimit]:
        said = [{"name": name, "concurrent_calls": most} for name, most in sites.items()]
        lines = [line(ONE, site="Hala"), line(TWO, site="Biuro")]
        await apply_text(installation, written(small(sites=said, lines=lines)))
        exchange = await exchanges.of_line(ONE)
        assert exchange is not None
        assert exchange.lines[TWO].site == "Biuro"
        return dict(exchange.sites)

    assert await limits(Hala=None, Biuro=None) == {}
    assert await limits(Hala=3, Biuro=None) == {"Hala": SiteLimit(3, frozenset({ONE}))}
    both = {"Hala": SiteLimit(4, frozenset({ONE})), "Biuro": SiteLimit(1, frozenset({TWO}))}
    assert await limits(Hala=4, Biuro=1) == both
    # What a line changes by itself is read alone.
    await apply_text(installation, written({"login": "firma", "lines": [
        line(ONE, site="Hala", dnd=True), line(TWO, site="Biuro")]}))  # fmt: skip
    exchange = await exchanges.of_line(ONE)
    assert exchange is not None
    assert exchange.lines[ONE].dnd
    assert exchange.site_of(ONE) == both["Hala"]


async def test_a_line_that_is_not_there_has_none_until_somebody_gets_it(
    installation: Installation, exchanges: Exchanges
):
    for _ in range(2):
        assert await exchanges.of_line("48333000009") is None
    await apply_text(installation, written(other(lines=[line("48333000001"), line("48333000009")])))
    assert await exchanges.of_line("48333000009") is not None


async def test_it_is_read_once_and_again_after_each_change(
    installation: Installation, exchanges: Exchanges, monkeypatch: pytest.MonkeyPatch
):
    reads = []

    async def counted(*given: object) -> object:
        reads.append(given)
        return await read(*given)  # type: ignore[arg-type]

    read = module.exchange_rows
    monkeypatch.setattr(module, "exchange_rows", counted)
    first = await exchanges.of_line(ONE)
    assert await exchanges.of_line(TWO) == first
    assert exchanges.known(ONE) == exchanges.known(TWO) == first
    assert len(reads) == 1
    await apply_text(installation, company().replace("distinctive_ring: true", "distinctive_ring: false"))
    assert exchanges.known(ONE) is None
    changed = await exchanges.of_line(ONE)
    assert changed is not None
    assert not changed.distinctive_ring
    assert len(reads) == 2


async def test_what_a_line_changes_by_itself_is_read_alone_and_makes_the_same_switchboard(
    installation: Installation, exchanges: Exchanges, monkeypatch: pytest.MonkeyPatch
):
    before = await exchanges.of_line(ONE)
    assert before is not None

    async def never(*_: object) -> object:
        raise AssertionError("the whole switchboard was read")

    with monkeypatch.context() as patched:
        patched.setattr(module, "exchange_rows", never)
        await line_services.set_dnd(installation, ONE, PHONE, dnd=False)
        await line_services.set_forwarding(installation, TWO, Case.ALWAYS, "101", PHONE, enabled=True)
        await line_services.set_logged_in(installation, TWO, None, PHONE, logged_in=True)
        assert exchanges.known(ONE) is None
        after = await exchanges.of_line(ONE)
        assert exchanges.known(ONE) == await exchanges.of_line(TWO) == after
    assert after is not None
    assert (before.lines[ONE].dnd, after.lines[ONE].dnd) == (True, False)
    assert after.lines[TWO].forwarding.always == Forwarding("101")
    assert [member.logged_in for member in after.groups["600"].members] == [True, True]
    async with watching(installation.database) as watcher:
        assert await Exchanges(installation.database, News(watcher), NumberForms()).of_line(ONE) == after


async def test_after_many_such_changes_it_is_read_anew(
    installation: Installation, exchanges: Exchanges, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "_MOST_STALE", 1)
    await exchanges.of_line(ONE)
    for number in (ONE, TWO):
        await line_services.set_dnd(installation, number, PHONE, dnd=number == TWO)
    after = await exchanges.of_line(ONE)
    assert after is not None
    assert [after.lines[number].dnd for number in (ONE, TWO)] == [False, True]


async def test_a_change_of_one_company_leaves_the_others_in_memory(
    installation: Installation, exchanges: Exchanges
):
    await exchanges.of_line(ONE)
    await apply_text(installation, written(other(name="Ganz anders")))
    assert exchanges.known(ONE) is not None


async def test_a_line_that_has_gone_is_known_no_more(installation: Installation, exchanges: Exchanges):
    await exchanges.of_line("48333000001")
    await apply_text(installation, written(other(lines=[line("48333000002")])))
    assert exchanges.known("48333000001") is None
    assert await exchanges.of_line("48333000001") is None


async def test_who_may_be_reached_elsewhere_is_known_before_the_call(exchanges: Exchanges):
    mine = await exchanges.of_line(ONE)
    assert mine is not None
    assert set(await exchanges.elsewhere(mine, "600")) == {"48333000001"}
    assert set(await exchanges.elsewhere(mine, "+48333000001")) == {"48333000001"}
    assert not await exchanges.elsewhere(mine, "102")


async def test_who_answered_last_is_read_in_the_order_of_their_answers(
    installation: Installation, exchanges: Exchanges
):
    stored = text(
        "INSERT INTO hunt_group_usage (group_id, extension_id, last_answered_at)"
        " SELECT g.id, e.id, :at FROM hunt_groups g JOIN extensions e ON e.customer_id = g.customer_id"
        " WHERE e.number = :extension"
    )
    async with installation.database.change() as session:
        for extension, at in (("102", "2026-11-23 10:00:00+00:00"), ("101", "2026-11-23 11:00:00+00:00")):
            await session.execute(text(stored.text.replace(":at", f"'{at}'")), {"extension": extension})
    exchange = await exchanges.of_line(ONE)
    assert exchange is not None
    assert exchange.used["600", TWO] < exchange.used["600", ONE]


async def test_memory_is_bounded(
    installation: Installation, exchanges: Exchanges, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "_MOST_THINGS", 1)
    await exchanges.of_line(ONE)
    await exchanges.of_line("48333000001")
    assert exchanges.known(ONE) is None
    assert exchanges.known("48333000001") is not None
