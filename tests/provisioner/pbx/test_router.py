"""What becomes of a dialled number, by what is stored: codes are done, and count from the next call on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from db.freshness import watching
from db.queries.call_records import Answered, note_answered
from db.schema import AuditRow
from provisioner.centrex.dialling import NumberForms
from provisioner.operations.installation import Installation
from provisioner.pbx.codes import MOST_A_MINUTE, Codes
from provisioner.pbx.domains import Domains
from provisioner.pbx.engaged import Engaged
from provisioner.pbx.exchange import Exchanges
from provisioner.pbx.news import News
from provisioner.pbx.router import ExchangeRouter
from sip.call.errors import NoSuchNumber
from sip.call.ringing import Caller as Shown
from sip.call.ringing import Confirm, GivenUp, Membership, Outcome, Ring, Target
from sip.call.tree.done import Done
from tests.provisioner.conftest import apply_text
from tests.provisioner.operations.small import ONE, TWO, line, other, small, written
from tests.provisioner.pbx.asking import Asking, asking
from tests.provisioner.pbx.story import Story
from tests.provisioner.pbx.switchboards import seeded
from tests.sip.call.ringing import Played, play

THREE = "48221110003"
GROUPS = [
    {"number": "600", "members": [{"extension": "101"}, {"extension": "102"}]},
    {"number": "601", "strategy": "least_used", "members": [{"extension": "101"}, {"extension": "102"}]},
]


def company() -> str:
    extensions = [{"number": f"10{n}", "line": number} for n, number in enumerate((ONE, TWO, THREE), 1)]
    lines = [line(ONE), line(TWO), line(THREE)]
    return written(small(lines=lines, extensions=extensions, hunt_groups=GROUPS), other())


@dataclass
class Clock:
    """Loop time."""

    now: float = 1_000.0


@dataclass
class Desk:
    """A phone that dials, of the line THREE unless it says another."""

    router: ExchangeRouter
    clock: Clock
    engaged: Engaged
    out: set[str] = field(default_factory=set)

    async def dials(self, number: str, line: str = THREE, *privacy: str) -> Played | Confirm:
        ringing = await self.router.route(asking(number, *privacy), line, number, uuid4())
        if isinstance(ringing, Done):
            return Confirm()
        return play(ringing)

    async def rings(self, number: str, line: str = THREE, *privacy: str) -> list[tuple[str, Shown]]:
        played = await self.dials(number, line, *privacy)
        assert isinstance(played, Played)
        return [(step.target.aor, step.target.caller) for _, step in played.steps if isinstance(step, Ring)]

    async def refused(self, number: str, line: str = THREE) -> GivenUp | None:
        played = await self.dials(number, line)
        assert isinstance(played, Played)
        assert not played.rang
        return played.refused


@pytest.fixture
async def desk(installation: Installation) -> AsyncIterator[Desk]:
    await apply_text(installation, company())
    sip = installation.settings.sip.model_copy(update={"emergency_gateway": "192.0.2.30:5090"})
    settings = installation.settings.model_copy(update={"sip": sip})
    async with watching(installation.database) as watcher:
        phones: Any = SimpleNamespace(bindings=lambda line: () if line in out else (line,))
        out: set[str] = set()
        exchanges = Exchanges(installation.database, News(watcher), NumberForms())
        clock = Clock()
        codes = Codes(installation, lambda: clock.now)
        engaged = Engaged()
        router = ExchangeRouter(
            settings, codes, exchanges, phones, engaged, Domains(["pbx"]), seeded(1)
        )
        yield Desk(router, clock, engaged, out)


async def test_a_number_rings_and_shows_the_callers_extension(desk: Desk):
    assert await desk.rings("101") == [(ONE, Shown("103"))]
    assert await desk.rings("48333000001") == [("48333000001", Shown(THREE))]


@pytest.mark.parametrize("prefix", ["", "48", "+48", "0048"])
async def test_lines_are_dialled_in_each_form_of_their_numbers(desk: Desk, prefix: str):
    # One of the own company, and one of another.
    assert await desk.rings(f"{prefix}221110001") == [(ONE, Shown("103"))]
    assert await desk.rings(f"{prefix}333000001") == [("48333000001", Shown(THREE))]
    assert await desk.dials(f"*21*{prefix}333000001#", ONE) == Confirm()
    assert await desk.rings("101") == [("48333000001", Shown(THREE))]


async def test_a_forwarding_that_was_dialled_holds_from_the_next_call_on(
    desk: Desk, installation: Installation
):
    assert await desk.dials("*21*102#", ONE) == Confirm()
    assert [line for line, _ in await desk.rings("101")] == [TWO]
    assert await desk.dials("#21#", ONE) == Confirm()
    assert [line for line, _ in await desk.rings("101")] == [ONE]
    async with installation.database.read() as session:
        rows = await session.scalars(select(AuditRow).where(AuditRow.actor == "phone").order_by(AuditRow.id))
        assert [(row.verb, row.subject) for row in rows] == [("forward", ONE), ("forward", ONE)]


async def test_who_is_not_to_be_disturbed_does_not_ring_until_it_is_dialled_off(desk: Desk):
    assert await desk.dials("*26", ONE) == Confirm()
    assert await desk.refused("101") == GivenUp(Outcome.BUSY, 486)
    assert await desk.dials("#26", ONE) == Confirm()
    assert [line for line, _ in await desk.rings("101")] == [ONE]


async def test_members_log_out_of_their_groups_and_in_again(desk: Desk):
    assert await desk.dials("*51", ONE) == Confirm()
    assert [line for line, _ in await desk.rings("600")] == [TWO]
    assert [line for line, _ in await desk.rings("601")] == [TWO]
    assert await desk.dials("*50600", ONE) == Confirm()
    assert [line for line, _ in await desk.rings("600")] == [ONE, TWO]
    assert [line for line, _ in await desk.rings("601")] == [TWO]


@pytest.mark.parametrize("code", ["*21*", "*21*112#", "*51699", "*22**26#"])
async def test_a_code_that_can_not_be_done_is_refused(desk: Desk, code: str):
    status = 404 if code == "*22**26#" else 403
    assert await desk.refused(code) == GivenUp(Outcome.REFUSED, status)


async def test_a_line_has_so_many_codes_done_a_minute_and_others_as_many(desk: Desk):
    for _ in range(MOST_A_MINUTE):
        assert await desk.dials("#26", ONE) == Confirm()
    assert await desk.refused("#26", ONE) == GivenUp(Outcome.REFUSED, 403)
    assert await desk.dials("#26", TWO) == Confirm()
    desk.clock.now += 60
    assert await desk.dials("#26", ONE) == Confirm()


async def test_the_number_is_hidden_and_shown_by_code_or_by_the_phone_itself(desk: Desk):
    hidden, open_ = Shown("", is_hidden=True), Shown("103")
    for number, privacy, expected in (
        ("101", (), open_), ("*67101", (), hidden), ("*68101", ("id",), open_), ("101", ("id",), hidden),
        ("101", ("none",), open_), ("101", ("header;id;critical",), hidden),
    ):  # fmt: skip
        assert await desk.rings(number, THREE, *privacy) == [(ONE, expected)], (number, privacy)
    assert await desk.refused("*67") == GivenUp(Outcome.REFUSED, 484)


async def test_an_emergency_call_shows_who_calls_also_where_the_number_was_to_be_hidden(desk: Desk):
    for dialled in ("112", "*67112"):
        ((gateway, shown),) = await desk.rings(dialled)
        assert (gateway, shown) == ("112", Shown(THREE))


async def test_who_answered_last_rings_last_also_after_a_restart(desk: Desk, installation: Installation):
    assert [line for line, _ in await desk.rings("601")] == [ONE, TWO]
    answered = [Answered("601", ONE, datetime.now(UTC))]
    await installation.database.appended(lambda writer: note_answered(writer, answered))
    # As another process reads it that has seen no call.
    async with watching(installation.database) as watcher:
        desk.router._exchanges = Exchanges(installation.database, News(watcher), NumberForms())
        assert [line for line, _ in await desk.rings("601")] == [TWO, ONE]


async def test_a_line_that_has_gone_meanwhile_calls_nobody(desk: Desk):
    with pytest.raises(Exception, match="gone"):
        await desk.dials("101", "48999999999")


# Dialogs that are taken over


async def may(desk: Desk, line: str, other: str, *groups: str) -> bool:
    """Whether a line may take over the dialog of another, which rings for these groups."""
    taker = await desk.router.taker(asking("101"), line, "101")
    assert (taker.aor, taker.dialled, taker.is_hidden) == (line, "101", False)
    memberships = tuple(Membership(group, "101") for group in groups)
    return taker.may(other, Target(other, Shown("1"), memberships=memberships) if groups else None)


async def test_dialogs_of_ones_own_company_may_be_taken_over_and_no_others(desk: Desk):
    assert await may(desk, THREE, ONE)
    assert await may(desk, THREE, THREE)
    assert not await may(desk, THREE, "48333000001")
    assert not await may(desk, "48333000001", ONE)
    assert not await may(desk, THREE, "112")
    assert not await may(desk, "48999999999", "48999999999")


async def test_what_rings_for_a_group_is_picked_up_by_its_members_or_where_it_lets_everybody(
    desk: Desk, installation: Installation
):
    assert await may(desk, TWO, ONE, "600")
    assert not await may(desk, THREE, ONE, "600")
    groups = [{**GROUPS[0], "pickup_allowed": True}, GROUPS[1]]
    lines = [line(ONE), line(TWO), line(THREE)]
    extensions = [{"number": f"10{n}", "line": number} for n, number in enumerate((ONE, TWO, THREE), 1)]
    more = written(small(lines=lines, extensions=extensions, hunt_groups=groups), other())
    await apply_text(installation, more)
    assert await may(desk, THREE, ONE, "600")
    assert not await may(desk, THREE, ONE, "600", "601")
    assert await may(desk, TWO, ONE, "600", "601")


async def test_at_a_full_site_the_call_that_is_there_may_be_picked_up_and_passed_on(
    desk: Desk, installation: Installation
):
    lines = [line(ONE, site="Hala"), line(TWO, site="Hala"), line(THREE)]
    said = small(lines=lines, sites=[{"name": "Hala", "concurrent_calls": 1}], hunt_groups=[])
    await apply_text(installation, written(said))
    call = Story(desk.engaged.hear).begins(THREE, "101").rings(ONE)
    taker = await desk.router.taker(asking("101"), TWO, "101")
    assert taker.has_room(ONE)
    assert taker.has_room(THREE), "the other end of it"
    Story(desk.engaged.hear).begins(stranger := "48333000001", "112")
    assert not taker.has_room(stranger)
    call.answers(ONE)
    assert await desk.refused("102") == GivenUp(Outcome.SITE_FULL, 486)
    assert (await desk.refused("103", TWO)) == GivenUp(Outcome.SITE_FULL, 486, "Too many calls at this site")
    assert play(await desk.router.route(asking("102"), ONE, "102", uuid4(), call.id)).rang == [TWO]
    call.ends()
    assert [each for each, _ in await desk.rings("102")] == [TWO]


async def test_who_asks_for_privacy_takes_over_unseen(desk: Desk):
    assert (await desk.router.taker(asking("101", "id"), THREE, "101")).is_hidden


async def test_a_number_of_another_host_is_somebody_elses(desk: Desk):
    for number in ("101", "600", "*26", "48333000001", "+48221110001"):
        elsewhere = asking(number, host="elsewhere.example")
        with pytest.raises(NoSuchNumber):
            await desk.router.route(elsewhere, THREE, number, uuid4())
        with pytest.raises(NoSuchNumber):
            await desk.router.taker(elsewhere, THREE, number)
        # A REFER comes to us, and says who is to be called.
        with pytest.raises(NoSuchNumber):
            await desk.router.route(Asking(asking(number).request, elsewhere.uri), THREE, number, uuid4())


async def test_a_number_at_each_name_of_ours_is_ours(desk: Desk):
    for host in ("pbx", "PBX", "192.0.2.1"):
        ringing = await desk.router.route(asking("101", host=host), THREE, "101", uuid4())
        assert play(ringing).rang == [ONE]


async def test_an_emergency_call_goes_out_whatever_host_is_asked(desk: Desk):
    ringing = await desk.router.route(asking("112", host="elsewhere.example"), THREE, "112", uuid4())
    assert play(ringing).rang == ["112"]


async def test_a_line_is_an_extension_for_colleagues_and_a_number_for_all_others(desk: Desk):
    await desk.rings("101")
    assert desk.router.shown(THREE, ONE) == Shown("103")
    assert desk.router.shown(THREE, "48333000001") == Shown(THREE)
    assert desk.router.shown("48333000001", ONE) == Shown("48333000001")
    assert desk.router.shown("112", ONE) == Shown("112")
