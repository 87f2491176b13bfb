"""What not every phone can do, as those use it that can: PRACK, INFO, UPDATE, Replaces, lamps."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from provisioner.virtual_phones.account import Account
from tests.e2e.exchange import Exchange, Phone, Site, exchange
from tests.e2e.softphones import scenes, sipp
from tests.e2e.softphones.baresip import baresip
from tests.e2e.softphones.linphone import Linphone, linphone
from tests.e2e.softphones.loopback import free
from tests.e2e.softphones.program import LONGEST_S
from tests.e2e.tones import hears, write_tone

HERTZ = (440, 1000, 1600)
"What each of them says."
_LOOK_S = 0.05
"sipp tells nobody when it gets something: it only writes it down."


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


async def test_a_call_is_passed_on_to_who_was_asked_first(tmp_path: Path, migrated_sqlite: Path) -> None:
    async with linphones(3, tmp_path, migrated_sqlite) as (alice, bob, carol):
        await call(alice, "102", bob)
        # Before all have acknowledged it is too early to ask for anything, and linphone asks only once.
        await asyncio.gather(hears(alice.heard(), 1000), hears(bob.heard(), 440))
        await bob.holds()
        await call(bob, "103", carol)
        bob.passes_first_to_second()
        await asyncio.gather(hears(alice.heard(), 1600), hears(carol.heard(), 440))
        await bob.is_hung_up()
        await carol.hangs_up()
        await alice.is_hung_up()


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


async def written(file: Path, pattern: str) -> re.Match[str]:
    """What stands there, as soon as it does."""
    async with asyncio.timeout(LONGEST_S):
        while True:
            if (found := re.search(pattern, text_of(file), re.DOTALL)) is not None:
                return found
            await asyncio.sleep(_LOOK_S)


def text_of(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def watches(account: Account, number: str, *states: str) -> list[str]:
    """A lamp, which is told all these, one after another."""
    watcher = scenes.Caller(account, number)
    accepts = ("Event: dialog", "Accept: application/dialog-info+xml", "Expires: 600")
    steps = [*watcher.begins("SUBSCRIBE", *accepts), scenes.waits_for(200, is_first=True)]
    for version, state in enumerate(states):
        told = scenes.body_has(f'version="{version}" state="full".*{state}')
        steps += [scenes.gets("NOTIFY", told), scenes.answers("200 OK")]
    return steps


def picks_up(account: Account, number: str, dialog: re.Match[str]) -> list[str]:
    """Takes a call that rings over, and talks until the other one hangs up."""
    key = scenes.Caller(account, number)
    replaces = f"Replaces: {dialog[1]};to-tag={dialog[2]};from-tag={dialog[3]};early-only"
    return [
        *key.begins("INVITE", "Require: replaces", replaces, body=scenes.session(30300)),
        scenes.may_get(100),
        scenes.waits_for(200, is_first=True),
        key.says("ACK", 2),
        # Two have offered something: it is told what the other one has when it is there.
        scenes.gets("INVITE", scenes.body_has("m=audio [1-9]")),
        scenes.answers("200 OK", body=scenes.session(30300)),
        scenes.gets("ACK"),
        scenes.gets("BYE"),
        scenes.answers("200 OK"),
    ]


async def test_a_lamp_follows_a_phone_and_its_key_takes_over_what_rings(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    async with site_of(3, tmp_path, migrated_sqlite) as (served, (one, other, third)):
        tone = write_tone(tmp_path / "440.wav", 440)
        key = await served.account(third)
        lamp = watches(
            key, "102", "dialog-info", ">early<", ">confirmed<", ">terminated<", ">early<", ">terminated<"
        )
        told = tmp_path / "lamp.messages"
        async with (
            baresip(await served.account(one), tmp_path / "101", served.host(one), tone=tone) as caller,
            linphone(await served.account(other), tmp_path / "102", served.host(other), tone=tone) as callee,
            asyncio.TaskGroup() as tasks,
        ):
            await asyncio.gather(caller.registers(), callee.registers())
            tasks.create_task(sipp.plays(lamp, "lamp", key, tmp_path, free(served.host(third))))
            await written(told, 'version="0"')
            await caller.dials("102")
            await callee.rings()
            await written(told, ">early<")
            await callee.accepts()
            await asyncio.gather(caller.talks(), callee.talks())
            await written(told, ">confirmed<")
            await caller.hangs_up()
            await callee.is_hung_up()
            await written(told, ">terminated<")
            await caller.dials("102")
            await callee.rings()
            names = ("call-id", "local-tag", "remote-tag")
            dialog = ".*?".join(f'{name}="([^"]+)"' for name in names)
            ringing = await written(told, f">terminated<.*{dialog}[^>]*><state>early<")
            steps = picks_up(key, "102", ringing)
            tasks.create_task(sipp.plays(steps, "pickup", key, tmp_path, free(served.host(third))))
            await asyncio.gather(caller.talks(), callee.is_hung_up())
            await caller.hangs_up()
        assert "Call completed elsewhere" in callee.log()
