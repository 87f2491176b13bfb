"""One set of test phones tests one number after another, as a run over many has it do."""

from __future__ import annotations

import pytest

from db.freshness import watching
from provisioner.centrex.dialling import NumberForms
from provisioner.centrex.errors import BadValue
from provisioner.operations.installation import Installation
from provisioner.operations.proofs import Begun, ProvedCall
from provisioner.operations.test_calls import tried
from provisioner.pbx.engaged import Engaged
from provisioner.pbx.exchange import Exchanges
from provisioner.pbx.news import News
from provisioner.pbx.twin import Twins
from sip.testcall.process import test_phones as phones_of_a_test


async def _silent(_: Begun | ProvedCall) -> None:
    """Nobody watches."""


# What is stored makes no difference here.
@pytest.mark.parametrize("firma_url", ["sqlite"], indirect=True)
async def test_phones_that_have_tested_one_number_test_the_next(firma: Installation):
    async with watching(firma.database) as watcher, phones_of_a_test() as phones:
        exchanges = Exchanges(firma.database, News(watcher), NumberForms())
        twins = Twins(firma.settings, exchanges, Engaged())

        async def test(number: str) -> bool:
            found = await tried(firma, twins, number, "firma", _silent, calls=1, speed=20, phones=phones)
            # Another number has the same phones, and another twin.
            assert phones.seen == []
            return found.proof.passed

        assert await test("600")
        with pytest.raises(BadValue):
            await test("112")
        assert await test("101")
