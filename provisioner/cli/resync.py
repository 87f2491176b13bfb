"""`centralka devices resync`: asks the living server to tell one phone, and shows how that goes."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer
import uvloop
from rich.table import Table
from rich.text import Text

from provisioner.centrex.errors import CentralkaError
from provisioner.centrex.mac import MacAddress
from provisioner.cli.common import AsJson, ConfigFile, DataDir, Mac, chosen_data_dir, moment, out
from provisioner.control.client import ask
from provisioner.operations.resyncs import Resync

_OUTCOMES = {
    "unregistered": "it never registered: look at its network, then repeat this",
    "refused": "it does not do this when it is told: restart it by hand",
    "timeout": "it was told and did not fetch: `centralka devices show` has what it asked; or restart it",
    "superseded": "somebody else has asked for the same meanwhile: look there",
}
_WAITS = {
    "not-registered": "not registered: it is told when it registers",
    "quiet-hours": "it is told in quiet hours",
    "in-call": "it is told when its call is over",
}


class NotDone(CentralkaError):
    """The phone did not do what it was told."""

    code = "not-done"


def devices_resync(
    mac: Mac,
    reboot: Annotated[bool, typer.Option("--reboot", help="Restart it; it fetches its files then.")] = False,
    wait: Annotated[int, typer.Option(min=1, help="Seconds to watch; the server goes on without us.")] = 900,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Make one phone fetch its files, and watch it do so. With --json a line for each step."""
    question = {"mac": str(MacAddress.parse(mac)), "kind": "reboot" if reboot else "resync"}

    async def run() -> str | None:
        outcome: str | None = None
        async with asyncio.timeout(wait):
            async for step in ask(chosen_data_dir(data_dir), "resync", question):
                if as_json:
                    sys.stdout.write(json.dumps(step) + "\n")
                else:
                    out.print(_in_words(step), markup=False)
                sys.stdout.flush()
                outcome = step.get("outcome")
        return outcome

    try:
        outcome = uvloop.run(run())
    except TimeoutError:
        raise NotDone(
            f"{mac} has not fetched after {wait} s; the server goes on, and `centralka devices show` shows it"
        ) from None
    if outcome != "fetched":
        raise NotDone(f"{mac}: {_OUTCOMES.get(outcome or '', 'nobody knows what came of it')}")


def table(resyncs: Iterable[Resync]) -> Table:
    """What a phone was told, for people."""
    shown = Table("asked", "by", "to", "revision", "told", "answered", "came of it")
    for each in resyncs:
        shown.add_row(
            moment(each.asked_at),
            Text(each.actor),
            each.kind,
            str(each.revision or ""),
            moment(each.sent_at),
            str(each.answered_status or ""),
            each.outcome or "under way",
        )
    return shown


def _in_words(step: Mapping[str, Any]) -> str:
    match step:
        case {"step": "asked", "may_reboot": True}:
            return "asked; the phone may start anew"
        case {"step": "asked"}:
            return "asked"
        case {"step": "waits", "why": why}:
            return _WAITS.get(why, str(why))
        case {"step": "told", "attempt": attempt, "contact": contact}:
            return f"told at {contact}" + (f" (attempt {attempt})" if attempt > 1 else "")
        case {"step": "answered", "status": status}:
            return f"answered {status}"
        case {"step": "done", "outcome": "fetched", "revision": revision}:
            return f"fetched revision {revision}"
        case {"step": "done", "outcome": outcome}:
            return str(outcome)
    return json.dumps(step)
