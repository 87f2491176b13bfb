"""sipp 3.6: plays scenarios of REGISTERs and calls, and holds each answer against what it expects."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from provisioner.virtual_phones.account import Account
from sip.transport.flow import Address, Transport
from tests.e2e.softphones import scenes
from tests.e2e.softphones.program import LONGEST_S, running

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
_TRANSPORTS = {Transport.UDP: "u1", Transport.TCP: "t1"}
"Debian's is built without TLS."


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


async def calls(account: Account, folder: Path, listens: Address, number: str, count: int = 1) -> None:
    """Calls `number` so many times, asked to log in each time; hangs up as soon as it is answered."""
    caller = scenes.Caller(account, number)
    steps = (
        *caller.begins("INVITE", body=scenes.session(30000)),
        scenes.may_get(100),
        scenes.waits_for(180),
        scenes.waits_for(200, is_first=True),
        caller.says("ACK", 2),
        caller.says("BYE", 3),
        scenes.waits_for(200),
    )
    # One after another: its line may not have three at once.
    await plays(steps, "calls", account, folder, listens, count)


async def plays(
    steps: Iterable[str], name: str, account: Account, folder: Path, listens: Address, count: int = 1
) -> None:
    """These `scenes` from beginning to end, so many times one after another."""
    scenario = folder / f"{name}.xml"
    scenario.write_text(scenes.scenario(steps))
    await _plays(scenario, account, folder, listens, "-m", str(count), "-l", "1")


async def _plays(scenario: Path, account: Account, folder: Path, listens: Address, *more: str) -> None:
    """The whole scenario; each answer must be what it expects."""
    command = ["sipp", str(account.server), "-sf", str(scenario), *more, "-nostdin", "-t"]
    command += [_TRANSPORTS[account.transport], "-i", listens.host, "-p", str(listens.port)]
    command += ["-timeout", str(LONGEST_S), "-trace_msg", "-message_file", f"{scenario.stem}.messages"]
    async with running([*command, "-trace_err", "-error_file", f"{scenario.stem}.errors"], folder) as program:
        code = await program.ended()
        errors = scenario.with_suffix(".errors")
        assert code == 0, errors.read_text() if errors.exists() else "".join(program.lines)
