"""`centralka registrations --watch`: what the living server tells, as it happens."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import uvloop
from pydantic import TypeAdapter
from rich.console import Group
from rich.live import Live
from rich.text import Text

from provisioner.cli.common import out
from provisioner.cli.registration_table import table
from provisioner.control.client import ask
from provisioner.operations.registered import Registration
from provisioner.operations.registration_watch import Turn
from provisioner.operations.registrations import Wanted

_REGISTRATION = TypeAdapter(Registration)
_AROUND = 6
"Lines of a terminal that rows can't have."


def run(data_dir: Path, wanted: Wanted, as_json: bool) -> None:
    """Shows it until Ctrl-C. Raises `NoServer`, `ServerGone`, `Refused`."""
    question = {
        "customer": wanted.customer,
        "line": wanted.line,
        "mac": str(wanted.mac) if wanted.mac else None,
        "states": sorted(wanted.states),
    }
    try:
        uvloop.run(_lines(data_dir, question) if as_json else _table(data_dir, question))
    except KeyboardInterrupt:
        return


async def _lines(data_dir: Path, question: Mapping[str, Any]) -> None:
    """A line of JSON for each change."""
    async with aclosing(ask(data_dir, "registrations", question)) as told:
        async for said in told:
            for step in said["steps"]:
                sys.stdout.write(json.dumps(step, ensure_ascii=False) + "\n")
            # Whoever reads a pipe wants it now.
            sys.stdout.flush()


async def _table(data_dir: Path, question: Mapping[str, Any]) -> None:
    """A table that changes; what has changed last stands on top."""
    rows: dict[str, Registration] = {}
    async with aclosing(ask(data_dir, "registrations", question)) as told:
        with Live(console=out, screen=out.is_terminal, auto_refresh=False) as screen:
            async for said in told:
                for step in said["steps"]:
                    if step["turn"] != Turn.REFRESHED:
                        rows.pop(step["key"], None)
                    if step["turn"] != Turn.GONE:
                        rows[step["key"]] = _REGISTRATION.validate_python(step["registration"])
                screen.update(_shown(list(rows.values())), refresh=True)


def _shown(rows: list[Registration]) -> Group:
    most = max(1, out.height - _AROUND) if out.is_terminal else len(rows)
    return Group(table(rows[::-1][:most]), Text(f"{len(rows)} registrations. Ctrl-C ends."))
