"""What was proved is kept, number by number, and not for ever."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from db.changes import newest
from db.schema import CustomerRow, LineRow
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.operations.devices import list_devices, show_device
from provisioner.operations.draws import draws_before
from provisioner.operations.installation import Installation
from provisioner.operations.ladder import Rung
from provisioner.operations.line_services import set_dnd
from provisioner.operations.messages import Message
from provisioner.operations.proof_history import KEPT, Wanted, keep_proof, list_proofs, show_proof
from provisioner.operations.proofs import Proof
from provisioner.operations.registrations import Wanted as Registered
from provisioner.operations.registrations import list_registrations
from provisioner.pbx.codes import PHONE
from sip.testcall.drawn import Drawn
from sip.testcall.findings import Code, Finding
from sip.testcall.plan import Cause, Setting
from tests.provisioner.bindings import bind, now
from tests.provisioner.conftest import apply_text
from tests.provisioner.operations.proofs import FINDING, proof
from tests.provisioner.operations.small import put, small
from tests.provisioner.pbx.story import ANNA, RECEPTION


async def customer(installation: Installation, login: str = "nowyklienttestowy") -> int:
    async with installation.database.read() as session:
        found = await session.scalar(select(CustomerRow.id).where(CustomerRow.login == login))
    assert found is not None
    return found


async def kept(installation: Installation, *proofs: Proof) -> list[int]:
    owner = await customer(installation)
    async with installation.database.read() as session:
        since = await newest(session)
    ids = [await keep_proof(installation, owner, each, COMMAND_LINE, since) for each in proofs]
    return [each for each in ids if each is not None]


async def test_passes_and_failures_are_listed_the_newest_first(sample: Installation):
    first, second, third = await kept(sample, proof("600"), proof("600", FINDING), proof("601"))
    found = (await list_proofs(sample, Wanted())).runs
    assert [(run.id, run.number, run.passed) for run in found] == [
        (third, "601", True),
        (second, "600", False),
        (first, "600", True),
    ]
    assert (found[1].calls, found[1].failed, found[1].actor) == (1, 1, "cli")
    assert [run.id for run in (await list_proofs(sample, Wanted(number="600"))).runs] == [second, first]
    assert [run.id for run in (await list_proofs(sample, Wanted(passed=False))).runs] == [second]
    page = await list_proofs(sample, Wanted(), most=2)
    assert [run.id for run in page.runs] == [third, second]
    assert [run.id for run in (await list_proofs(sample, Wanted(), page.next)).runs] == [first]


async def test_all_that_was_seen_can_be_looked_at_later(sample: Installation):
    (only,) = await kept(sample, proof("600", FINDING))
    run, found = await show_proof(sample, only)
    assert (run.customer, run.number, run.passed) == ("nowyklienttestowy", "600", False)
    assert replace(found, id=None) == proof("600", FINDING)


async def test_of_each_number_the_newest_are_kept(sample: Installation):
    (other,) = await kept(sample, proof("601"))
    ids = await kept(sample, *[proof("600")] * (KEPT + 2))
    assert [run.id for run in (await list_proofs(sample, Wanted())).runs] == [*ids[:1:-1], other]


async def test_no_customer_sees_anothers(sample: Installation):
    (only,) = await kept(sample, proof())
    await put(sample, small())
    stranger = await customer(sample, "firma")
    assert (await list_proofs(sample, Wanted(stranger))).runs == ()
    for look in (
        list_proofs(sample, Wanted(stranger, "nowyklienttestowy")),
        show_proof(sample, only, stranger),
        list_proofs(sample, Wanted(customer="nobody")),
    ):
        with pytest.raises(NotFound):
            await look


async def test_of_a_customer_that_is_gone_nothing_is_kept(sample: Installation):
    assert await keep_proof(sample, 10**9, proof(), COMMAND_LINE, 0) is None
    assert (await list_proofs(sample, Wanted())).runs == ()


async def proven(installation: Installation) -> set[str]:
    """The lines that are proved now."""
    async with installation.database.read() as session:
        return set(await session.scalars(select(LineRow.number).where(LineRow.proved_at.is_not(None))))


async def test_lines_that_rang_as_configured_are_proved_until_a_call_goes_wrong(sample: Installation):
    await kept(sample, proof())
    assert await proven(sample) == {RECEPTION}
    await kept(sample, proof("600", FINDING))
    assert await proven(sample) == set()


@pytest.mark.parametrize("login", ["nowyklienttestowy", "firma"])
async def test_a_change_of_their_company_leaves_nothing_proved_and_of_another_does(
    sample: Installation, login: str
):
    await put(sample, small())
    await kept(sample, proof())
    await apply_text(sample, f"customers: [{{login: {login}, name: Inna nazwa}}]")
    assert await proven(sample) == (set() if login == "nowyklienttestowy" else {RECEPTION})


async def test_a_change_of_many_companies_leaves_nothing_proved(sample: Installation):
    await put(sample, small())
    await kept(sample, proof())
    names = ", ".join(f"{{login: {login}, name: Inna nazwa}}" for login in ("firma", "nowyklienttestowy"))
    await apply_text(sample, f"customers: [{names}]")
    assert await proven(sample) == set()


async def test_a_code_that_a_phone_dials_leaves_nothing_proved(sample: Installation):
    await kept(sample, proof())
    await set_dnd(sample, ANNA, PHONE, dnd=True)
    assert await proven(sample) == set()


async def test_what_was_changed_while_it_was_tested_is_not_proved(sample: Installation):
    async with sample.database.read() as session:
        since = await newest(session)
    await set_dnd(sample, ANNA, PHONE, dnd=True)
    await keep_proof(sample, await customer(sample), proof(), COMMAND_LINE, since)
    assert await proven(sample) == set()


async def test_a_phone_that_is_reachable_has_proved_itself_by_a_call_to_its_line(sample: Installation):
    phone = MacAddress("001565314bc0")
    await kept(sample, proof())

    async def rung() -> Rung:
        shown = (await show_device(sample, phone)).summary
        (listed,) = [each for each in await list_devices(sample) if each.mac == str(phone)]
        (line,) = (await list_registrations(sample, Registered(line=RECEPTION, mac=phone))).rows
        assert shown.rung is listed.rung is line.rungs[-1]
        return shown.rung

    assert await rung() is Rung.LISTED
    await bind(sample, RECEPTION, phone, reachable=True, heard_at=now(), rtt_ms=9)
    assert await rung() is Rung.PROVEN
    await kept(sample, proof("600", FINDING))
    assert await rung() is Rung.REACHABLE


async def test_messages_are_kept_of_the_newest_and_of_the_newest_that_went_wrong(sample: Installation):
    said = (Message("48223809887", 0.5, came=True, text="INVITE sip:x SIP/2.0\r\n\r\nżółw", times=2),)

    def with_messages(made: Proof) -> Proof:
        return replace(made, calls=tuple(replace(call, messages=said) for call in made.calls))

    red, green = with_messages(proof("600", FINDING)), with_messages(proof("600"))
    ids = await kept(sample, red, red, green, green, with_messages(proof("601")))
    found = [(await show_proof(sample, each, with_messages=True))[1].calls[0].messages for each in ids]
    assert found == [(), said, (), said, said]
    assert (await show_proof(sample, ids[-1]))[1].calls[0].messages == ()


async def test_what_a_group_drew_is_known_from_run_to_run_until_it_was_suspected(sample: Installation):
    def run(*orders: tuple[str, ...], findings: tuple[Finding, ...] = ()) -> Proof:
        call = proof("602").calls[0]
        calls = tuple(replace(call, drawn=Drawn("602", ("105", "103"), order)) for order in orders)
        return replace(proof("602"), calls=(*calls, call), findings=findings)

    owner = await customer(sample)
    assert await draws_before(sample, owner, "602") == []
    one, other = ("105", "103"), ("103", "105")
    await kept(sample, run(one, other), proof("601"), run(other))
    assert [each.order for each in await draws_before(sample, owner, "602")] == [one, other, other]
    suspected = Finding(Code.NOT_RANDOM, "", "", "", Cause(Setting.STRATEGY, "602"))
    await kept(sample, run(one, findings=(suspected,)), run(one))
    assert [each.order for each in await draws_before(sample, owner, "602")] == [one]
