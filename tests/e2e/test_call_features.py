"""What lines and groups are set to do with calls, in data and by codes, as their soft phones meet it."""

from __future__ import annotations

from pathlib import Path

from sip.transport.flow import Transport
from tests.e2e.exchange import Site, exchange
from tests.e2e.office import office, shown
from tests.e2e.softphones.baresip import Baresip, baresip
from tests.e2e.softphones.linphone import linphone
from tests.e2e.tones import hears

FORWARDED = """\
forwarding: {always: {to: "103", enabled: false}, busy: {to: "103"}, no_answer: {to: "103", after: 1}}"""
BY_CODES = 'forwarding: {no_answer: {to: "101", after: 1, enabled: false}}'
GROUPS = """\
      - {number: "600", name: Biuro, members: [{extension: "102", logged_in: false}]}
      - {number: "601", name: Wszyscy, members: [{group: "600"}]}
"""
SITE = "    sites:\n      - {name: Magazyn, concurrent_calls: 1}\n"
SHORT_NUMBER = '    centrex: {speed_dial: {entries: [{number: "34", target: "48225550004"}]}}\n'
DISTINCTIVE = """\
    centrex: {distinctive_ring: true}
    hunt_groups:
      - {number: "600", name: Sprzedaz, caller_presentation: group, members: [{extension: "102"}]}
"""


async def dials_code(phone: Baresip, code: str) -> None:
    """It is answered and hung up at once."""
    await phone.dials(code)
    await phone.talks()
    await phone.is_hung_up()


async def reaches(caller: Baresip, number: str, *rung: Baresip) -> None:
    """A call rings these, one after another; the last one turns it down."""
    await caller.dials(number)
    for phone in rung:
        assert await shown(phone) == "Serwis 104"
    await rung[-1].hangs_up()
    await caller.is_hung_up()


async def test_calls_are_forwarded_in_each_case_by_data_and_by_codes(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    services = (FORWARDED, BY_CODES, "", "")
    async with office(tmp_path, migrated_sqlite, "", services=services) as (first, second, third, caller):
        # Nobody answers; then it is turned down.
        await reaches(caller, "101", first, third)
        await first.is_hung_up()
        await caller.dials("101")
        assert await shown(first) == "Serwis 104"
        await first.hangs_up()
        assert await shown(third) == "Serwis 104"
        await third.hangs_up()
        await caller.is_hung_up()
        await dials_code(first, "*21*")
        await reaches(caller, "101", third)
        await dials_code(first, "%2321%23")
        await dials_code(second, "*23*103")
        await reaches(caller, "102", second, third)
        await second.is_hung_up()
        await dials_code(second, "*22*103")
        await caller.dials("102")
        assert await shown(second) == "Serwis 104"
        await second.hangs_up()
        assert await shown(third) == "Serwis 104"
        await third.hangs_up()
        await caller.is_hung_up()
        await dials_code(second, "*24*103")
        await second.unregister()
        await reaches(caller, "102", third)
        # What was taken back doesn't count.
        await caller.dials("101")
        assert await shown(first) == "Serwis 104"


async def test_lines_and_groups_do_as_they_are_told(tmp_path: Path, migrated_sqlite: Path) -> None:
    services = ("dnd: true", "call_waiting: false", "", "")
    async with office(tmp_path, migrated_sqlite, GROUPS, services=services, more=SHORT_NUMBER) as (
        first, second, third, caller,
    ):  # fmt: skip
        await caller.dials("101")
        await caller.program.says("486")
        await dials_code(first, "%2326")
        await caller.dials("*68101")
        assert await shown(first) == "Serwis 104"
        await first.accepts()
        await caller.talks()
        # A second call waits at a line that has it so, and finds one busy that hasn't.
        await third.dials("101")
        assert await shown(first) == "Magazyn 103"
        # Two calls are all that its product has.
        await second.dials("101")
        await second.program.says("486")
        await first.hangs_up()
        await third.is_hung_up()
        await second.dials("34")
        assert await shown(third) == "Biuro 102"
        await caller.hangs_up()
        await first.is_hung_up()
        await caller.dials("102")
        await caller.program.says("486")
        await second.hangs_up()
        await third.is_hung_up()
        await caller.dials("601")
        await caller.program.says("480")
        await dials_code(second, "*50600")
        await reaches(caller, "601", second)
        await dials_code(second, "*51600")
        await caller.dials("601")
        await caller.program.says("480")


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


async def test_a_phone_sends_calls_on_and_none_goes_round(tmp_path: Path, migrated_sqlite: Path) -> None:
    site = Site.make()
    phones = [site.phone(2), site.phone(3, Transport.TCP), site.phone(4)]
    names = ("Recepcja", "Biuro", "Magazyn")
    extensions = "".join(
        f"      - {phone.extension(str(number), name)}\n"
        for number, (phone, name) in enumerate(zip(phones, names, strict=True), start=101)
    )
    company = f"    extensions:\n{extensions}{DISTINCTIVE}"
    async with exchange(tmp_path, migrated_sqlite, site, phones, company=company) as served:
        settings = (await served.boots(phones[1])).memory.settings
        async with (
            baresip(await served.account(phones[0]), tmp_path / "101", site.host(2)) as caller,
            linphone(await served.account(phones[1]), tmp_path / "102", site.host(3)) as mover,
            baresip(await served.account(phones[2]), tmp_path / "103", site.host(4)) as third,
        ):
            for each in (caller, mover, third):
                await each.registers()
            await caller.dials("600")
            assert '"Sprzedaz" <sip:600@' in await mover.rings()
            await mover.moves(f"sip:103@{site.sip.host}")
            assert await shown(third) == "Sprzedaz 600"
            await third.hangs_up()
            await caller.is_hung_up()
            # To itself, and to one that sends it back.
            await caller.dials("102")
            await mover.rings()
            await mover.moves(f"sip:102@{site.sip.host}")
            await caller.program.says("480")
            await dials_code(third, "*21*102")
            await caller.dials("102")
            await mover.rings()
            await mover.moves(f"sip:103@{site.sip.host}")
            await caller.program.says("482")
        log = mover.log()
    asked = log[log.index("INVITE sip:") :].partition("\n\n")[0]
    assert f"info={settings['distinctive_ring_tones.alert_info.1.text']}" in asked
    for header in ("From", "P-Asserted-Identity", "Remote-Party-ID"):
        assert f"{header}: \"Sprzedaz\" <sip:600@" in asked
