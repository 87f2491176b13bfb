"""sipvicious: it is told of no user, and who goes on guessing passwords is banned."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from provisioner.operations.alarms import list_alarms
from tests.e2e.exchange import Exchange, Site, exchange
from tests.e2e.relay import relaying
from tests.e2e.softphones.baresip import baresip
from tests.e2e.softphones.program import Program, running
from tests.sip.test_sipvicious import own_port

NOTHING = "found nothing"
OURS = 99
"The address at which tools reach the server."


def _md5_alone(answer: bytes) -> bytes:
    """svcrack fails at a challenge that it does not know: what remains is all that it can break."""
    return b"\r\n".join(line for line in answer.split(b"\r\n") if b"algorithm=SHA-256" not in line)


def _unnamed(request: bytes) -> bytes:
    """Who says that it is a scanner is banned for that alone."""
    return request.replace(b"friendly-scanner", b"Phone")


async def _said(program: Program) -> str:
    await program.ended()
    return "".join(program.lines)


async def _scanned(served: Exchange, number: int, folder: Path, command: Sequence[str | Path]) -> str:
    """What the tool said of the server, for which it is a source of its own."""
    source = served.site.host(number)
    folder = folder / f"scan-{number}"
    folder.mkdir()
    async with relaying(served.site.sip, served.site.host(OURS), source, _md5_alone, _unnamed) as relay:
        target = f"udp://{relay.listens}"
        # It keeps what it finds in its home.
        async with running([*command, *own_port(), target], folder, {"HOME": str(folder)}) as program:
            return await _said(program)


async def test_scanners_find_no_user(tmp_path: Path, migrated_sqlite: Path) -> None:
    site = Site.make()
    phones = [site.phone(number) for number in range(2, 6)]
    users = tmp_path / "users"
    users.write_text("\n".join(["100", "101", *(each.line for each in phones), "admin"]) + "\n")
    scan: list[str | Path] = ["svwar", "-d", users, "--maximumtime=1", "--force", "-m"]
    async with exchange(tmp_path, migrated_sqlite, site, phones, _public(site)) as served:
        account = await served.account(phones[0])
        async with baresip(account, tmp_path / "phone", served.host(phones[0])) as client:
            # One of them is there: that must not show either.
            await client.registers()
            methods = enumerate(("REGISTER", "OPTIONS", "INVITE"), 20)
            scans = (_scanned(served, number, tmp_path, [*scan, method]) for number, method in methods)
            said = await asyncio.gather(*scans)
            assert all(NOTHING in each for each in said), said
            command = ["svmap", *own_port(), "-p", str(site.sip.port), site.sip.host]
            async with running(command, tmp_path, {"HOME": str(tmp_path)}) as program:
                mapped = await _said(program)
            assert "unknown" in mapped, mapped
            assert "entralka" not in mapped


async def test_who_guesses_passwords_is_banned_before_the_right_one_comes(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    site = Site.make()
    phone = site.phone(2)
    async with exchange(tmp_path, migrated_sqlite, site, [phone], _public(site)) as served:
        account = await served.account(phone)
        short, long = tmp_path / "short", tmp_path / "long"
        short.write_text(f"guess1\nguess2\n{account.password}\n")
        long.write_text("".join(f"guess{n}\n" for n in range(200)) + f"{account.password}\n")
        crack: list[str | Path] = ["svcrack", "-u", phone.line]
        # Who finds the password is given time to; who is banned has waited long enough after three seconds.
        few, many = await asyncio.gather(
            _scanned(served, 20, tmp_path, [*crack, "--maximumtime=60", "-d", short]),
            _scanned(served, 21, tmp_path, [*crack, "--maximumtime=3", "-d", long]),
        )
        assert account.password in few, "the tool does find one among few"
        assert account.password not in many
        assert NOTHING in many
        (alarm,) = await list_alarms(served.installation)
        assert alarm.text.startswith(f"{site.host(21)} guessed users or passwords over SIP")
        # Nobody else has to do without the server for it.
        async with baresip(account, tmp_path / "phone", served.host(phone)) as client:
            await client.registers()


def _public(site: Site) -> str:
    """Where the tools reach the server is an address that counts as its own."""
    return f'[public]\nsip_host = "{site.host(OURS)}"\n'
