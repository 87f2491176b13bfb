"""Soft phones register with what Centralka renders for a phone, and everyone sees it live, in order."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

from sip.transport.flow import Transport
from tests.e2e.exchange import Exchange, Phone, Site, exchange
from tests.e2e.live import lives, watching
from tests.e2e.softphones.baresip import baresip
from tests.e2e.softphones.linphone import linphone

SHORT = "[sip]\nmin_expires_s = 1\nmax_expires_s = 8\n"
"So short that phones refresh while a test looks on, and long enough for one that was killed to start again."


async def test_baresip_registers_refreshes_moves_and_says_goodbye(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    site = Site.make()
    phones = [site.phone(number, transport) for number, transport in enumerate(Transport, 2)]

    async def life(served: Exchange, phone: Phone) -> None:
        start = partial(
            baresip, await served.account(phone), tmp_path / phone.line, served.host(phone),
            trusted=served.certificate.chain, is_outbound=True,
        )  # fmt: skip
        async with watching(served, phone) as seen:
            await lives(seen, start, "baresip v1.0.0 (x86_64/linux)")

    async with exchange(tmp_path, migrated_sqlite, site, phones, SHORT) as served:
        await asyncio.gather(*(life(served, each) for each in phones))


async def test_linphone_registers_refreshes_moves_and_says_goodbye(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    site = Site.make()
    phones = [site.phone(number, transport) for number, transport in enumerate(Transport, 2)]

    async def life(served: Exchange, phone: Phone) -> None:
        start = partial(
            linphone, await served.account(phone), tmp_path / phone.line, served.host(phone),
            trusted=served.certificate.chain,
        )  # fmt: skip
        async with watching(served, phone) as seen:
            await lives(seen, start, "Linphonec/5.1.65")

    async with exchange(tmp_path, migrated_sqlite, site, phones, SHORT) as served:
        await asyncio.gather(*(life(served, each) for each in phones))


async def test_phones_that_are_killed_or_hang_are_never_called_reachable_for_ever(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    site = Site.make()
    killed = [site.phone(2, Transport.UDP), site.phone(3, Transport.TCP)]
    hanging = site.phone(4)

    async def is_killed(served: Exchange, phone: Phone) -> None:
        account = replace(await served.account(phone), expires_s=3)
        async with watching(served, phone) as seen:
            async with baresip(account, tmp_path / phone.line, served.host(phone)) as client:
                await seen.event("line.registered")
                await client.program.kill()
            if account.transport is not Transport.UDP:
                # Its connection has gone with it.
                await seen.event("line.unreachable")
            await seen.event("line.expired")
            assert (await seen.registration())["state"] == "expired"

    async def hangs(served: Exchange, phone: Phone) -> None:
        account = await served.account(phone)
        async with (
            watching(served, phone) as seen,
            baresip(account, tmp_path / phone.line, served.host(phone)) as client,
        ):
            await seen.event("line.reachable")
            client.program.process.send_signal(signal.SIGSTOP)
            # It is asked three times, and each time an answer has eight seconds.
            await seen.comes_to(lambda each: each["state"] == "unreachable")
            await seen.event("line.unreachable")
            client.program.process.send_signal(signal.SIGCONT)
            await seen.event("line.reachable")
            listed = await _registrations(served)
            assert [(each["line"], each["state"]) for each in listed] == [(phone.line, "reachable")]

    quick = "[sip]\nmin_expires_s = 1\nping_s = 1\n"
    async with exchange(tmp_path, migrated_sqlite, site, [*killed, hanging], quick) as served:
        await asyncio.gather(hangs(served, hanging), *(is_killed(served, each) for each in killed))


async def _registrations(served: Exchange) -> list[dict[str, object]]:
    """What `centralka registrations --json` prints, in a process of its own."""
    data_dir = served.installation.data_dir
    command = [Path(sys.executable).with_name("centralka"), "registrations", "--json"]
    process = await asyncio.create_subprocess_exec(
        *command, "--data-dir", data_dir, "--config", data_dir / "centralka.toml",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode == 0
    return list(json.loads(said))
