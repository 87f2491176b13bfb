"""sipsak and sipp register with what Centralka renders for a phone: each answer is looked at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sip.transport.flow import Transport
from tests.e2e.exchange import Site, exchange
from tests.e2e.live import watching
from tests.e2e.softphones import sipp, sipsak
from tests.e2e.softphones.loopback import free

MOST_S = "[sip]\nmax_expires_s = 600\n"


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
async def test_sipsak_registers_refreshes_moves_and_unregisters(
    transport: Transport, tmp_path: Path, migrated_sqlite: Path
) -> None:
    site = Site.make()
    phone = site.phone(2, transport)
    here, there = free(site.host(2)), free(site.host(3))
    async with exchange(tmp_path, migrated_sqlite, site, [phone], MOST_S) as served:
        account = await served.account(phone)
        async with watching(served, phone) as seen:
            wrong = replace(account, password="wrong")
            assert await sipsak.register(wrong, tmp_path, here) != 0
            assert (await seen.registration())["state"] == "never"
            assert await sipsak.register(account, tmp_path, here) == 0
            told = await seen.event("line.registered")
            assert told.data["details"]["contact"] == f"sip:{phone.line}@{here}"
            assert (await seen.registration())["user_agent"] == "sipsak 0.9.8.1"
            assert await sipsak.register(account, tmp_path, here) == 0
            assert (await seen.registration())["refreshes"] == 1
            # It says no instance, and comes from another port each time: this is another phone.
            assert await sipsak.register(account, tmp_path, there) == 0
            await seen.event("line.registered")
            live = [each["contact"] for each in await served.registrations(phone)]
            assert sorted(live) == sorted(f"sip:{phone.line}@{each}" for each in (here, there))
            for each in (there, here):
                assert await sipsak.register(account, tmp_path, each, 0) == 0
                gone = await seen.event("line.unregistered")
                assert gone.data["details"]["contact"] == f"sip:{phone.line}@{each}"


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
async def test_sipp_as_a_yealink_phone_registers_refreshes_moves_and_unregisters(
    transport: Transport, tmp_path: Path, migrated_sqlite: Path
) -> None:
    site = Site.make()
    phone = site.phone(2, transport)
    async with exchange(tmp_path, migrated_sqlite, site, [phone], MOST_S) as served:
        account = await served.account(phone)
        async with watching(served, phone) as seen:
            here, there = free(site.host(2)), free(site.host(3))
            await sipp.registers(account, tmp_path, here, [600, 600])
            told = await seen.event("line.registered")
            # It says which phone it is (`register_mac`).
            assert told.data["mac"] == phone.mac
            shown = await seen.registration()
            assert (shown["model"], shown["firmware"]) == (phone.model, phone.firmware)
            assert (shown["refreshes"], shown["differences"]) == (1, [])
            await sipp.registers(account, tmp_path, there, [600], left=here)
            moved = await seen.event("line.moved")
            await sipp.registers(account, tmp_path, there, [0])
            gone = await seen.event("line.unregistered")
            for each in (moved, gone):
                assert each.data["details"]["contact"].startswith(f"sip:{phone.line}@{there}")
            assert seen.kinds == ["line.registered", "line.moved", "line.unregistered"]
