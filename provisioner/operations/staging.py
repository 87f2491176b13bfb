"""Opening and closing a rollout inside the change that stages, releases or takes back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import rollouts as queries
from db.schema import RolloutRow
from provisioner.centrex.actor import Actor, Role
from provisioner.centrex.errors import Conflict, Forbidden
from provisioner.operations.revisions import Cause


def check_staff(actor: Actor) -> None:
    """Raises `Forbidden` for who may not decide when phones get a change."""
    if actor.role not in (Role.OPERATOR, Role.TECHNICIAN):
        raise Forbidden("a rollout is led by an operator or a technician: ask one of them")


async def open_rollout(
    session: AsyncSession, login: str, customer_id: int, cause: Cause, below: int | None = None
) -> RolloutRow:
    """Makes every phone that the customer has had so far keep its files until it is released.

    To be done before the files are written anew. With `below` the phones with lower numbers are written
    down one slice after the other, together with their files (`operations.owed`). Raises `Conflict` where a
    rollout is open already.
    """
    check_staff(cause.actor)
    there = await queries.open_rollout(session, customer_id)
    if there is not None:
        raise Conflict(
            f"customer {login} has an open rollout already ({there.cause}, {there.opened_at:%Y-%m-%d %H:%M}"
            " UTC): apply without --staged, and the change waits with it, or end it first with"
            f" `centralka rollout release {login} --all`"
        )
    rollout = RolloutRow(
        customer_id=customer_id,
        opened_at=cause.at,
        actor=cause.actor.name,
        cause=cause.text,
        audit_id=cause.audit_id,
        phones_below=below,
    )
    session.add(rollout)
    await session.flush()
    if below is None:
        await queries.add_phones(session, rollout)
    return rollout


async def close_if_done(session: AsyncSession, rollout_id: int, now: datetime) -> None:
    """Closes a rollout that no phone waits for."""
    if not await queries.anybody_waits(session, rollout_id):
        await queries.set_closed(session, rollout_id, now)


async def keep_if_staged(session: AsyncSession, rollout_id: int, now: datetime) -> None:
    """Forgets a rollout that was just opened and holds nothing back: its change touches no phone."""
    if await queries.anything_staged(session, rollout_id):
        await close_if_done(session, rollout_id, now)
    else:
        await queries.drop(session, rollout_id)
