"""linphone 5.1 on a terminal: a profile made of an account, and its control by what is typed there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from provisioner.virtual_phones.account import Account
from sip.transport.flow import Address, Transport
from tests.e2e.softphones.loopback import free
from tests.e2e.softphones.program import LONGEST_S, Program, running

_CONFIG = """\
[sip]
{ports}
bind_address={listens.host}
use_ipv6=0
100rel_support_level={reliably}
use_info=1
use_rfc2833=0
guess_hostname=0
register_only_when_network_is_up=0
default_proxy=0
verify_server_certs=1
verify_server_cn=1
{trusted}
[rtp]
audio_rtp_port={rtp_ports}
bind_address={listens.host}
[net]
dns_srv_enabled=0
[sound]
playback_dev_id=ANullSoundDevice
capture_dev_id=ANullSoundDevice
{codecs}
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
# What is heard is then written down as 8,000 samples a second.
_CODECS = "\n".join(
    f"[audio_codec_{number}]\nmime={name}\nrate={rate}\nenabled={int(name == 'PCMA')}"
    for number, (name, rate) in enumerate(
        [("PCMA", 8000), ("PCMU", 8000), ("opus", 48000), ("speex", 8000), ("speex", 16000), ("speex", 32000)]
    )
)
_RTP_PORTS = "61000-65000"
"""Nobody else takes any of these. It draws one, and where that is taken it has a call without sound: baresip
listens at all addresses, and what the system gives to others ends at 60999."""
_PORTS = {Transport.UDP: "sip_port", Transport.TCP: "sip_tcp_port", Transport.TLS: "sip_tls_port"}
_LOOK_S = 0.05
"It says nothing on its own of how it registers, and not all ends of calls: it has to be asked."
_LOG, _HEARD = "log", "heard.wav"


@dataclass(frozen=True)
class Linphone:
    """A running linphonec with one account."""

    program: Program
    account: Account
    folder: Path
    listens: Address

    async def registers(self) -> None:
        """Returns when it says that it is registered."""
        async with asyncio.timeout(LONGEST_S):
            while True:
                self.program.told("status register")
                if (await self.program.says(r"registered(, identity|=)"))[1] != "=":
                    return
                await asyncio.sleep(_LOOK_S)

    async def dials(self, number: str) -> None:
        """Calls a number of its server."""
        self.program.told(f"call {number}")
        await self.program.says("in progress")

    async def rings(self) -> str:
        """Returns when somebody calls: who that is, as it is shown."""
        return (await self.program.says(r"Receiving new incoming call from (.*), assigned"))[1]

    async def accepts(self) -> None:
        """Answers the call that rings."""
        self.program.told("answer")

    def passes_first_to_second(self) -> None:
        """Connects the one that it has put on hold to the one that it has called then."""
        first, second = re.findall(r"assigned id (\d+)", "".join(self.program.lines))[-2:]
        self.program.told(f"transfer {first} --to-call {second}")

    async def moves(self, uri: str) -> None:
        """Sends the call that rings somewhere else."""
        self.program.told(f"redirect all {uri}")

    async def talks(self) -> None:
        """Returns when it has sound with the other one, at first or after it was on hold."""
        await self.program.says("Media streams established")

    async def holds(self) -> None:
        """Has the other one wait; returns when it does."""
        self.program.told("pause")
        await self.program.says("is now paused")

    async def is_held(self) -> None:
        """Returns when the other one has it wait."""
        await self.program.says("has been paused")

    async def resumes(self) -> None:
        """Talks to it again."""
        self.program.told("resume")
        await self.talks()

    def presses(self, key: str) -> None:
        """Has a key pressed while it talks; it says so by INFO."""
        self.program.told(key)

    async def hangs_up(self) -> None:
        """Ends its call, or turns down the one that rings."""
        self.program.told("terminate")

    async def has_calls(self) -> bool:
        """Whether it talks, rings or calls."""
        for _ in range(2):
            # Before the second one is answered it has seen all that had come before the first.
            self.program.told("calls")
            said = await self.program.says(r"No active call|\| +State")
        return said[0] != "No active call"

    async def is_hung_up(self) -> None:
        """Returns when it has no call any more."""
        async with asyncio.timeout(LONGEST_S):
            while await self.has_calls():  # noqa: ASYNC110 - it has to be asked
                await asyncio.sleep(_LOOK_S)

    def heard(self) -> Path:
        """The file of what it hears."""
        return self.folder / _HEARD

    def log(self) -> str:
        """What it has written down of itself, with all messages that came and went."""
        return (self.folder / _LOG).read_text(errors="replace")

    async def unregister(self) -> None:
        """Ends in order, which takes its binding back."""
        self.program.told("quit")
        await self.program.ended()


@asynccontextmanager
async def linphone(
    account: Account,
    folder: Path,
    host: str,
    *,
    trusted: Path | None = None,
    listens: Address | None = None,
    tone: Path | None = None,
    is_reliable: bool = False,
) -> AsyncIterator[Linphone]:
    """linphone with `account` at the loopback address `host`, up while the context lasts.

    Its instance is made of the phone's MAC, as Yealink phones do it: started again it is the same phone.
    `trusted` is the certificate that a TLS server must be known by. With `tone`, a file of sound, it can
    talk. With `is_reliable` it wants a PRACK for what it says while it rings, and says one (RFC 3262).
    """
    config, listens = folder / "linphonerc", listens or free(host)
    _write_profile(folder, config, account, listens, trusted, is_reliable=is_reliable)
    command: list[str | Path] = ["linphonec", "-c", config, "-d", "6", "-l", folder / _LOG]
    async with running(command, folder, {"HOME": str(folder)}, is_typed_to=True) as program:
        if tone is not None:
            for line in ("soundcard use files", f"play {tone}", f"record {folder / _HEARD}"):
                program.told(line)
        yield Linphone(program, account, folder, listens)


def _write_profile(
    folder: Path, config: Path, account: Account, listens: Address, trusted: Path | None, *, is_reliable: bool
) -> None:
    # Without this folder it ends and doesn't say why.
    (folder / ".local" / "share" / "linphone").mkdir(parents=True, exist_ok=True)
    ports = dict.fromkeys(_PORTS, 0) | {account.transport: listens.port}
    text = _CONFIG.format(
        account=account,
        listens=listens,
        trusted=f"root_ca={trusted}" if trusted is not None else "",
        codecs=_CODECS,
        rtp_ports=_RTP_PORTS,
        reliably=2 if is_reliable else 0,
        ports="\n".join(f"{_PORTS[transport]}={port}" for transport, port in ports.items()),
    )
    config.write_text(text)
