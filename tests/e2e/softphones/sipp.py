"""sipp 3.6: plays scenarios of REGISTERs and calls, and holds each answer against what it expects."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from provisioner.virtual_phones.account import Account
from sip.transport.flow import Address, Transport
from tests.e2e.softphones import scenes
from tests.e2e.softphones.program import LONGEST_S, running
from tests.e2e.softphones.tunnel import tunnel

# Asked twice, the server gives two challenges, and sipp takes the second for an answer out of turn.
_SEND = """\
<send retrans="20000"><![CDATA[
REGISTER sip:{server} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];rport;branch=[branch]
Max-Forwards: 70
From: <{aor}>;tag=[pid]t[call_number]
To: <{aor}>
Call-ID: [call_id]
CSeq: {cseq} REGISTER
Contact: <sip:{user_name}@[local_ip]:[local_port];transport=[transport]>{leaves}
{more}
Expires: {expires_s}
Content-Length: 0

]]></send>
"""
_RECEIVE = '<recv response="{status}"{auth}></recv>\n'
LOOK_S = 0.05
"It tells nobody when it gets something: it only writes it down."
_TRANSPORTS = {Transport.UDP: "u1", Transport.TCP: "t1", Transport.TLS: "t1"}
"Debian's is built without TLS: there it goes by a tunnel."


async def registers(
    account: Account,
    folder: Path,
    listens: Address,
    expires_s: Iterable[int],
    *,
    left: Address | None = None,
    status: int = 200,
) -> None:
    """One phone that registers once for each of `expires_s`, each time asked to log in, and gets `status`.

    It says that it is at `left` no more, where it was when it registered before.
    """
    more = [f"User-Agent: {account.user_agent}"]
    if account.sends_mac:
        more.append("Mac: " + ":".join(account.mac[at : at + 2] for at in range(0, 12, 2)))
    leaves = f", <sip:{account.user_name}@{left};transport=[transport]>;expires=0" if left else ""
    login = f"[authentication username={account.auth_name} password={account.password}]"
    steps = ""
    for number, seconds in enumerate(expires_s):
        for asked, headers in enumerate((more, [*more, login])):
            steps += _SEND.format(
                server=account.server,
                aor=account.aor,
                user_name=account.user_name,
                leaves=leaves,
                cseq=2 * number + asked + 1,
                more="\n".join(headers),
                expires_s=seconds,
            )
            steps += _RECEIVE.format(
                status=status if asked else 401, auth="" if asked else ' auth="true"'
            )
    scenario = folder / "scenario.xml"
    scenario.write_text(scenes.scenario(steps))
    await _plays(scenario, account, folder, listens, "-m", "1")


async def plays(
    steps: Iterable[str],
    name: str,
    account: Account,
    folder: Path,
    listens: Address,
    count: int = 1,
    *,
    trusted: Path | None = None,
    echoes_at: int | None = None,
) -> None:
    """These `scenes` from beginning to end, so many times one after another.

    `trusted` is the certificate that a TLS server must be known by. What comes to the port `echoes_at`, and
    the one above, goes back to where it is from.
    """
    scenario = folder / f"{name}.xml"
    scenario.write_text(scenes.scenario(steps))
    more = ["-m", str(count), "-l", "1"]
    if echoes_at is not None:
        more += ["-rtp_echo", "-mi", listens.host, "-mp", str(echoes_at)]
    if account.transport is not Transport.TLS:
        await _plays(scenario, account, folder, listens, *more)
        return
    assert trusted is not None
    async with tunnel(account.server, listens.host, trusted) as way:
        more += ["-auth_uri", str(account.server)]
        await _plays(scenario, replace(account, server=way), folder, listens, *more)


async def _plays(scenario: Path, account: Account, folder: Path, listens: Address, *more: str) -> None:
    """The whole scenario; each answer must be what it expects."""
    command = ["sipp", str(account.server), "-sf", str(scenario), *more, "-nostdin", "-t"]
    command += [_TRANSPORTS[account.transport], "-i", listens.host, "-p", str(listens.port)]
    command += ["-timeout", str(LONGEST_S), "-trace_msg", "-message_file", f"{scenario.stem}.messages"]
    async with running([*command, "-trace_err", "-error_file", f"{scenario.stem}.errors"], folder) as program:
        code = await program.ended()
        errors = scenario.with_suffix(".errors")
        assert code == 0, errors.read_text() if errors.exists() else "".join(program.lines)


async def written(file: Path, pattern: str) -> re.Match[str]:
    """What stands there, as soon as it does; `^` is the beginning of a line."""
    async with asyncio.timeout(LONGEST_S):
        while True:
            if found := re.search(pattern, text_of(file), re.DOTALL | re.MULTILINE):
                return found
            await asyncio.sleep(LOOK_S)


def text_of(file: Path) -> str:
    return file.read_text() if file.exists() else ""
