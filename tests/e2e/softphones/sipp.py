"""sipp 3.6: plays scenarios of REGISTERs and calls, and holds each answer against what it expects."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from provisioner.virtual_phones.account import Account
from sip.transport.flow import Address, Transport
from tests.e2e.softphones.program import LONGEST_S, running

_SCENARIO = """\
<?xml version="1.0" encoding="UTF-8"?>
<scenario name="phone">
{steps}
</scenario>
"""
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
_CALL = """\
<send retrans="500"><![CDATA[
INVITE sip:{number}@{server} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];rport;branch=[branch]
Max-Forwards: 70
From: <{aor}>;tag=[pid]c[call_number]
To: <sip:{number}@{server}>
Call-ID: [call_id]
CSeq: {cseq} INVITE
Contact: <sip:{user_name}@[local_ip]:[local_port];transport=[transport]>
User-Agent: {agent}
{login}
Content-Type: application/sdp
Content-Length: [len]

v=0
o=sipp 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio 30000 RTP/AVP 8
]]></send>
"""
_IN_CALL = """\
<send{retrans}><![CDATA[
{method} [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];rport;branch=[branch]
Max-Forwards: 70
From: <{aor}>;tag=[pid]c[call_number]
To: <sip:{number}@{server}>[peer_tag_param]
Call-ID: [call_id]
CSeq: {cseq} {method}
Content-Length: 0

]]></send>
"""
_REFUSAL_ACK = """\
<send><![CDATA[
ACK sip:{number}@{server} SIP/2.0
[last_Via:]
Max-Forwards: 70
[last_From:]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
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
    scenario.write_text(_SCENARIO.format(steps=steps))
    await _plays(scenario, account, folder, listens, "-m", "1")


async def calls(account: Account, folder: Path, listens: Address, number: str, count: int = 1) -> None:
    """Calls `number` so many times, asked to log in each time; hangs up as soon as it is answered."""
    given = {
        "server": account.server,
        "aor": account.aor,
        "user_name": account.user_name,
        "number": number,
        "agent": account.user_agent,
    }
    login = f"[authentication username={account.auth_name} password={account.password}]"
    steps = (
        _CALL.format(**given, cseq=1, login="Subject: call")
        + '<recv response="401" auth="true"></recv>\n'
        + _REFUSAL_ACK.format(**given)
        + _CALL.format(**given, cseq=2, login=login)
        + '<recv response="100" optional="true"></recv>\n<recv response="180"></recv>\n'
        + '<recv response="200" rrs="true"></recv>\n'
        + _IN_CALL.format(**given, method="ACK", cseq=2, retrans="")
        + _IN_CALL.format(**given, method="BYE", cseq=3, retrans=' retrans="500"')
        + '<recv response="200"></recv>\n'
    )
    scenario = folder / "calls.xml"
    scenario.write_text(_SCENARIO.format(steps=steps))
    # One after another: its line may not have three at once.
    await _plays(scenario, account, folder, listens, "-m", str(count), "-l", "1")


async def _plays(scenario: Path, account: Account, folder: Path, listens: Address, *more: str) -> None:
    """The whole scenario; each answer must be what it expects."""
    command = ["sipp", str(account.server), "-sf", str(scenario), *more, "-nostdin", "-t"]
    command += [_TRANSPORTS[account.transport], "-i", listens.host, "-p", str(listens.port)]
    command += ["-timeout", str(LONGEST_S)]
    async with running([*command, "-trace_err", "-error_file", "errors"], folder) as program:
        code = await program.ended()
        errors = folder / "errors"
        assert code == 0, errors.read_text() if errors.exists() else "".join(program.lines)
