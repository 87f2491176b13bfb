"""Who is registered, from where, with what, until when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from provisioner.centrex.mac import MacAddress
from provisioner.cli.common import AsJson, ConfigFile, DataDir, moment, out, print_json, with_installation
from provisioner.operations.installation import Installation
from provisioner.operations.registered import LIVE, Registration, State
from provisioner.operations.registrations import Wanted, list_registrations

_COLOURS = {State.REACHABLE: "green", State.REGISTERED: "cyan", State.UNREACHABLE: "red"}


def registrations(
    customer: Annotated[str | None, typer.Option("--customer", help="One customer's only.")] = None,
    line: Annotated[str | None, typer.Option("--line", help="One line's only.")] = None,
    mac: Annotated[str | None, typer.Option("--mac", help="One phone's only, in any spelling.")] = None,
    everyone: Annotated[
        bool, typer.Option("--all", help="Lines and phones that are not registered, too.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Who is registered, from where, with what, until when."""
    wanted = Wanted(
        customer=customer,
        line=line,
        mac=MacAddress.parse(mac) if mac else None,
        states=frozenset() if everyone else LIVE,
    )
    rows = with_installation(data_dir, config, lambda installation: _all(installation, wanted))
    if as_json:
        print_json(rows)
        return
    out.print(table(rows) if rows else "Nobody is registered.")


async def _all(installation: Installation, wanted: Wanted) -> list[Registration]:
    rows: list[Registration] = []
    after: str | None = ""
    while after is not None:
        page = await list_registrations(installation, wanted, after)
        rows += page.rows
        after = page.next
    return rows


def table(rows: Iterable[Registration]) -> Table:
    """The registrations for people."""
    shown = Table(
        *("line", "name", "phone", "model", "firmware", "state", "contact", "by", "from"),
        *("since", "until", "heard", "ms"),
    )
    for row in rows:
        device = row.device
        shown.add_row(
            row.line,
            Text(row.name),
            device.mac if device else "",
            Text(row.model or (device.model if device else row.user_agent or "")),
            Text(row.firmware or ""),
            Text(_said(row), style=_COLOURS.get(row.state, "dim")),
            Text(row.contact or ""),
            row.transport or "",
            row.source or "",
            moment(row.since),
            moment(row.until if row.is_live else row.ended_at),
            moment(row.heard_at),
            "" if row.rtt_ms is None else str(row.rtt_ms),
        )
    return shown


def _said(row: Registration) -> str:
    """The state, and what the phone says otherwise than it is listed."""
    others = ", ".join(row.differences)
    return f"{row.state}, other {others}" if others else row.state
