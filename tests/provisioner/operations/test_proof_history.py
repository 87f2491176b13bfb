"""What was proved is kept, number by number, and not for ever."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from db.schema import CustomerRow
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import NotFound
from provisioner.operations.installation import Installation
from provisioner.operations.proof_history import KEPT, Wanted, keep_proof, list_proofs, show_proof
from provisioner.operations.proofs import Proof
from tests.provisioner.operations.proofs import FINDING, proof
from tests.provisioner.operations.small import put, small


async def customer(installation: Installation, login: str = "nowyklienttestowy") -> int:
    async with installation.database.read() as session:
        found = await session.scalar(select(CustomerRow.id).where(CustomerRow.login == login))
    assert found is not None
    return found


async def kept(installation: Installation, *proofs: Proof) -> list[int]:
    owner = await customer(installation)
    ids = [await keep_proof(installation, owner, each, COMMAND_LINE) for each in proofs]
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
    assert await keep_proof(sample, 10**9, proof(), COMMAND_LINE) is None
    assert (await list_proofs(sample, Wanted())).runs == ()
