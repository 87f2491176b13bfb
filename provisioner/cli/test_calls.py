"""`centralka test-call`: has the living server prove that a number rings as it is configured."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import aclosing, nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop
from rich.status import Status
from rich.table import Table
from rich.text import Text

from provisioner.centrex.errors import BadValue
from provisioner.cli.common import (
    AsJson,
    ConfigFile,
    DataDir,
    JUnitFile,
    Language,
    check_place,
    chosen_data_dir,
    out,
    write_bytes,
)
from provisioner.control.client import ask
from provisioner.control.errors import ServerGone
from provisioner.operations.live_calls import Rings, listed
from provisioner.operations.proofs import Proof, ProvedCall, Rung, plain, proof_of, without_messages
from provisioner.operations.test_calls import MOST_CALLS, MOST_SPEED, USUAL_SPEED
from provisioner.web.call_report.junit import junit
from provisioner.web.call_report.page import page
from provisioner.web.call_report.sentences import scenario_of, sentences_of
from provisioner.web.call_report.words import EN, LANGUAGES
from sip.testcall.scenario import Kind

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
    ] = USUAL_SPEED,
    live: Annotated[
        bool, typer.Option("--live", help="Ring people's own phones, once and at full length; asks first.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ring them without being asked.")] = False,
    report: Annotated[
        Path | None, typer.Option("--report", help="Write a page for people into this HTML file.")
    ] = None,
    language: Annotated[Language, typer.Option(help="Of that page.")] = Language.PL,
    junit_file: JUnitFile = None,
    as_json: AsJson = False,
    messages: Annotated[
        bool, typer.Option("--messages", help="With --json: also every SIP message, without credentials.")
    ] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Call a number with phones of the test, in a copy of the switchboard: nobody's phone rings.

    Exit code 0 only if every call went as is configured.
    """
    for file in (report, junit_file):
        check_place(file)
    wants_messages = report is not None or (as_json and messages)
    question: dict[str, Any] = {
        "number": number, "customer": customer, "calls": calls, "speed": speed, "messages": wants_messages
    }  # fmt: skip
    if live:
        question["live"] = True
        if not yes:
            _confirmed(uvloop.run(_asked(chosen_data_dir(data_dir), question, quiet=True)))
        question["confirmed"] = True
    said = uvloop.run(_asked(chosen_data_dir(data_dir), question, quiet=as_json))
    proof = proof_of(said)
    if report is not None:
        write_bytes(report, page(proof, LANGUAGES[language]).encode())
    if junit_file is not None:
        write_bytes(junit_file, junit(proof))
    if as_json:
        shown = proof if messages else without_messages(proof)
        sys.stdout.write(json.dumps(plain(shown), ensure_ascii=False, indent=2) + "\n")
    else:
        out.print(table(proof.calls))
        for line in conclusion(proof):
            out.print(line, markup=False)
    if not proof.passed:
        raise typer.Exit(1)


def _confirmed(said: dict[str, Any]) -> None:
    """Asks whether these phones are to ring. Ends the command where they aren't, or nobody can be asked."""
    rings = [Rings(**each) for each in said["rings"]]
    typer.echo(f"This rings people's phones, at full length: {listed(rings)}.", err=True)
    if not sys.stdin.isatty():
        raise BadValue("nobody is there to be asked whether they may ring: add --yes")
    typer.confirm("Ring them now?", abort=True, err=True)


async def _asked(data_dir: Path, question: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
    """The proof, as the server says it; what goes on is shown meanwhile where somebody looks."""
    shown = Status("asking the server", console=out) if out.is_terminal and not quiet else None
    done = 0
    with shown or nullcontext():
        async with aclosing(ask(data_dir, "test-call", question)) as answers:
            async for said in answers:
                match said:
                    case {"proof": dict() as proof}:
                        return proof
                    case {"rings": list()}:
                        return dict(said)
                    case {"begun": {"scenario": kind, "calls": count}} if shown is not None:
                        shown.update(f"{done} of {count} calls made; now: {EN.scenarios[Kind(kind)]}")
                    case {"call": _}:
                        done += 1
    raise ServerGone


def table(calls: Iterable[ProvedCall]) -> Table:
    """The calls for people."""
    shown = Table("call", "dialled", "rang, from second to second", "was shown", "answered", "verdict")
    for call in calls:
        seen = dict.fromkeys(f"{each.shown_number} {each.shown_name}".strip() for each in call.rung)
        shown.add_row(
            scenario_of(call, EN),
            Text(call.dialled),
            Text("\n".join(map(_rung, call.rung)) or "nobody"),
            Text("\n".join(seen)),
            Text(call.answered_by or ("nobody" if call.status is None else f"nobody ({call.status})")),
            Text("as configured", style="green") if call.passed else Text("wrong", style="bold red"),
        )
    return shown


def conclusion(proof: Proof) -> Iterator[str]:
    """What is wrong, if anything is, and what is to be made of it all."""
    for call in proof.calls:
        for sentence in sentences_of(call, EN):
            yield f"{scenario_of(call, EN)}: {sentence.text} To blame: {sentence.blames}."
    for sentence in sentences_of(proof, EN):
        yield f"{sentence.text} To blame: {sentence.blames}."
    made = f"{len(proof.calls)} calls"
    made += ", people's phones rang" if proof.live else ""
    made += "" if proof.speed == 1 else f", ring times divided by {proof.speed:g}"
    if proof.passed:
        yield f"{proof.number} rings as configured ({made})."
    else:
        yield f"{proof.number} does not ring as configured ({made})."


def _rung(rung: Rung) -> str:
    who = " ".join(filter(None, (rung.extension or rung.line, rung.name)))
    until = "" if rung.until_s is None else f"{rung.until_s:.1f}"
    return f"{who} {rung.invited_s:.1f}-{until} {_ENDS[rung.ended]}".rstrip()
