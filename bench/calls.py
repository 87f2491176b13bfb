"""How many calls are set up and ended, side by side with Debian's Kamailio as a proxy.

    .venv/bin/python bench/calls.py compare     calls a second, and what each costs, when 50 are under way
    .venv/bin/python bench/calls.py added       how much later an INVITE leaves than it came, at half of that
    .venv/bin/python bench/calls.py group       simultaneous INVITEs to a hunt group of 50
    .venv/bin/python bench/calls.py lamps       how soon a key shows that a colleague's phone rings
    .venv/bin/python bench/calls.py flat        memory of the server after each of some loads
    .venv/bin/python bench/calls.py held        memory of a call that is up

Each call is INVITE, 180, 200, ACK, BYE, 200 on both sides, over UDP on loopback; media would go directly.
Ours asks each INVITE to log in, decides whom it rings by what the customer has set, has two dialogs, writes a
record of each call, and watches over its phones. Kamailio, with one worker, passes each message on (`tm`,
Record-Route) to where it is told, and knows nobody. The load has a process of its own: what of a core it
took is shown, for near 100 % it was the bottleneck.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import servers
from registrars import HOST, Registrar, free_port, wanted
from rich.console import Console
from rich.table import Table

CONSOLE = Console(width=120)
PASSWORD = "benchbenchbench"  # noqa: S105 - of phones that are none
PAIRS = 100
GROUP = 50
_GROUP_RATE = 5
"Calls to it a second."
_REST_S = 33.0
"Longer than a transaction outlives its answer."
_KAMAILIO = """\
debug=0
log_stderror=yes
children=1
auto_aliases=no
listen=udp:{host}:{port}
disable_tcp=yes
mpath="{modules}"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "maxfwd.so"
request_route {{
  if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
  if (has_totag()) {{
    loose_route();
    t_relay();
    exit;
  }}
  if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
  t_check_trans();
  record_route();
  $ru = "sip:" + $rU + "@{host}:{callees}";
  t_relay();
}}
"""


def line(number: int) -> str:
    """Lines of callers and, after them, of callees."""
    return str(48_220_000_000 + number)


CALLERS = [line(number) for number in range(PAIRS)]
CALLEES = [line(PAIRS + number) for number in range(PAIRS)]


@contextmanager
def our_server(folder: Path) -> Iterator[Registrar]:
    """Our server as it comes, on SQLite, with a customer of `PAIRS` callers and callees and a group.

    Their product is the one whose lines have the most calls at once: 30 each.
    """
    folder.mkdir()
    data, port = folder / "data", free_port()
    lines = "".join(
        f'\n      - {{number: "{each}", product: biznes-trunk, password: "{PASSWORD}"}}'
        for each in (*CALLERS, *CALLEES)
    )
    extensions = "".join(
        f'\n      - {{number: "{1000 + number}", line: "{each}"}}' for number, each in enumerate(CALLEES)
    )
    members = "".join(f'\n          - {{extension: "{1000 + number}"}}' for number in range(GROUP))
    company = folder / "company.yaml"
    company.write_text(
        "customers:\n  - login: bench\n    name: Bench\n    centrex: {extension_length: 4}\n"
        f"    lines:{lines}\n    extensions:{extensions}\n"
        '    hunt_groups:\n      - number: "6000"\n        name: All\n        strategy: simultaneous\n'
        f"        members:{members}\n"
    )
    command = [str(Path(sys.executable).with_name("centralka"))]
    for each in (["init"], ["apply", str(company)]):
        subprocess.run([*command, *each, "--data-dir", str(data)], check=True, stdout=subprocess.DEVNULL)
    with servers.centralka(data, f'[listen]\nsip = "{HOST}:{port}"\n') as server:
        yield Registrar("Centralka", port, PASSWORD, server.pids)


@contextmanager
def proxy(folder: Path) -> Iterator[Registrar]:
    """Debian's Kamailio with one worker."""
    wanted("kamailio")
    folder.mkdir()
    (modules,) = Path("/usr/lib").glob("*/kamailio/modules")
    port, callees = free_port(), free_port()
    config = folder / "kamailio.cfg"
    config.write_text(_KAMAILIO.format(host=HOST, port=port, modules=modules, callees=callees))
    command = ["kamailio", "-f", config, "-P", folder / "pid", "-w", folder, "-DD", "-E", "-m", "512"]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield Registrar("Kamailio, a proxy", port, "", (process.pid,), callees)
        finally:
            process.terminate()


@dataclass(frozen=True)
class Run:
    """What one round came to."""

    tally: dict[str, Any]
    cpu_s: float
    load_s: float

    @property
    def per_second(self) -> float:
        return float(self.tally["done"] / self.tally["seconds"])

    @property
    def cpu_us(self) -> float:
        return 1e6 * self.cpu_s / max(1, self.tally["done"])


def run(server: Registrar, **plan: Any) -> Run:
    """One load, from its begin to its end."""
    asked = {
        "port": server.port, "callers": CALLERS, "callees": CALLEES, "callees_port": server.phones_port,
        "password": server.password, **plan,
    }  # fmt: skip
    before = server.cpu_s()
    command = [sys.executable, str(Path(__file__).with_name("call_load.py")), json.dumps(asked)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as load:
        assert load.stdout is not None
        said = load.stdout.read()
        children = load.wait()
    assert children == 0
    tally = json.loads(said)
    return Run(tally, server.cpu_s() - before, tally["seconds"])


def percentile(values: Sequence[float], of_hundred: int) -> float:
    return statistics.quantiles(values, n=100)[of_hundred - 1] if len(values) > 1 else 0.0


def compare(options: argparse.Namespace, ours: Registrar, peers: Sequence[Registrar]) -> None:
    """They take turns."""
    table = Table("server", "calls/s", "CPU of each", "up p50", "up p99", "failed")
    rounds = [
        [run(each, count=options.count, at_once=options.at_once) for each in (ours, *peers)]
        for _ in range(options.rounds)
    ]
    for number, each in enumerate((ours, *peers)):
        runs = [found[number] for found in rounds]
        up = [ms for found in runs for ms in found.tally["up_ms"]]
        table.add_row(
            each.name,
            f"{statistics.median(found.per_second for found in runs):,.0f}",
            f"{statistics.median(found.cpu_us for found in runs):,.0f} µs",
            f"{percentile(up, 50):.1f} ms",
            f"{percentile(up, 99):.1f} ms",
            f"{sum(found.tally['failed'] for found in runs):,}",
        )
    CONSOLE.print(f"{options.count:,} calls a run, {options.at_once} at once, {options.rounds} rounds")
    CONSOLE.print(table)


def added(options: argparse.Namespace, ours: Registrar, peers: Sequence[Registrar]) -> None:
    """An open loop at a rate that is given."""
    table = Table("server", "calls/s", "INVITE in to out p50", "p99", "failed")
    for each in (ours, *peers):
        found = run(each, rate=options.rate, seconds=options.seconds)
        late = found.tally["to_callee_ms"]
        table.add_row(
            each.name,
            f"{options.rate:,}",
            f"{percentile(late, 50):.2f} ms",
            f"{percentile(late, 99):.2f} ms",
            f"{found.tally['failed']:,}",
        )
    CONSOLE.print(table)


def group(options: argparse.Namespace, ours: Registrar, _: Sequence[Registrar]) -> None:
    """One call after another, each to all members, when the members who lost the one before have rested."""
    found = run(ours, rate=_GROUP_RATE, seconds=options.calls / _GROUP_RATE, dialled="6000")
    late, last = found.tally["to_callee_ms"], [*found.tally["to_last_ms"].values()]
    CONSOLE.print(
        f"{options.calls} calls to a group of {GROUP}: {len(late):,} INVITEs; from the caller's to each "
        f"p50 {percentile(late, 50):.1f} ms, to the last of a call p50 {percentile(last, 50):.1f} ms, "
        f"p90 {percentile(last, 90):.1f} ms, {max(last):.1f} ms at the most; "
        f"{found.cpu_us / 1000:.1f} ms CPU a call, {found.tally['failed']} failed"
    )


def lamps(options: argparse.Namespace, ours: Registrar, _: Sequence[Registrar]) -> None:
    """Each callee is watched by a key, while all are called at a rate that is given."""
    keys = [str(1000 + number) for number in range(PAIRS)]
    found = run(ours, rate=options.rate, seconds=options.seconds, keys=keys)
    lit = found.tally["lit_ms"]
    CONSOLE.print(
        f"{found.tally['begun']:,} calls, {options.rate:,} a second: {len(lit):,} lamps lit after "
        f"p50 {percentile(lit, 50):.1f} ms, p99 {percentile(lit, 99):.1f} ms, {max(lit):.1f} ms at the most; "
        f"{found.tally['failed']:,} failed"
    )


def flat(options: argparse.Namespace, ours: Registrar, _: Sequence[Registrar]) -> None:
    """One load after another, and after each a rest in which the server forgets the last of it."""
    for number in range(1, options.rounds + 1):
        found = run(ours, count=options.count, at_once=options.at_once)
        time.sleep(_REST_S)
        CONSOLE.print(
            f"after {number * options.count:,} calls: {ours.memory() / 2**20:.1f} MiB, "
            f"{found.tally['failed']:,} of these failed"
        )


def held(options: argparse.Namespace, ours: Registrar, _: Sequence[Registrar]) -> None:
    """Calls that stay up."""
    before = ours.memory()
    asked = {
        "port": ours.port, "callers": CALLERS, "callees": CALLEES, "callees_port": ours.phones_port,
        "password": ours.password, "count": options.calls, "at_once": 50, "holds": True,
    }  # fmt: skip
    command = [sys.executable, str(Path(__file__).with_name("call_load.py")), json.dumps(asked)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as load:
        assert load.stdout is not None
        assert load.stdin is not None
        up = json.loads(load.stdout.readline())["up"]
        grown = ours.memory() - before
        load.stdin.write("\n")
        load.stdin.flush()
        load.stdout.read()
    CONSOLE.print(f"{up:,} calls up: {grown / max(1, up) / 1024:.1f} KiB each")


_WITH_KAMAILIO = {"compare": compare, "added": added}
_ALONE = {"group": group, "lamps": lamps, "flat": flat, "held": held}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=[*_WITH_KAMAILIO, *_ALONE])
    parser.add_argument("--count", type=int, default=5_000)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=250)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--calls", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, our_server(Path(place) / "ours") as ours:
        if options.what in _WITH_KAMAILIO:
            with proxy(Path(place) / "kamailio") as peer:
                _WITH_KAMAILIO[options.what](options, ours, [peer])
        else:
            _ALONE[options.what](options, ours, [])


if __name__ == "__main__":
    main()
