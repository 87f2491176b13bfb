"""Rows of a line as the domain has it, and back."""

from __future__ import annotations

from dataclasses import fields

from db.schema import ForwardingRow, LineRow
from provisioner.centrex.customer import Forwarding, Forwardings, Line


def line_of(row: LineRow) -> Line:
    """The line with all that it does with its calls."""
    forwardings = {each.kind: Forwarding(each.target, each.enabled, each.after_s) for each in row.forwardings}
    return Line(
        number=row.number,
        product=row.product.name,
        site=row.site.name if row.site else None,
        forwarding=Forwardings(**forwardings),
        dnd=row.dnd,
        call_waiting=row.call_waiting,
    )


def set_services(row: LineRow, line: Line) -> None:
    """Writes what the line does with its calls."""
    row.dnd = line.dnd
    row.call_waiting = line.call_waiting
    there = {each.kind: each for each in row.forwardings}
    for field in fields(Forwardings):
        said: Forwarding | None = getattr(line.forwarding, field.name)
        kept = there.get(field.name)
        if said is None:
            if kept is not None:
                row.forwardings.remove(kept)
            continue
        if kept is None:
            kept = ForwardingRow(kind=field.name)
            row.forwardings.append(kept)
        kept.target, kept.enabled, kept.after_s = said.to, said.enabled, said.after
