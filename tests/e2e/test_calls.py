"""Soft phones, configured by the files that Centralka renders for them, call each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from sip.transport.flow import Transport
from tests.e2e.exchange import Exchange, Phone, Site, exchange
from tests.e2e.softphones import sipp
from tests.e2e.softphones.baresip import Baresip, baresip
from tests.e2e.softphones.linphone import linphone
from tests.e2e.softphones.loopback import free
from tests.e2e.tones import hears, write_tone

NAMES = ("Recepcja", "Biuro", "Magazyn")
HERTZ = (440, 1000, 1600)
"What each of them says."


@asynccontextmanager
async def talkers(
    count: int, transport: Transport, folder: Path, template: Path
) -> AsyncIterator[Sequence[Baresip]]:
    """Phones with the extensions 101, 102, …, registered, each of which says its own tone."""
    site = Site.make()
    phones = [site.phone(2 + number, transport) for number in range(count)]
    extensions = "".join(
        f"      - {phone.extension(str(101 + number), NAMES[number])}\n"
        for number, phone in enumerate(phones)
    )
    async with (
        exchange(folder, template, site, phones, company=f"    extensions:\n{extensions}") as served,
        AsyncExitStack() as stack,
    ):
        started = [
            await stack.enter_async_context(
                baresip(
                    await served.account(phone), folder / phone.line, served.host(phone),
                    trusted=served.certificate.chain, tone=write_tone(folder / f"{hertz}.wav", hertz),
                )
            )
            for phone, hertz in zip(phones, HERTZ, strict=False)
        ]  # fmt: skip
        await asyncio.gather(*(each.registers() for each in started))
        yield started


async def call(caller: Baresip, number: str, callee: Baresip) -> str:
    """Both talk. Returns who calls, as the callee shows it."""
    await caller.dials(number)
    shown = await callee.rings()
    await callee.accepts()
    await asyncio.gather(caller.talks(), callee.talks())
    return shown


@pytest.mark.parametrize("transport", list(Transport))
async def test_two_phones_hear_each_other(
    transport: Transport, tmp_path: Path, migrated_sqlite: Path
) -> None:
    async with talkers(2, transport, tmp_path, migrated_sqlite) as (alice, bob):
        assert "Recepcja" in await call(alice, "102", bob)
        await asyncio.gather(hears(alice.heard(), 1000), hears(bob.heard(), 440))
        await bob.hangs_up()
        await alice.is_hung_up()


@asynccontextmanager
async def pair(
    transport: Transport, folder: Path, template: Path
) -> AsyncIterator[tuple[Exchange, Phone, Phone]]:
    """A server with two phones that have the extensions 101 and 102."""
    site = Site.make()
    phones = [site.phone(2, transport), site.phone(3, transport)]
    company = (
        "    extensions:\n"
        f"      - {phones[0].extension('101', 'Recepcja')}\n      - {phones[1].extension('102', 'Biuro')}\n"
    )
    async with exchange(folder, template, site, phones, company=company) as served:
        yield served, phones[0], phones[1]


@pytest.mark.parametrize("transport", list(Transport))
async def test_phones_of_two_makers_hear_each_other(
    transport: Transport, tmp_path: Path, migrated_sqlite: Path
) -> None:
    async with pair(transport, tmp_path, migrated_sqlite) as (served, one, other):
        trusted = served.certificate.chain
        async with (
            baresip(
                await served.account(one), tmp_path / "101", served.host(one),
                trusted=trusted, tone=write_tone(tmp_path / "440.wav", 440),
            ) as alice,
            linphone(
                await served.account(other), tmp_path / "102", served.host(other),
                trusted=trusted, tone=write_tone(tmp_path / "1000.wav", 1000),
            ) as bob,
        ):  # fmt: skip
            await asyncio.gather(alice.registers(), bob.registers())
            await alice.dials("102")
            assert '"Recepcja" <sip:101@' in await bob.rings()
            await bob.accepts()
            await asyncio.gather(alice.talks(), bob.talks())
            await asyncio.gather(hears(alice.heard(), 1000), hears(bob.heard(), 440))
            await bob.hangs_up()
            await asyncio.gather(alice.is_hung_up(), bob.is_hung_up())
            await bob.dials("101")
            assert "Biuro" in await alice.rings()
            await alice.accepts()
            await asyncio.gather(alice.talks(), bob.talks())
            await alice.hangs_up()
            await bob.is_hung_up()


async def test_a_phone_is_put_on_hold_and_heard_again(tmp_path: Path, migrated_sqlite: Path) -> None:
    async with (
        pair(Transport.UDP, tmp_path, migrated_sqlite) as (served, one, other),
        # Not baresip: of what it hears after a re-INVITE there is nothing in its file.
        linphone(
            await served.account(one), tmp_path / "101", served.host(one),
            tone=write_tone(tmp_path / "440.wav", 440),
        ) as alice,
        linphone(
            await served.account(other), tmp_path / "102", served.host(other),
            tone=write_tone(tmp_path / "1000.wav", 1000),
        ) as bob,
    ):  # fmt: skip
        await asyncio.gather(alice.registers(), bob.registers())
        await alice.dials("102")
        await bob.rings()
        await bob.accepts()
        await asyncio.gather(alice.talks(), bob.talks())
        await asyncio.gather(hears(alice.heard(), 1000), hears(bob.heard(), 440))
        await alice.holds()
        await bob.is_held()
        await asyncio.gather(alice.resumes(), bob.talks())
        await asyncio.gather(hears(alice.heard(), 1000), hears(bob.heard(), 440))
        await alice.hangs_up()
        await bob.is_hung_up()


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TLS])
async def test_a_call_is_passed_on(transport: Transport, tmp_path: Path, migrated_sqlite: Path) -> None:
    async with talkers(3, transport, tmp_path, migrated_sqlite) as (alice, bob, carol):
        await call(alice, "102", bob)
        await hears(bob.heard(), 440)
        assert (await bob.command("transfer", "103"))["ok"]
        assert "Recepcja" in await carol.rings()
        await carol.accepts()
        await carol.talks()
        await asyncio.gather(hears(alice.heard(), 1600), hears(carol.heard(), 440))
        await bob.is_hung_up()
        await carol.hangs_up()
        await alice.is_hung_up()


async def test_a_caller_gives_up_and_a_callee_turns_down(tmp_path: Path, migrated_sqlite: Path) -> None:
    async with talkers(2, Transport.UDP, tmp_path, migrated_sqlite) as (alice, bob):
        await alice.dials("102")
        await bob.rings()
        await alice.hangs_up()
        await bob.is_hung_up()
        await alice.dials("102")
        await bob.rings()
        await bob.hangs_up()
        await alice.is_hung_up()


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
async def test_sipp_sees_each_message_of_its_calls(
    transport: Transport, tmp_path: Path, migrated_sqlite: Path
) -> None:
    site = Site.make()
    caller, callee = site.phone(2, transport), site.phone(3, transport)
    company = f"    extensions:\n      - {callee.extension('102', 'Biuro')}\n"
    async with exchange(tmp_path, migrated_sqlite, site, [caller, callee], company=company) as served:
        account = await served.account(caller)
        phone = baresip(
            await served.account(callee), tmp_path / "102", served.host(callee),
            tone=write_tone(tmp_path / "440.wav", 440), answers_by_itself=True,
        )  # fmt: skip
        async with phone as bob:
            await bob.registers()
            await sipp.calls(account, tmp_path, free(site.host(2)), "102", count=3)
