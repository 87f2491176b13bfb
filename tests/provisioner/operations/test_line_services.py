"""What a line changes of itself: kept, written into the audit, and left alone by files that don't say it."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from db.schema import AuditRow
from provisioner.centrex.actor import Actor, Role
from provisioner.centrex.codes import Case
from provisioner.centrex.customer import Customer, Forwarding, Forwardings, Line
from provisioner.centrex.errors import BadValue, NotFound
from provisioner.operations.installation import Installation
from provisioner.operations.line_services import set_dnd, set_forwarding, set_logged_in
from provisioner.store.customers import load_customer
from tests.provisioner.conftest import apply_text
from tests.provisioner.operations.small import ONE, TWO, line, small, written

PHONE = Actor("phone", Role.USER)


@pytest.fixture(autouse=True)
async def company(installation: Installation) -> None:
    await apply_text(installation, written(small()))


async def customer(installation: Installation) -> Customer:
    async with installation.database.read() as session:
        stored = await load_customer(session, installation.vault, "firma")
    assert stored is not None
    return stored.customer


async def one(installation: Installation) -> Line:
    return next(each for each in (await customer(installation)).lines if each.number == ONE)


async def audited(installation: Installation) -> list[tuple[str, str, str, str | None]]:
    async with installation.database.read() as session:
        rows = await session.scalars(select(AuditRow).where(AuditRow.actor == "phone").order_by(AuditRow.id))
        return [(row.verb, row.subject, row.role, row.plan) for row in rows]


@pytest.mark.parametrize("case", list(Case))
async def test_a_forwarding_is_set_turned_off_and_on_again(installation: Installation, case: Case):
    await set_forwarding(installation, ONE, case, "102", PHONE, enabled=True)
    assert (await one(installation)).forwarding == Forwardings(**{case.value: Forwarding("102")})
    await set_forwarding(installation, ONE, case, None, PHONE, enabled=False)
    off = Forwarding("102", enabled=False)
    assert (await one(installation)).forwarding == Forwardings(**{case.value: off})
    await set_forwarding(installation, ONE, case, None, PHONE, enabled=True)
    assert (await one(installation)).forwarding == Forwardings(**{case.value: Forwarding("102")})


async def test_every_change_has_its_entry_in_the_audit_and_what_changes_nothing_has_none(
    installation: Installation,
):
    await set_forwarding(installation, ONE, Case.BUSY, "102", PHONE, enabled=True)
    await set_forwarding(installation, ONE, Case.BUSY, "102", PHONE, enabled=True)
    await set_dnd(installation, ONE, PHONE, dnd=True)
    await set_dnd(installation, ONE, PHONE, dnd=True)
    forwarded, disturbed = await audited(installation)
    assert forwarded[:3] == ("forward", ONE, "user")
    assert "busy of forwarding: none -> 102 after 20 s, on" in (forwarded[3] or "")
    assert disturbed[0] == "dnd"
    assert "dnd: no -> yes" in (disturbed[3] or "")


async def test_a_member_logs_out_of_its_groups_and_in_again(installation: Installation):
    async def members() -> dict[str, bool]:
        (group,) = (await customer(installation)).hunt_groups
        return {member.extension or "": member.logged_in for member in group.members}

    await set_logged_in(installation, ONE, None, PHONE, logged_in=False)
    assert await members() == {"101": False, "102": True}
    # A file that says who its members are says nothing of that.
    await apply_text(installation, written(small()))
    assert await members() == {"101": False, "102": True}
    await set_logged_in(installation, ONE, "600", PHONE, logged_in=True)
    assert await members() == {"101": True, "102": True}
    assert [(verb, plan) for verb, _, _, plan in await audited(installation)] == [
        ("log-out", '["hunt group 600: 101 logged out"]'),
        ("log-in", '["hunt group 600: 101 logged in"]'),
    ]


@pytest.mark.parametrize(
    ("target", "reason"), [("112", "emergency number"), ("*26", r"a code \(dnd_on\)"), (None, "no number")]
)
async def test_no_call_is_forwarded_to_what_is_no_phone(
    installation: Installation, target: str | None, reason: str
):
    with pytest.raises(BadValue, match=reason):
        await set_forwarding(installation, ONE, Case.ALWAYS, target, PHONE, enabled=True)
    assert (await one(installation)).forwarding == Forwardings()


async def test_what_is_not_there_is_named(installation: Installation):
    with pytest.raises(NotFound, match="48999"):
        await set_dnd(installation, "48999", PHONE, dnd=True)
    with pytest.raises(BadValue, match="no member of hunt group 601"):
        await set_logged_in(installation, ONE, "601", PHONE, logged_in=True)


async def test_a_company_file_says_all_of_it_and_a_second_time_changes_nothing(installation: Installation):
    forwarding = {
        "always": {"to": "102", "enabled": False},
        "busy": {"to": "48223809887"},
        "no_answer": {"to": "102", "after": 12},
        "unreachable": {"to": "600"},
    }
    lines = [line(ONE, forwarding=forwarding, dnd=True, call_waiting=False), line(TWO)]
    groups = [
        {"number": "600", "members": [{"extension": "101", "logged_in": False}, {"extension": "102"}]}
    ]
    said = written(small(lines=lines, hunt_groups=groups))
    plan = await apply_text(installation, said)
    changes = [str(change) for change in plan.changes]
    assert f"change line {ONE}: dnd: no -> yes" in changes
    assert f"change line {ONE}: call waiting: yes -> no" in changes
    assert f"change line {ONE}: always of forwarding: none -> 102 after 20 s, off" in changes
    assert plan.files == ()
    expected = Forwardings(
        Forwarding("102", enabled=False),
        Forwarding("48223809887"),
        Forwarding("102", after=12),
        Forwarding("600"),
    )
    there = await one(installation)
    assert (there.forwarding, there.dnd, there.call_waiting) == (expected, True, False)
    assert (await apply_text(installation, said)).changes == ()
    await apply_text(installation, written(small(lines=[line(ONE, forwarding={"busy": None}), line(TWO)])))
    assert (await one(installation)).forwarding == Forwardings(
        always=expected.always, no_answer=expected.no_answer, unreachable=expected.unreachable
    )


async def test_a_file_that_forwards_to_an_emergency_number_is_refused_with_its_place(
    installation: Installation,
):
    said = written(small(lines=[line(ONE, forwarding={"busy": {"to": "112"}}), line(TWO)]))
    with pytest.raises(Exception, match=r"can't forward calls to 112 \(busy\): it is an emergency number"):
        await apply_text(installation, said)
