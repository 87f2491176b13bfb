"""Makes customers what a company file says they are: all of it or nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from functools import partial
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from db.changes import newest
from db.queries import owed as owed_queries
from provisioner.centrex.actor import Actor
from provisioner.centrex.customer import Customer
from provisioner.files.company import CompanyFile
from provisioner.operations.applying import Apply, Foreseen
from provisioner.operations.customer_step import Plan, Step
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.missing import no_customer
from provisioner.operations.owed import SLICE, settle, undisturbed
from provisioner.store.customers import load_customer

_TRIES = 3
"How often a change is foreseen anew that others were faster than; after that it waits with the lock taken."

_S = TypeVar("_S", bound=Step)


async def apply(
    installation: Installation,
    file: CompanyFile,
    actor: Actor,
    *,
    dry_run: bool = False,
    staged: bool = False,
) -> Plan:
    """Makes the customers and levels of the file what it says; a second time changes nothing.

    `staged` opens a rollout of each customer whose phones it would touch: they keep what they have until
    they are released. Where one is open already, what is applied waits with it.

    It returns when no process serves an old file any more. The files of many phones are written after the
    data, some at a time, so that phones which ask meanwhile are not kept waiting (`operations.owed`).

    A dry run does all of it and keeps nothing, so its plan is exact. Raises `CentralkaError`: `FileErrors`
    with places for what does not fit together; then nothing is kept.
    """
    logins = None if file.vendors else [patch.login for patch in file.customers]

    def begun(session: AsyncSession) -> Apply:
        return Apply(installation, session, actor, utc_now(), file, staged, dry_run)

    if not dry_run:
        for _ in range(_TRIES):
            foreseen = await _foreseen(installation, begun, logins)
            if foreseen is None:
                break
            keep = partial(Apply.keep, foreseen=foreseen)
            plan = await _carried_out(installation, logins, begun, keep, dry_run=False)
            if plan is not None:
                return plan
    plan = await _carried_out(installation, logins, begun, Apply.run, dry_run=dry_run)
    assert plan is not None  # noqa: S101 - nothing was foreseen that could be out of date
    return plan


async def change_customer(
    installation: Installation,
    login: str,
    change: Callable[[Customer], Customer],
    actor: Actor,
    verb: str,
    summary: str,
    *,
    dry_run: bool = False,
) -> Plan:
    """Changes one customer by a pure function, with all the checks of `apply`.

    Raises `NotFound` for an unknown login and what `apply` raises, without places.
    """

    async def changed(step: Step) -> Plan:
        stored = await load_customer(step.session, installation.vault, login)
        if stored is None:
            raise no_customer(login)
        changes = await step.save(await step.checked(stored, change(stored.customer), {}))
        if not changes:
            return Plan()
        cause = await step.record(verb, login, summary, changes)
        return step.plan(changes, await step.refresh({login}, cause))

    def begun(session: AsyncSession) -> Step:
        return Step(installation, session, actor, utc_now(), dry_run)

    plan = await _carried_out(installation, [login], begun, changed, dry_run=dry_run)
    assert plan is not None  # noqa: S101 - see `changed`
    return plan


async def _carried_out(
    installation: Installation,
    logins: Collection[str] | None,
    begun: Callable[[AsyncSession], _S],
    work: Callable[[_S], Awaitable[Plan | None]],
    *,
    dry_run: bool,
) -> Plan | None:
    """Does `work` in one transaction, then what it owes."""

    async def done(session: AsyncSession) -> tuple[_S, Plan | None]:
        step = begun(session)
        return step, await work(step)

    step, plan = await undisturbed(installation, logins, done, dry_run=dry_run)
    if plan is None or not step.owed:
        return plan
    written = await settle(installation, step.owed)
    return replace(
        plan,
        files=tuple(file for files in (*written.values(), plan.files) for file in files),
        rollouts=tuple(login for login, files in written.items() if any(file.staged for file in files)),
    )


async def _foreseen(
    installation: Installation, begun: Callable[[AsyncSession], Apply], logins: Collection[str] | None
) -> Foreseen | None:
    """A change of what many phones share, checked beside everybody else; None: it is of another kind."""
    async with installation.database.read() as moment:
        seen = await newest(moment)
        if await owed_queries.count_devices(moment, logins) <= SLICE:
            return None
        return await begun(moment).foresee(seen)
