"""`centralka test-call`: has the living server prove that a number rings as it is configured."""

from __future__ import annotations

import json
import sys
from contextlib import aclosing, nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop
from rich.status import Status
from rich.table import Table
from rich.text import Text

from provisioner.cli.common import AsJson, ConfigFile, DataDir, chosen_data_dir, out
from provisioner.control.client import ask
from provisioner.operations.test_calls import MOST_CALLS, MOST_SPEED

SCENARIOS = {
    "first-answers": "all would answer",
    "race": "all answer at once",
    "last-answers": "only the last one answers",
    "no-answer": "nobody answers",
    "busy": "the first one is busy",
    "declined": "the first one turns it down",
    "unregistered": "the first one is not registered",
    "caller-gives-up": "the caller gives up",
    "hidden": "the caller hides his number",
    "short-number": "by the short number",
}
_ENDS = {"answered": "answered", "refused": "refused", "stopped": "", None: "rings on"}


def prove(
    number: Annotated[str, typer.Argument(help="Extension, hunt group or short number.")],
    customer: Annotated[str, typer.Option("--customer", help="Login of the customer whose number it is.")],
    calls: Annotated[
        int | None,
        typer.Option(min=1, max=MOST_CALLS, help="Make so many plain calls, instead of one of each kind."),
    ] = None,
    speed: Annotated[
        float, typer.Option(min=1, max=MOST_SPEED, help="Divide ring times and delays by this.")
    ] = 1.0,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Call a number with phones of the test, in a copy of the switchboard: nobody's phone rings.

    Exit code 0 only if every call went as is configured.
    """
    question = {"number": number, "customer": customer, "calls": calls, "speed": speed}
    told = uvloop.run(_asked(chosen_data_dir(data_dir), question, quiet=as_json))
    made = [each["call"] for each in told if "call" in each]
    passed = bool(made) and any(each.get("passed") for each in told)
    if as_json:
        said = {"customer": customer, "number": number, "speed": speed, "passed": passed, "calls": made}
        sys.stdout.write(json.dumps(said, ensure_ascii=False, indent=2) + "\n")
    else:
        out.print(table(made))
        _print_findings(made)
        failed = sum(not each["passed"] for each in made)
        out.print(
            f"{number} rings as configured ({len(made)} calls)."
            if passed
            else f"{number} does not ring as configured: {failed} of {len(made)} calls went wrong.",
            markup=False,
        )
    if not passed:
        raise typer.Exit(1)


async def _asked(data_dir: Path, question: dict[str, Any], *, quiet: bool) -> list[dict[str, Any]]:
    """All that the server says; what goes on is shown meanwhile where somebody looks."""
    told: list[dict[str, Any]] = []
    shown = Status("asking the server", console=out) if out.is_terminal and not quiet else None
    with shown or nullcontext():
        async with aclosing(ask(data_dir, "test-call", question)) as answers:
            async for said in answers:
                told.append(said)
                if shown is not None and (begun := said.get("begun")) is not None:
                    kind = SCENARIOS.get(begun["scenario"], begun["scenario"])
                    shown.update(f"call {begun['number']} of {begun['calls']}: {kind}")
    return told


def table(calls: list[dict[str, Any]]) -> Table:
    """The calls for people."""
    shown = Table("call", "dialled", "rang, from second to second", "saw", "answered", "verdict")
    for call in calls:
        rung = [_rung(each) for each in call["rung"]]
        seen = dict.fromkeys(" ".join(filter(None, _displayed(each))) or "nobody" for each in call["rung"])
        shown.add_row(
            SCENARIOS.get(call["scenario"], call["scenario"]),
            Text(call["dialled"]),
            Text("\n".join(rung) or "nobody"),
            Text("\n".join(seen)),
            Text(call["answered_by"] or (f"nobody ({call['status']})" if call["status"] else "nobody")),
            Text("as configured", style="green") if call["passed"] else Text("wrong", style="bold red"),
        )
    return shown


def _displayed(rung: dict[str, Any]) -> tuple[str, str]:
    return rung["shown_number"], rung["shown_name"]


def _rung(rung: dict[str, Any]) -> str:
    who = " ".join(filter(None, (rung["extension"] or rung["line"], rung["name"])))
    until = "" if rung["until_s"] is None else f"{rung['until_s']:.1f}"
    return f"{who} {rung['invited_s']:.1f}-{until} {_ENDS.get(rung['ended'], rung['ended'])}".rstrip()


def _print_findings(calls: list[dict[str, Any]]) -> None:
    for call in calls:
        for each in call["findings"]:
            out.print(f"{SCENARIOS.get(call['scenario'], call['scenario'])}: {_finding(each)}", markup=False)


def _finding(said: dict[str, Any]) -> str:
    parts = [said["code"]]
    parts += [f"phone {said['phone']}"] if said["phone"] else []
    parts += [f"expected {said['expected']}"] if said["expected"] else []
    parts += [f"seen {said['seen']}"] if said["seen"] else []
    return ", ".join(parts)
