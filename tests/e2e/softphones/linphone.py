"""linphone 5.1 without a screen: a profile made of an account, and its control over a Unix socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from provisioner.demo.account import Account
from sip.transport.flow import Address, Transport
from tests.e2e.softphones.loopback import free
from tests.e2e.softphones.program import LONGEST_S, Program, running

_CONFIG = """\
[sip]
{ports}
bind_address={listens.host}
use_ipv6=0
guess_hostname=0
register_only_when_network_is_up=0
default_proxy=0
verify_server_certs=1
verify_server_cn=1
{trusted}
[net]
dns_srv_enabled=0
[sound]
playback_dev_id=ANullSoundDevice
capture_dev_id=ANullSoundDevice
[misc]
config-uri=
file_transfer_server_url=
log_collection_upload_server_url=
uuid=00000000-0000-1000-8000-{account.mac}
[video]
enabled=0
[auth_info_0]
username={account.user_name}
userid={account.auth_name}
passwd={account.password}
domain={account.server.host}
[proxy_0]
reg_proxy=<{account.registrar}>
reg_identity={account.aor}
reg_expires={account.expires_s}
reg_sendregister=1
publish=0
"""
_PORTS = {Transport.UDP: "sip_port", Transport.TCP: "sip_tcp_port", Transport.TLS: "sip_tls_port"}
_LOOK_S = 0.05
"It says nothing on its own of how it registers: it has to be asked."


@dataclass(frozen=True)
class Linphone:
    """A running linphone-daemon with one account."""

    program: Program
    account: Account
    listens: Address
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    "It serves one connection at a time."

    async def registers(self) -> None:
        """Returns when it says that it is registered."""
        await self._comes_to("LinphoneRegistrationOk")

    async def is_refused(self) -> None:
        """Returns when it says that it could not register."""
        await self._comes_to("LinphoneRegistrationFailed")

    async def unregister(self) -> None:
        """Ends in order, which takes its binding back."""
        self.writer.write(b"quit\n")
        await self.program.ended()

    async def command(self, line: str) -> str:
        """What it answers to one of its commands, but `quit`."""
        async with asyncio.timeout(LONGEST_S):
            self.writer.write(f"{line}\n".encode())
            said = await self.reader.readuntil(b"\n")
            if said == b"Status: Ok\n":
                # What follows ends with a blank line, and begins with one.
                said += await self.reader.readuntil(b"\n\n")
            return said.decode()

    async def _comes_to(self, state: str) -> None:
        async with asyncio.timeout(LONGEST_S):
            while f"State: {state}\n" not in (said := await self.command("register-status ALL")):
                assert "Status: Ok" in said, said
                await asyncio.sleep(_LOOK_S)


@asynccontextmanager
async def linphone(
    account: Account,
    folder: Path,
    host: str,
    *,
    trusted: Path | None = None,
    listens: Address | None = None,
) -> AsyncIterator[Linphone]:
    """linphone with `account` at the loopback address `host`, up while the context lasts.

    Its instance is made of the phone's MAC, as Yealink phones do it: started again it is the same phone.
    `trusted` is the certificate that a TLS server must be known by.
    """
    config, pipe, listens = folder / "linphonerc", folder / "pipe", listens or free(host)
    _write_profile(folder, config, account, listens, trusted)
    # It makes its socket in /tmp, whatever it is told.
    command: list[str | Path] = ["linphone-daemon", "--pipe", f"..{pipe}", "--config", config]
    command += ["--disable-stats-events", "--log", folder / "log"]
    async with running(command, folder, {"HOME": str(folder)}) as program:
        reader, writer = await _connected(pipe)
        try:
            yield Linphone(program, account, listens, reader, writer)
        finally:
            writer.close()


async def _connected(pipe: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """To its control, when that is there."""
    async with asyncio.timeout(LONGEST_S):
        while True:
            try:
                return await asyncio.open_unix_connection(pipe)
            except OSError:
                await asyncio.sleep(_LOOK_S)


def _write_profile(
    folder: Path, config: Path, account: Account, listens: Address, trusted: Path | None
) -> None:
    # Without this folder it ends and doesn't say why.
    (folder / ".local" / "share" / "linphone").mkdir(parents=True, exist_ok=True)
    (folder / "pipe").unlink(missing_ok=True)
    ports = dict.fromkeys(_PORTS, 0) | {account.transport: listens.port}
    text = _CONFIG.format(
        account=account,
        listens=listens,
        trusted=f"root_ca={trusted}" if trusted is not None else "",
        ports="\n".join(f"{_PORTS[transport]}={port}" for transport, port in ports.items()),
    )
    config.write_text(text)
