"""baresip 1.0: a profile made of an account, and its control by netstrings of JSON over TCP (`ctrl_tcp`)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provisioner.virtual_phones.account import Account
from sip.transport.flow import Address
from tests.e2e.softphones.loopback import free
from tests.e2e.softphones.program import LONGEST_S, Program, running

_SOUND = """\
audio_player aubridge,null
audio_source aufile,{tone}
audio_alert aubridge,null
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
ringback_disabled yes
jitter_buffer_delay 1-5
module aufile.so
module aubridge.so
module sndfile.so
snd_path {folder}
"""
"It says what is in the file `tone`, and writes down what it hears."
_LOOK_S = 0.05
"Not all ends of calls it tells on its own."
_CONFIG = """\
poll_method epoll
sip_listen {listens}
{cafile}
net_interface {listens.host}
rtp_ports 30000-30998
module_path /usr/lib/baresip/modules
module g711.so
module uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen {control}
"""


@dataclass(frozen=True)
class Baresip:
    """A running baresip with one account."""

    program: Program
    account: Account
    folder: Path
    listens: Address
    "Where it is reached over UDP; over TLS it is the next port."
    control: Control

    async def registers(self) -> None:
        """Returns when the server has next said 200 to its REGISTER."""
        await self.program.says(rf"{self.account.user_name}@\S+ \{{\d+/\w+/v4\}} 200 ")

    async def is_refused(self) -> int:
        """The status with which its REGISTER has been refused for good."""
        return int((await self.program.says(rf"{self.account.user_name}@\S+ .*?\b([4-6]\d\d) "))[1])

    async def dials(self, number: str) -> None:
        """Calls a number of its server. What it has said of calls before is forgotten."""
        await self.command("listcalls")
        await self.program.skips()
        assert (await self.command("dial", number))["ok"]

    async def rings(self) -> str:
        """Returns when somebody calls: who that is, as it is shown."""
        return (await self.program.says(r"Incoming call from: (.*?) - "))[1]

    async def accepts(self) -> None:
        """Answers the call that rings."""
        assert (await self.command("accept"))["ok"]

    async def talks(self) -> None:
        """Returns when a call of its own is there."""
        await self.program.says("Call established")

    async def hangs_up(self) -> None:
        """Ends its call, or turns down the one that rings."""
        assert (await self.command("hangup"))["ok"]

    async def is_hung_up(self) -> None:
        """Returns when it has no call any more."""
        async with asyncio.timeout(LONGEST_S):
            while await self.has_calls():  # noqa: ASYNC110 - it has to be asked
                await asyncio.sleep(_LOOK_S)

    async def is_refused_with(self) -> int:
        """The status with which the call that it has just dialled is refused."""
        return int((await self.program.says(r"session closed: (\d{3}) "))[1])

    async def has_calls(self) -> bool:
        """Whether it talks, rings or calls."""
        # Before the second one is answered it has seen all that had come before the first.
        await self.command("listcalls")
        return "Active calls (0)" not in (await self.command("listcalls"))["data"]

    def heard(self) -> Path:
        """The file of what it hears in the latest session."""
        return max(self.folder.glob("dump-*-dec.wav"))

    async def unregister(self) -> None:
        """Ends in order, which takes its binding back."""
        self.program.interrupt()
        await self.program.ended()

    async def command(self, name: str, parameters: str = "") -> dict[str, Any]:
        """Its answer to a command, as `menu` knows them."""
        async with asyncio.timeout(LONGEST_S):
            return await self.control.ask(name, parameters)


@dataclass
class Control:
    """One connection for all commands: a second one takes the place of the first, and may go with its end."""

    at: Address
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def ask(self, name: str, parameters: str) -> dict[str, Any]:
        """The answer to a command."""
        async with self._turn:
            self._streams = self._streams or await asyncio.open_connection(*self.at)
            reader, writer = self._streams
            asked = json.dumps({"command": name, "params": parameters, "token": name}).encode()
            writer.write(b"%d:%s," % (len(asked), asked))
            while True:
                length = int((await reader.readuntil(b":"))[:-1])
                frame = json.loads((await reader.readexactly(length + 1))[:-1])
                # Events of calls and registrations come between.
                if frame.get("response"):
                    return dict(frame)

    def close(self) -> None:
        """No more of them."""
        if self._streams is not None:
            self._streams[1].close()


@asynccontextmanager
async def baresip(
    account: Account,
    folder: Path,
    host: str,
    *,
    trusted: Path | None = None,
    is_outbound: bool = False,
    listens: Address | None = None,
    tone: Path | None = None,
    answers_by_itself: bool = False,
) -> AsyncIterator[Baresip]:
    """baresip with `account` at the loopback address `host`, up while the context lasts.

    `trusted` is the certificate that a TLS server must be known by. With `is_outbound` it says its instance
    and a reg-id (RFC 5626): started again in the same `folder` it is the same phone. With `tone`, a file of
    sound, it can talk.
    """
    listens, control = listens or free(host), free(host)
    cafile = f"sip_cafile {trusted}" if trusted is not None else ""
    config = _CONFIG.format(listens=listens, control=control, cafile=cafile)
    if tone is not None:
        config += _SOUND.format(tone=tone, folder=folder)
    more = ";answermode=auto" if answers_by_itself else ""
    _write_profile(folder, config, account, more, is_outbound=is_outbound)
    async with running(["baresip", "-f", folder], folder) as program:
        steered = Control(control)
        try:
            yield Baresip(program, account, folder, listens, steered)
        finally:
            steered.close()


def _write_profile(folder: Path, config: str, account: Account, more: str, *, is_outbound: bool) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "config").write_text(config)
    (folder / "contacts").write_text("")
    uri = f"sip:{account.user_name}@{account.server};transport={account.transport}"
    login = f"auth_user={account.auth_name};auth_pass={account.password}"
    line = f"<{uri}>;{login};regint={account.expires_s};audio_codecs=PCMA{more}"
    if is_outbound:
        # Without a name for its way out it does not register at all then.
        line += f';sipnat=outbound;outbound="{account.registrar}"'
    (folder / "accounts").write_text(f"{line}\n")
