"""Soft phones, configured by the files that Centralka renders for them, call each other."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sip.transport.flow import Transport
from tests.e2e.exchange import Site, exchange
from tests.e2e.softphones.baresip import baresip
from tests.e2e.tones import hears, write_tone


@pytest.mark.parametrize("transport", list(Transport))
async def test_two_phones_hear_each_other(
    transport: Transport, tmp_path: Path, migrated_sqlite: Path
) -> None:
    site = Site.make()
    alice, bob = site.phone(2, transport), site.phone(3, transport)
    company = (
        "    extensions:\n"
        f"      - {alice.extension('101', 'Recepcja')}\n      - {bob.extension('102', 'Biuro')}\n"
    )
    async with exchange(tmp_path, migrated_sqlite, site, [alice, bob], company=company) as served:
        trusted = served.certificate.chain
        async with (
            baresip(
                await served.account(alice), tmp_path / "101", served.host(alice), trusted=trusted,
                tone=write_tone(tmp_path / "440.wav", 440),
            ) as first,
            baresip(
                await served.account(bob), tmp_path / "102", served.host(bob), trusted=trusted,
                tone=write_tone(tmp_path / "1000.wav", 1000),
            ) as second,
        ):  # fmt: skip
            await first.registers()
            await second.registers()
            await first.dials("102")
            await second.rings()
            await second.accepts()
            await asyncio.gather(first.talks(), second.talks())
            await asyncio.gather(hears(first.heard(), 1000), hears(second.heard(), 440))
            await second.hangs_up()
            await first.is_hung_up()
