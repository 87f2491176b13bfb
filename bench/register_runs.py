"""Runs of load on a registrar: by sipp, or by `register_load.py`."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import stock
from registrars import HOST, Registrar


@dataclass(frozen=True)
class Run:
    """What one run of load came to."""

    done: int
    "Registrations: 401, credentials, 200."
    seconds: float
    cpu_s: float
    "Of the registrar and its database."
    client_cpu_s: float
    p50_ms: float
    p99_ms: float
    failed: int
    resent: int

    @property
    def per_second(self) -> float:
        return self.done / self.seconds

    @property
    def cpu_us(self) -> float:
        """Of the registrar, for each registration."""
        return self.cpu_s / max(1, self.done) * 1e6


def percentile(values: Sequence[float], share: float) -> float:
    """Of sorted values; 0 where there are none."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def by_own(
    registrar: Registrar, phones: int, count: int, at_once: int, *, addresses: bool = False
) -> Run:
    """A closed loop of our own load: so many registrations are under way at any time."""
    before = registrar.cpu_s()
    said = load(registrar, phones=phones, count=count, at_once=at_once, addresses=addresses)
    took = sorted(each for second in said["took_ms"].values() for each in second)
    return Run(
        done=len(took),
        seconds=said["seconds"],
        cpu_s=registrar.cpu_s() - before,
        client_cpu_s=said["cpu_s"],
        p50_ms=percentile(took, 0.5),
        p99_ms=percentile(took, 0.99),
        failed=count - len(took),
        resent=said["resent"],
    )


_SCENARIO = """\
<?xml version="1.0" encoding="UTF-8"?>
<scenario name="REGISTER with digest">
{steps}
</scenario>
"""
_STEP = """\
<send retrans="500"{timed}><![CDATA[
REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch];rport
From: "Bench" <sip:[field0]@[remote_ip]:[remote_port]>;tag=[pid]t[call_number]
To: "Bench" <sip:[field0]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: {cseq} REGISTER
Contact: <sip:[field0]@[local_ip]:[local_port]>
{login}Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, UPDATE
Max-Forwards: 70
User-Agent: Yealink SIP-T46S 66.86.0.15
Expires: 3600
Allow-Events: talk,hold,conference,refer,check-sync
Content-Length: 0

]]></send>
<recv response="{status}"{told}></recv>
"""


def by_sipp(registrar: Registrar, phones: int, count: int, at_once: int, folder: Path) -> Run:
    """The same by sipp, with one socket."""
    folder.mkdir(exist_ok=True)
    first = _STEP.format(cseq=1, login="", status=401, timed=' start_rtd="1"', told=' auth="true"')
    second = _STEP.format(cseq=2, login="[field1]\n", status=200, timed="", told=' rtd="1"')
    (folder / "register.xml").write_text(_SCENARIO.format(steps=first + second))
    with (folder / "phones.csv").open("w") as users:
        users.write("SEQUENTIAL\n")
        for n in range(phones):
            line, password = stock.line(n), registrar.password.format(number=n)
            users.write(f"{line};[authentication username={line} password={password}]\n")
    for old in folder.glob("*_rtt.csv"):
        old.unlink()
    command = ["sipp", f"{HOST}:{registrar.port}", "-sf", "register.xml", "-inf", "phones.csv", "-i", HOST]
    command += ["-p", str(registrar.phones_port), "-t", "u1", "-m", str(count), "-l", str(at_once)]
    command += ["-r", "400000", "-nostdin", "-trace_stat", "-stf", "stat.csv", "-fd", "1"]
    command += ["-trace_rtt", "-rtt_freq", "1000", "-buff_size", "4194304"]
    # Who asks by OPTIONS whether a phone is there is answered.
    command += ["-timeout", "600", "-recv_timeout", "8000", "-skip_rlimit", "-oocsn", "ooc_default"]
    before, client_before = registrar.cpu_s(), _children_cpu_s()
    subprocess.run(command, cwd=folder, capture_output=True, check=False)
    used, client_used = registrar.cpu_s() - before, _children_cpu_s() - client_before
    with (folder / "stat.csv").open() as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    last = next((row for row in rows if _ended(row) >= count), rows[-1])
    took = sorted(
        float(row["response_time_ms"])
        for file in folder.glob("*_rtt.csv")
        for row in csv.DictReader(file.open(), delimiter=";")
    )
    return Run(
        done=int(last["SuccessfulCall(C)"]),
        seconds=_moment(last["CurrentTime"]) - _moment(last["StartTime"]),
        cpu_s=used,
        client_cpu_s=client_used,
        p50_ms=percentile(took, 0.5),
        p99_ms=percentile(took, 0.99),
        failed=int(last["FailedCall(C)"]),
        resent=int(last["Retransmissions(C)"]),
    )


def _ended(row: dict[str, str]) -> int:
    return int(row["SuccessfulCall(C)"]) + int(row["FailedCall(C)"])


def _moment(text: str) -> float:
    """The last part of what sipp writes of a moment: seconds."""
    return float(text.split("\t")[-1])


def _children_cpu_s() -> float:
    """Of all programs that this one has run to their end."""
    times = os.times()
    return times.children_user + times.children_system


def load(registrar: Registrar, **plan: object) -> dict[str, Any]:
    """What `register_load.py` says of a plan."""
    asked = {"host": HOST, "port": registrar.port, "password": registrar.password, **plan}
    asked["own_port"] = registrar.phones_port
    command = [sys.executable, Path(__file__).with_name("register_load.py"), json.dumps(asked)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(json.loads(said))
