"""Rollouts: a staged change goes to one phone, then to a site, then to all, and back.

`apply --staged` keeps the new data and opens the rollout. A phone that is not released keeps the files that
it had, with today's secrets; a new phone follows the data. A file that was rolled back by itself stays where
it is held, whatever happens here. The phone book belongs to no phone and follows the data at once.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.changes import newest
from db.queries import rollouts as queries
from db.schema import DeviceRow, RolloutPhoneRow, RolloutRow, SiteRow
from db.writing import Writer
from phone_templates.yealink.models import find_model
from provisioner.centrex.actor import Actor
from provisioner.centrex.errors import Conflict, NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.operations import audit
from provisioner.operations.context import phones_of
from provisioner.operations.customer_step import Plan
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.owed import PAUSE_S, SLICE, Draft, drafted, is_spoilt, undisturbed, write
from provisioner.operations.revisions import Cause, FileChange, refresh_customer
from provisioner.operations.staging import check_staff, close_if_done
from provisioner.operations.visible import customer_seen
from provisioner.phones.render import DeviceFile, device_file_name


@dataclass(frozen=True, slots=True)
class Reach:
    """Which phones a step is for: one, those at a site, or with neither all of the customer."""

    mac: MacAddress | None = None
    site: str | None = None

    def __str__(self) -> str:
        if self.mac is not None:
            return f"phone {self.mac}"
        return f"site {self.site}" if self.site is not None else "all phones"


class _Verb(StrEnum):
    """What a step does."""

    RELEASE = "release"
    BACK = "back"


class Standing(StrEnum):
    """How a phone stands in a rollout."""

    WAITS = "waits"
    "It keeps what it had."
    RELEASED = "released"
    NEW = "new"
    "It was listed after the rollout was opened, and follows the data."


@dataclass(frozen=True, slots=True)
class StagedFile:
    """One file of a phone, by the numbers of its revisions."""

    name: str
    revision: int | None
    "What the phone gets now; None: it has no such file."
    staged: int | None
    "What it gets when it is released, where that differs."
    held: int | None
    "What it was rolled back to by itself and stays at."


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone of the customer."""

    mac: str
    name: str
    site: str | None
    standing: Standing
    since: datetime | None
    "When it was released."
    actor: str | None
    cause: str | None
    "The step that released it or took it back last."
    files: tuple[StagedFile, ...]
    fetched_revision: int | None
    "Of its own file, the last that it got."
    fetched_at: datetime | None
    has_it: bool
    "What it fetched last is what it would get now."


@dataclass(frozen=True, slots=True)
class Rollout:
    """A staged change, and how far it came."""

    customer: str
    cause: str
    actor: str
    opened_at: datetime
    closed_at: datetime | None
    waiting: int
    released: int
    fetched: int
    "Of those that are released: how many have fetched what they should have."
    phones: tuple[Phone, ...]


async def show(installation: Installation, login: str | None = None) -> list[Rollout]:
    """All open rollouts, or the last one of a customer, open or not. Raises `NotFound`."""
    async with installation.database.read() as session:
        if login is not None:
            await customer_seen(session, login, None)
        return [
            await _described(session, rollout, owner)
            for rollout, owner in await queries.shown_rollouts(session, login)
        ]


async def release(
    installation: Installation, login: str, reach: Reach, actor: Actor, *, dry_run: bool = False
) -> Plan:
    """Gives phones what is staged for them; when none waits any more, the rollout is closed.

    Raises `NotFound` for an unknown customer, phone or site, `Conflict` where no rollout is open.
    """
    check_staff(actor)

    async def released(session: AsyncSession) -> Plan | _Move:
        rollout = await queries.newest_rollout(session, await customer_seen(session, login, None))
        if rollout is None or rollout.closed_at is not None:
            raise Conflict(f"customer {login} has no open rollout: every phone follows the data")
        device_ids = await _reached(session, rollout, login, reach)
        move = _Move(rollout, login, device_ids, _Verb.RELEASE)
        return await _step(installation, session, move, reach, actor, dry_run)

    done = await undisturbed(installation, [login], released, dry_run=dry_run)
    return await _in_slices(installation, done) if isinstance(done, _Move) else done


async def take_back(
    installation: Installation, login: str, reach: Reach, actor: Actor, *, dry_run: bool = False
) -> Plan:
    """Gives phones what they had when the customer's last rollout was opened, with today's secrets.

    They wait again, also where the rollout was closed: it is open again then. Raises `NotFound` as `release`
    does, and `Conflict` where a phone can't have what it had.
    """
    check_staff(actor)

    async def taken_back(session: AsyncSession) -> Plan | _Move:
        rollout = await queries.newest_rollout(session, await customer_seen(session, login, None))
        if rollout is None:
            raise Conflict(
                f"customer {login} never had a rollout: `centralka rollback MAC --revision N` takes one phone"
                " back"
            )
        device_ids = await _reached(session, rollout, login, reach)
        move = _Move(rollout, login, device_ids, _Verb.BACK)
        done = await _step(installation, session, move, reach, actor, dry_run)
        if reach.mac is not None and not await queries.is_waiting(session, rollout.id, reach.mac.hex):
            raise Conflict(
                f"what {reach.mac} had names a secret that it has no claim to any more, such as the password"
                " of a line that it lost: it can't go back"
            )
        return done

    done = await undisturbed(installation, [login], taken_back, dry_run=dry_run)
    return await _in_slices(installation, done) if isinstance(done, _Move) else done


@dataclass(frozen=True, slots=True)
class _Move:
    """Phones of a rollout that are released, or taken back."""

    rollout: RolloutRow
    login: str
    device_ids: Select[int]
    "Those that the step is for."
    verb: _Verb
    cause: Cause | None = None
    "What the step is called, when it is recorded."

    async def phones(
        self, session: AsyncSession, after: str = "", limit: int | None = None
    ) -> list[tuple[RolloutPhoneRow, str]]:
        """Those that are still to be moved."""
        waiting = self.verb is _Verb.RELEASE
        return await queries.phones_of(
            session, self.rollout.id, waiting=waiting, device_ids=self.device_ids, after=after, limit=limit
        )

    def mark(self, phones: Iterable[RolloutPhoneRow], cause: Cause) -> None:
        """Notes that they are released, or wait again."""
        for phone in phones:
            phone.released_at = cause.at if self.verb is _Verb.RELEASE else None
            phone.actor, phone.cause, phone.audit_id = cause.actor.name, cause.text, cause.audit_id


async def _step(
    installation: Installation,
    session: AsyncSession,
    move: _Move,
    reach: Reach,
    actor: Actor,
    dry_run: bool,
) -> Plan | _Move:
    """Moves phones and writes their files anew; many are left to `_in_slices`."""
    rollout = move.rollout
    moving = await move.phones(session, limit=None if dry_run else SLICE + 1)
    if not moving:
        if rollout.closed_at is None:
            # Who died between the last phone and this is the only one to leave such a rollout.
            await close_if_done(session, rollout.id, utc_now())
        return Plan()
    text = f"{'release' if move.verb is _Verb.RELEASE else 'take back'} {reach}: {rollout.cause}"
    now = utc_now()
    entry = await audit.record(
        session, actor, now, f"rollout.{move.verb}", move.login, text, customer_id=rollout.customer_id
    )
    cause = Cause(actor, text, now, entry.id)
    await queries.set_closed(session, rollout.id, None)
    if len(moving) > SLICE and not dry_run:
        return replace(move, cause=cause)
    move.mark((phone for phone, _ in moving), cause)
    macs = {MacAddress(mac) for _, mac in moving}
    stored, around = await phones_of(session, installation, rollout.customer_id, macs)
    files = await refresh_customer(session, stored, around, cause, macs)
    await close_if_done(session, rollout.id, now)
    return _plan(move, files)


async def _in_slices(installation: Installation, move: _Move) -> Plan:
    """Moves many phones, some at a time. Who dies on the way has moved some: the same again goes on."""
    database, cause = installation.database, move.cause
    assert cause is not None  # noqa: S101 - set by `_step`, which leaves them to this
    files: list[FileChange] = []
    after = ""
    while True:
        async with database.read() as moment:
            seen = await newest(moment)
            rollout = await queries.open_rollout(moment, move.rollout.customer_id)
            macs = [mac for _, mac in await move.phones(moment, after, SLICE)]
            if not macs:
                break
            if rollout is None or rollout.id != move.rollout.id:
                raise Conflict(f"the rollout of {move.login} was ended meanwhile: look at it, and ask again")

            async def mark(moment: AsyncSession = moment, after: str = after) -> None:
                move.mark((phone for phone, _ in await move.phones(moment, after, SLICE)), cause)

            draft = await drafted(
                moment, installation, seen, move.rollout.customer_id, macs, cause, first=mark
            )

            async def written(writer: Writer, draft: Draft = draft) -> bool:
                if await is_spoilt(writer, draft):
                    return False
                await write(writer, draft)
                return True

        if not await database.changed(written, draft.touches):
            continue
        files += draft.files
        after = macs[-1]
        await asyncio.sleep(PAUSE_S)
    async with database.change(confirm=False) as session:
        await close_if_done(session, move.rollout.id, cause.at)
    await database.confirmed()
    return _plan(move, files)


def _plan(move: _Move, files: Sequence[FileChange]) -> Plan:
    return Plan((), tuple(files), (move.login,) if any(file.staged for file in files) else ())


async def _reached(
    session: AsyncSession, rollout: RolloutRow, login: str, reach: Reach
) -> Select[int]:
    """The devices that a step is for. Raises `NotFound` for what the customer has not."""
    devices = select(DeviceRow.id).where(DeviceRow.customer_id == rollout.customer_id)
    if reach.site is not None:
        sites = select(SiteRow.name, SiteRow.id).where(SiteRow.customer_id == rollout.customer_id)
        there = {row.name: row.id for row in await session.execute(sites)}
        if reach.site not in there:
            known = ", ".join(sorted(there)) or "none"
            raise NotFound(f"customer {login} has no site {reach.site!r}; its sites: {known}")
        return devices.where(DeviceRow.site_id == there[reach.site])
    if reach.mac is not None:
        devices = devices.where(DeviceRow.mac == reach.mac.hex)
        device_id = await session.scalar(devices)
        if device_id is None:
            raise NotFound(
                f"customer {login} has no device {reach.mac}: `centralka devices list` shows whose it is"
            )
        if await session.get(RolloutPhoneRow, (rollout.id, device_id)) is None:
            raise Conflict(f"{reach.mac} came after the rollout was opened: it follows the data")
    return devices


async def _described(session: AsyncSession, rollout: RolloutRow, login: str) -> Rollout:
    files: dict[int, list[queries.FileNumbers]] = defaultdict(list)
    for numbers in await queries.file_numbers(session, customer_id=rollout.customer_id):
        files[numbers.device_id].append(numbers)
    phones = tuple(
        _phone(row, files[row.device_id])
        for row in await queries.phones_with_rollout(session, rollout.customer_id, rollout.id)
    )
    released = [phone for phone in phones if phone.standing is Standing.RELEASED]
    return Rollout(
        customer=login,
        cause=rollout.cause,
        actor=rollout.actor,
        opened_at=rollout.opened_at,
        closed_at=rollout.closed_at,
        waiting=sum(phone.standing is Standing.WAITS for phone in phones),
        released=len(released),
        fetched=sum(phone.has_it for phone in released),
        phones=phones,
    )


def _phone(row: queries.Phone, files: Sequence[queries.FileNumbers]) -> Phone:
    model = find_model(row.model)
    own = next((file for file in files if file.name == DeviceFile.MAC), None)
    if not row.is_of_rollout:
        standing = Standing.NEW
    else:
        standing = Standing.WAITS if row.released_at is None else Standing.RELEASED
    return Phone(
        mac=str(MacAddress(row.mac)),
        name=row.name,
        site=row.site,
        standing=standing,
        since=row.released_at,
        actor=row.actor,
        cause=row.cause,
        files=tuple(
            StagedFile(
                device_file_name(DeviceFile(file.name), row.mac, model), file.current, file.staged, file.held
            )
            for file in files
        ),
        fetched_revision=row.fetched,
        fetched_at=row.fetched_at,
        has_it=own is not None and own.current_id is not None and own.current_id == row.fetched_id,
    )
