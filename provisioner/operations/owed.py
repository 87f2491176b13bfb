"""Files that a change owes: those of many phones are written some at a time, and nobody waits for them long.

A change of data is one transaction. Where it reaches more phones than fit into one slice, their files are not
written in it: the customer is owed them, by a row that is kept with the change. A slice is worked out on a
moment of the database, beside everybody else; then, in a transaction of a few milliseconds, it is written,
unless anything that it was worked out from has been touched since. The change is acknowledged when nothing
is owed any more. Who dies on the way leaves the row, and the next change of the customer, or the start of
`serve`, goes on from there: forward, never back.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from db import changes
from db.errors import DatabaseUnavailable
from db.queries import owed as queries
from db.queries import rollouts
from db.queries.alarms import give_way
from db.saving import Unsaved, save, unsaved
from db.schema import AlarmRow, OwedFilesRow
from db.writing import Writer, writer_of
from phone_templates.errors import PhoneTemplatesError
from provisioner.centrex.actor import Actor, Role
from provisioner.centrex.customer import Extension
from provisioner.centrex.devices import Device
from provisioner.centrex.errors import CentralkaError
from provisioner.centrex.mac import MacAddress
from provisioner.operations.alarms import AlarmKind
from provisioner.operations.context import phones_of
from provisioner.operations.dry_run import changing
from provisioner.operations.installation import Installation
from provisioner.operations.revisions import (
    Cause,
    DeviceTexts,
    FileChange,
    revise_devices,
    revise_own_files,
)
from provisioner.operations.staging import keep_if_staged
from provisioner.phones.describe import Surroundings
from provisioner.phones.render import device_files
from provisioner.store.customers import Stored

T = TypeVar("T")

SLICE = 5
"Phones whose files are written in one transaction."
PAUSE_S = 0.01
"Between two slices: who waits for a SQLite file looks again only after some milliseconds, and would starve."
_AHEAD = 2_000
"MACs that are read at once: to find the next ones is to look through all phones of the customer."


@dataclass(slots=True)
class _Ahead:
    """The phones of one customer whose files come next."""

    debt_id: int = 0
    macs: Sequence[str] = ()
    "In their order."
    is_all: bool = False
    "None come after these."

    async def after(self, moment: AsyncSession, debt: OwedFilesRow) -> Sequence[str]:
        """The next slice of what is owed: fewer where it is the last. Who is listed meanwhile is not owed."""
        at = bisect_right(self.macs, debt.after_mac)
        # Another debt begins anew, and owes those, too, that were listed before it.
        if debt.id != self.debt_id or (len(self.macs) - at < SLICE and not self.is_all):
            self.debt_id, at = debt.id, 0
            self.macs = await queries.macs_after(moment, debt.customer_id, debt.after_mac, _AHEAD)
            self.is_all = len(self.macs) < _AHEAD
        return self.macs[at : at + SLICE]


@dataclass(frozen=True, slots=True)
class Draft:
    """The rows of some phones' files, worked out on a moment of the database and not written."""

    seen: int
    "The last change that it knows of."
    rows: Unsaved
    files: tuple[FileChange, ...]
    cant_be_written: frozenset[int]
    "Phones that keep their old files; among the rows there is an alarm about each."
    touches: frozenset[str]
    "The scopes of these files."
    depends_on: frozenset[str]
    "The scopes that spoil it when they are touched."


async def owe(session: AsyncSession, customer_ids: Collection[int], cause: Cause) -> None:
    """All files of these customers, inside the change that calls for them. None of them is owed any."""
    await queries.owe(
        session,
        customer_ids,
        at=cause.at,
        actor=cause.actor.name,
        role=cause.actor.role,
        cause=cause.text,
        audit_id=cause.audit_id,
    )


async def settle(
    installation: Installation, logins: Collection[str] | None = None
) -> dict[str, list[FileChange]]:
    """Writes all files that these customers are owed, or all are. Returns those that it wrote, by login.

    Two may do it at once: each slice is written by one of them. A phone whose files can't be written any more
    keeps those that it has, and an alarm says why. Raises `DatabaseUnavailable`: the rest stays owed.
    """
    async with installation.database.read() as session:
        owing = await queries.owing(session, logins)
    written: dict[str, list[FileChange]] = {}
    for customer_id, login in owing:
        written[login] = []
        ahead = _Ahead()
        try:
            while (files := await _slice(installation, customer_id, ahead)) is not None:
                written[login] += files
                await asyncio.sleep(PAUSE_S)
        except DatabaseUnavailable as error:
            raise DatabaseUnavailable(
                f"what was changed of {login} is kept, but not all of its phones have it yet: {error}; repeat"
                " the command, or start the server, to go on"
            ) from error
    if owing:
        await installation.database.confirmed()
    return written


async def undisturbed(
    installation: Installation,
    logins: Collection[str] | None,
    work: Callable[[AsyncSession], Awaitable[T]],
    *,
    dry_run: bool = False,
) -> T:
    """Does `work` in one transaction, when these customers, or all, are owed nothing any more.

    A dry run settles, too: what is owed comes from changes that were made.
    """
    while True:
        await settle(installation, logins)
        async with changing(installation, dry_run=dry_run) as session:
            if not await queries.owing(session, logins):
                return await work(session)


async def _slice(
    installation: Installation, customer_id: int, ahead: _Ahead
) -> tuple[FileChange, ...] | None:
    """Writes the customer's next files. Returns those that it wrote; None: nothing is owed."""
    async with installation.database.read() as moment:
        seen = await changes.newest(moment)
        debt = await queries.owed(moment, customer_id)
        if debt is None:
            return None
        macs = await ahead.after(moment, debt)
        is_last = len(macs) < SLICE
        rollout = await rollouts.open_rollout(moment, customer_id)
        opening = rollout.id if rollout is not None and rollout.phones_below is not None else None
        cause = Cause(Actor(debt.actor, Role(debt.role)), debt.cause, debt.at, debt.audit_id)
        draft = await drafted(moment, installation, seen, customer_id, macs, cause, own_files=is_last)

    async def written(writer: Writer) -> bool:
        if await is_spoilt(writer, draft):
            return False
        if not await queries.come_to(writer, debt, macs[-1] if macs else debt.after_mac):
            return False
        await write(writer, draft)
        if is_last:
            await queries.settled(writer, debt)
        return True

    if not is_last or opening is None:
        return draft.files if await installation.database.changed(written, draft.touches) else ()
    async with installation.database.change(confirm=False) as session:
        if not await written(await writer_of(session)):
            return ()
        for scope in draft.touches:
            changes.touch(session, scope)
        await queries.all_phones_joined(session, opening)
        await keep_if_staged(session, opening, debt.at)
    return draft.files


async def drafted(
    moment: AsyncSession,
    installation: Installation,
    seen: int,
    customer_id: int,
    macs: Collection[str],
    cause: Cause,
    *,
    own_files: bool = False,
    first: Callable[[], Awaitable[None]] | None = None,
) -> Draft:
    """Works out the files of these phones, and with `own_files` those that they share.

    `seen` is the newest change that the moment, a read, knows of, asked before anything else. `first` may
    change rows that these files depend on. The session lets all rows go.
    """
    stored, around = await phones_of(moment, installation, customer_id, {MacAddress(mac) for mac in macs})
    if first is not None:
        await first()
    texts, problems = await _texts(stored, around)
    files = await revise_devices(moment, stored, around, cause, texts)
    if own_files:
        people = await queries.extensions(moment, customer_id)
        extensions = tuple(Extension(number, None, name, said) for number, name, said in people)
        whole = replace(stored, customer=replace(stored.customer, extensions=extensions))
        files += await revise_own_files(moment, whole, cause)
    ids = {row.mac: row.id for row in stored.row.devices}
    for device, error in problems:
        moment.add(_alarm(device, ids[device.mac.hex], customer_id, error, cause))
    scopes = frozenset(f"device:{each}" for each in ids.values())
    return Draft(
        seen=seen,
        rows=unsaved(moment),
        files=tuple(files),
        cant_be_written=frozenset(ids[device.mac.hex] for device, _ in problems),
        # What `first` has changed spoils the drafts of others, also where no bytes differ.
        touches=changes.taken(moment) | (scopes if first is not None else frozenset()),
        depends_on=scopes | {changes.ALL, f"customer:{customer_id}"},
    )


async def is_spoilt(writer: Writer, draft: Draft) -> bool:
    """Whether others have touched what the draft depends on: asked inside the change that writes it."""
    return bool(draft.depends_on & await changes.touched_since(writer, draft.seen))


async def write(writer: Writer, draft: Draft) -> None:
    """Writes what was drafted, inside a change that has touched what it touches."""
    await give_way(writer, AlarmKind.FILES, draft.cant_be_written)
    await save(writer, draft.rows)


async def _texts(
    stored: Stored, around: Surroundings
) -> tuple[Mapping[MacAddress, DeviceTexts | None], list[tuple[Device, Exception]]]:
    """The files of the phones; of those whose files can't be written none, and why."""
    texts: dict[MacAddress, DeviceTexts | None] = {}
    problems: list[tuple[Device, Exception]] = []
    for device in stored.customer.devices:
        try:
            texts[device.mac] = device_files(device, stored.customer, around)
        except (CentralkaError, PhoneTemplatesError, ValueError) as error:
            texts[device.mac] = None
            problems.append((device, error))
        # A server goes on answering in between.
        await asyncio.sleep(0)
    return texts, problems


def _alarm(device: Device, device_id: int, customer_id: int, error: Exception, cause: Cause) -> AlarmRow:
    return AlarmRow(
        device_id=device_id,
        customer_id=customer_id,
        kind=AlarmKind.FILES,
        text=f"the files of {device.mac} can't be written, it keeps the old ones: {error}",
        source=None,
        at=cause.at,
    )
