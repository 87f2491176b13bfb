"""What an installation and a site say of calls, as their soft phones meet it."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.office import office, shown
from tests.e2e.softphones.baresip import Baresip
from tests.e2e.tones import hears

SITE = "    sites:\n      - {name: Magazyn, concurrent_calls: 1}\n"


async def reaches(caller: Baresip, number: str, *rung: Baresip) -> None:
    """A call rings these, one after another; the last one turns it down."""
    await caller.dials(number)
    for phone in rung:
        assert await shown(phone) == "Serwis 104"
    await rung[-1].hangs_up()
    await caller.is_hung_up()


async def test_numbers_are_dialled_as_the_country_does_it(tmp_path: Path, migrated_sqlite: Path) -> None:
    tables = '[numbering]\nnational_prefix = "0"\nnational_digits = "6-9"\ninternational_prefix = "009"\n'
    async with office(tmp_path, migrated_sqlite, "", tables=tables) as (first, _, _, caller):
        for number in ("0225550002", "+48225550002", "00948225550002", "48225550002"):
            await reaches(caller, number, first)
        await caller.dials("225550002")
        await caller.program.says("404")


async def test_a_site_is_in_no_more_calls_than_it_may_be(tmp_path: Path, migrated_sqlite: Path) -> None:
    services = ("site: Magazyn", "site: Magazyn", "", "")
    async with office(tmp_path, migrated_sqlite, "", services=services, more=SITE) as (
        first, second, outside, caller,
    ):  # fmt: skip
        await caller.dials("101")
        assert await shown(first) == "Serwis 104"
        await first.accepts()
        await caller.talks()
        # Before all have acknowledged it is too early to pass it on.
        await hears(first.heard(), 440)
        await outside.dials("102")
        await outside.program.says("486")
        await second.dials("103")
        await second.program.says("486 Too many calls at this site")
        # Passed on within the site it is the same one call.
        assert (await first.command("transfer", "102"))["ok"]
        assert await shown(second) == "Serwis 104"
        await second.accepts()
        await second.talks()
        await first.is_hung_up()
        await second.hangs_up()
        await caller.is_hung_up()
        await second.dials("101")
        assert await shown(first) == "Biuro 102"
