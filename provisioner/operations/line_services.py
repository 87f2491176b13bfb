"""What a line does with its calls, changed by itself, as codes do: no file of a phone is another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from db.changes import touch
from db.queries import line_services as queries
from db.schema import LineRow
from provisioner.centrex.actor import Actor
from provisioner.centrex.codes import Case
from provisioner.centrex.customer import FeatureCodes, Line
from provisioner.centrex.errors import BadValue
from provisioner.centrex.numbering import leads_nowhere
from provisioner.centrex.plan import line_differences
from provisioner.centrex.services import forwarded
from provisioner.operations import audit
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.missing import no_line
from provisioner.store.lines import line_of, set_services


async def set_forwarding(
    installation: Installation, number: str, case: Case, to: str | None, actor: Actor, *, enabled: bool
) -> None:
    """Forwards the calls of a line, or doesn't. `to`: None leaves the number that was there.

    Raises `BadValue` where there is none, and for one that no call may be forwarded to.
    """
    if to is not None:
        await _check_target(installation, number, to)

    await _change(
        installation, number, lambda line: forwarded(line, case, to, enabled=enabled), actor, "forward"
    )


async def set_dnd(installation: Installation, number: str, actor: Actor, *, dnd: bool) -> None:
    """Says that a line is not to be disturbed, or that it is. Raises `BadValue`."""
    await _change(installation, number, lambda line: replace(line, dnd=dnd), actor, "dnd")


async def set_logged_in(
    installation: Installation, number: str, group: str | None, actor: Actor, *, logged_in: bool
) -> None:
    """Logs the extensions of a line in to their groups, or out of them; `group`: of this one alone.

    Raises `BadValue` where they are no members.
    """
    async with installation.database.change() as session:
        row = await _line(session, number)
        members = await queries.members_of_line(session, row.id, group)
        if not members:
            where = "any hunt group" if group is None else f"hunt group {group}"
            raise BadValue(f"line {number} is no member of {where}: add it there first")
        changes = []
        for member, of_group, extension in members:
            if member.logged_in is not logged_in:
                member.logged_in = logged_in
                changes.append(f"hunt group {of_group}: {extension} logged {'in' if logged_in else 'out'}")
        await _record(session, row, actor, "log-in" if logged_in else "log-out", changes)


async def _check_target(installation: Installation, number: str, to: str) -> None:
    async with installation.database.read() as session:
        codes = FeatureCodes(**await queries.codes_of_line(session, number))
    fault = leads_nowhere(to, codes, installation.settings.numbering.emergency_numbers)
    if fault is not None:
        raise BadValue(f"calls can't be forwarded to {to}: {fault}")


async def _change(
    installation: Installation, number: str, change: Callable[[Line], Line], actor: Actor, verb: str
) -> None:
    async with installation.database.change() as session:
        row = await _line(session, number)
        old = line_of(row)
        new = change(old)
        set_services(row, new)
        await _record(session, row, actor, verb, [str(each) for each in line_differences(old, new)])


async def _line(session: AsyncSession, number: str) -> LineRow:
    row = await queries.line_with_services(session, number)
    if row is None:
        raise no_line(number)
    return row


async def _record(
    session: AsyncSession, row: LineRow, actor: Actor, verb: str, changes: Sequence[str]
) -> None:
    if not changes:
        return
    summary = f"{verb} of line {row.number}"
    await audit.record(
        session,
        actor,
        utc_now(),
        verb,
        row.number,
        summary,
        customer_id=row.customer_id,
        changes=changes,
    )
    touch(session, f"services:{row.customer_id}:{row.number}")
