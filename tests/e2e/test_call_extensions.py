"""What not every phone can do, as those use it that can: PRACK, INFO, UPDATE."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.e2e.exchange import Exchange, Phone, Site, exchange
from tests.e2e.softphones import scenes, sipp
from tests.e2e.softphones.linphone import Linphone, linphone
from tests.e2e.softphones.loopback import free
from tests.e2e.tones import hears, write_tone

HERTZ = (440, 1000)
"What each of them says."


@asynccontextmanager
async def site_of(count: int, folder: Path, template: Path) -> AsyncIterator[tuple[Exchange, list[Phone]]]:
    """A server, and phones with the extensions 101, 102, …"""
    site = Site.make()
    phones = [site.phone(2 + number) for number in range(count)]
    names = ("Recepcja", "Biuro", "Magazyn")
    extensions = "".join(
        f"      - {phone.extension(str(101 + number), names[number])}\n"
        for number, phone in enumerate(phones)
    )
    async with exchange(folder, template, site, phones, company=f"    extensions:\n{extensions}") as served:
        yield served, phones


@asynccontextmanager
async def linphones(
    count: int, folder: Path, template: Path, *, is_reliable: bool = False
) -> AsyncIterator[list[Linphone]]:
    """As many, registered, each of which says its own tone."""
    async with site_of(count, folder, template) as (served, phones), AsyncExitStack() as stack:
        started = [
            await stack.enter_async_context(
                linphone(
                    await served.account(phone), folder / phone.line, served.host(phone),
                    tone=write_tone(folder / f"{hertz}.wav", hertz), is_reliable=is_reliable,
                )
            )
            for phone, hertz in zip(phones, HERTZ, strict=False)
        ]  # fmt: skip
        await asyncio.gather(*(each.registers() for each in started))
        yield started


async def call(caller: Linphone, number: str, callee: Linphone) -> None:
    """Both talk."""
    await caller.dials(number)
    await callee.rings()
    await callee.accepts()
    await asyncio.gather(caller.talks(), callee.talks())


async def test_phones_get_a_prack_for_what_they_say_and_are_told_which_key_is_pressed(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    async with linphones(2, tmp_path, migrated_sqlite, is_reliable=True) as (alice, bob):
        await call(alice, "102", bob)
        await asyncio.gather(hears(alice.heard(), 1000), hears(bob.heard(), 440))
        alice.presses("5")
        await bob.program.says("Receiving tone 5")
        await alice.hangs_up()
        await bob.is_hung_up()
        await alice.unregister()
        await bob.unregister()
    assert re.search(r"^INFO sip:", bob.log(), re.MULTILINE)
    # The caller is told so under our number, and the callee is thanked under its own.
    for phone in (alice, bob):
        said = re.search(r"^RSeq: (\d+)\r?$", phone.log(), re.MULTILINE)
        assert said is not None
        assert re.search(rf"^PRACK sip:.*?^RAck: {said[1]} \d+ INVITE", phone.log(), re.MULTILINE | re.DOTALL)


async def test_who_calls_and_who_rings_change_what_they_agreed_upon(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    async with site_of(2, tmp_path, migrated_sqlite) as (served, (one, other)):
        here, there = free(served.host(one)), free(served.host(other))
        ringing, calling = await served.account(other), await served.account(one)
        await sipp.registers(ringing, tmp_path, there, [60])
        # Whoever has just come is asked whether he is there; afterwards not for a minute.
        asked = (scenes.gets("OPTIONS"), scenes.answers("200 OK"))
        await sipp.plays(asked, "asked", ringing, tmp_path, there)
        caller, callee = scenes.Caller(calling, "102"), scenes.Callee(ringing)
        rings = (
            callee.is_called(),
            callee.says("183 Session Progress", "Require: 100rel", "RSeq: 7", body=scenes.session(30200)),
            scenes.gets("PRACK"),
            scenes.answers("200 OK"),
            scenes.gets("UPDATE", scenes.body_has("m=audio 30110 ")),
            scenes.answers("200 OK", body=scenes.session(30210)),
            callee.asks("UPDATE", 1, body=scenes.session(30220)),
            scenes.waits_for(200, scenes.body_has("m=audio 30120 ")),
            callee.says("200 OK"),
            scenes.gets("ACK"),
            scenes.gets("BYE"),
            scenes.answers("200 OK"),
        )
        calls = (
            *caller.begins("INVITE", "Supported: 100rel", body=scenes.session(30100)),
            scenes.may_get(100),
            scenes.waits_for(
                183, scenes.header("RSeq", "rseq"), scenes.body_has("m=audio 30200 "), is_first=True
            ),
            caller.says("PRACK", 3, "RAck:[$rseq] 2 INVITE"),
            scenes.waits_for(200),
            caller.says("UPDATE", 4, body=scenes.session(30110)),
            scenes.waits_for(200, scenes.body_has("m=audio 30210 ")),
            scenes.gets("UPDATE", scenes.body_has("m=audio 30220 ")),
            scenes.answers("200 OK", body=scenes.session(30120)),
            scenes.waits_for(200, is_first=True),
            caller.says("ACK", 2),
            caller.says("BYE", 5),
            scenes.waits_for(200),
        )
        await asyncio.gather(
            sipp.plays(rings, "rings", ringing, tmp_path, there),
            sipp.plays(calls, "calls", calling, tmp_path, here),
        )
