"""sipp 3.6: plays a scenario of REGISTERs, and holds each answer against what it expects."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from provisioner.demo.account import Account
from sip.transport.flow import Address, Transport
from tests.e2e.softphones.program import LONGEST_S, running

_SCENARIO = """\
<?xml version="1.0" encoding="UTF-8"?>
<scenario name="REGISTER">
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
    command = ["sipp", str(account.server), "-sf", str(scenario), "-m", "1", "-nostdin", "-t"]
    command += [_TRANSPORTS[account.transport], "-i", listens.host, "-p", str(listens.port)]
    command += ["-timeout", str(LONGEST_S)]
    async with running([*command, "-trace_err", "-error_file", "errors"], folder) as program:
        code = await program.ended()
        errors = folder / "errors"
        assert code == 0, errors.read_text() if errors.exists() else "".join(program.lines)
