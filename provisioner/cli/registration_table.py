"""Registrations as a table."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rich.table import Table
from rich.text import Text

from provisioner.operations.registered import Registration, State

_COLOURS = {State.REACHABLE: "green", State.REGISTERED: "cyan", State.UNREACHABLE: "red"}


def table(rows: Iterable[Registration]) -> Table:
    """The registrations for people."""
    shown = Table(
        *("line", "name", "phone", "calls itself", "state", "contact", "from"),
        *("since (UTC)", "until (UTC)", "heard (UTC)", "ms"),
    )
    for row in rows:
        shown.add_row(
            row.line,
            Text(row.name),
            _listed(row),
            Text(_says(row)),
            Text(_stands(row), style=_COLOURS.get(row.state, "dim")),
            Text(row.contact or ""),
            f"{row.transport} {row.source}" if row.source else "",
            _short(row.since),
            _short(row.until if row.is_live else row.ended_at),
            _short(row.heard_at),
            str(row.rtt_ms) if row.rtt_ms is not None and row.state is State.REACHABLE else "",
        )
    return shown


def _listed(row: Registration) -> str:
    """The phone that is known to hold the line, or has it."""
    return f"{row.device.mac} {row.device.model}" if row.device is not None else ""


def _says(row: Registration) -> str:
    """Model and firmware, or all that something else says of itself."""
    return " ".join(filter(None, (row.model, row.firmware))) or row.user_agent or ""


def _short(at: datetime | None) -> str:
    return f"{at:%m-%d %H:%M:%S}" if at is not None else ""


def _stands(row: Registration) -> str:
    """The state, and what the phone says otherwise than it is listed."""
    others = ", ".join(row.differences)
    return f"{row.state}, other {others}" if others else row.state
