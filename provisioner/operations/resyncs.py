"""Telling phones to fetch their files, as far as it is data: who is to be told, why, and what came of it.

Revisions are followed from a position that is kept with what was noted of them, in one transaction, so that
nobody is forgotten however the server ends. Who tells the phones is `provisioner.pbx.resync`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import devices as device_queries
from db.queries import resyncs as queries
from db.schema import ResyncRow
from db.writing import Writer, writer_of
from provisioner.centrex.actor import Actor
from provisioner.centrex.devices import ResyncWindow
from provisioner.centrex.mac import MacAddress
from provisioner.centrex.quiet import QuietHours
from provisioner.operations import audit
from provisioner.operations.context import phones_of
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.missing import no_device
from provisioner.phones.levels import effective_options, levels_of
from provisioner.phones.render import DeviceFile

HEEDS = "sip.notify_reboot_enable = 0"
"What a phone's file says so that a check-sync does not start it anew; without it any may."
PAGE = 100
"Files that are looked at in one transaction."
_KEPT = 50
"Of each phone."
_SHOWN = 5


class Kind(StrEnum):
    """What a phone is to do."""

    RESYNC = "resync"
    REBOOT = "reboot"


class Cause(StrEnum):
    """Why."""

    CHANGE = "change"
    ASKED = "asked"
    "By a person, who waits: it needs no turn and no quiet hour."


@dataclass(frozen=True, slots=True)
class Job:
    """One phone, and what it is to be told."""

    id: int
    "Of its row; newer jobs have higher ones."
    device_id: int
    kind: Kind
    cause: Cause
    asked_at: datetime
    lines: tuple[str, ...] = ()
    "The numbers on its accounts, in their order, and those by which it is registered still."
    quiet: QuietHours | None = None
    "When it may be told, because it may start anew; None: at any time."
    was_told: bool = False
    "Before this process began."


@dataclass(frozen=True, slots=True)
class Resync:
    """One time that a phone was told, or is to be told, to fetch its files or to start anew."""

    kind: Kind
    cause: Cause
    actor: str
    "Who changed or asked."
    revision: int | None
    "What it is to fetch, of the file that changed."
    asked_at: datetime
    sent_at: datetime | None
    "When it was told last."
    answered_status: int | None
    done_at: datetime | None
    outcome: str | None
    "None: under way."


async def newest_resyncs(session: AsyncSession, device_id: int) -> list[Resync]:
    """The last ones of a device, the latest first."""
    return [
        Resync(
            kind=Kind(row.kind),
            cause=Cause(row.cause),
            actor=row.actor,
            revision=number,
            asked_at=row.asked_at,
            sent_at=row.sent_at,
            answered_status=row.answered_status,
            done_at=row.done_at,
            outcome=row.outcome,
        )
        for row, number in await queries.newest_of(session, device_id, _SHOWN)
    ]


async def ask(installation: Installation, mac: MacAddress, kind: Kind, actor: Actor) -> tuple[Job, bool]:
    """Notes that a person wants a phone told. Raises `NotFound` for a MAC that is not listed.

    Also returns whether the phone may start anew at it, whatever it is told.
    """
    async with installation.database.append() as session:
        device = await device_queries.device_of_mac(session, mac.hex)
        if device is None:
            raise no_device(mac)
        known = await _known(session, installation, [device.id])
        phone = known[device.id].phone
        now = utc_now()
        row = ResyncRow(
            device_id=phone.device_id,
            revision_id=phone.own_revision_id,
            kind=kind,
            cause=Cause.ASKED,
            actor=actor.name,
            asked_at=now,
        )
        await _keep(await writer_of(session), [row], now)
        await audit.record(
            session, actor, now, f"devices.{kind}", str(mac), f"{kind} {mac}", customer_id=phone.customer_id
        )
        return known[device.id].job(row), kind is Kind.REBOOT or not phone.heeds


async def under_way(installation: Installation) -> list[Job]:
    """What an earlier process has not brought to its end."""
    jobs: list[Job] = []
    async with installation.database.read() as session:
        rows = await queries.under_way(session)
        for start in range(0, len(rows), PAGE):
            page = rows[start : start + PAGE]
            known = await _known(session, installation, [row.device_id for row in page])
            jobs += [known[row.device_id].job(row) for row in page]
    return jobs


async def follow(installation: Installation) -> tuple[list[Job], bool]:
    """Notes who is to be told of the next revisions. Returns them, and whether there may be more.

    The first call ever begins behind all that is there: nobody is told of what was before.
    """
    database = installation.database
    before, newest = await queries.how_far(database)
    if before is None:
        async with database.append() as session:
            await queries.begin_following(session, newest)
        return [], False
    if before >= newest:
        return [], False
    async with database.read() as session:
        changed = await queries.changed_files(session, before, newest, PAGE)
        known = await _known(session, installation, {file.device_id for file in changed})
    is_last = len(changed) < PAGE
    up_to = newest if is_last else changed[-1].revision_id
    # Where several processes serve phones, none may fetch the old file when it has been told of the new one.
    await database.confirmed()
    now = utc_now()
    rows = [_row(files, now) for files in _by_device(changed)]

    async def followed(writer: Writer) -> bool:
        if not await queries.follow(writer, before, up_to):
            return False
        await _keep(writer, rows, now)
        return True

    if not await database.appended(followed):
        return [], False
    return [known[row.device_id].job(row) for row in rows], not is_last


async def catch_up(installation: Installation) -> None:
    """Notes who is to be told of all that has changed until now, for `under_way` to find.

    At the end of a start: whatever changes from then on is told, on the first start ever, too.
    """
    is_more = True
    while is_more:
        _, is_more = await follow(installation)


def _by_device(changed: Sequence[queries.Changed]) -> list[list[queries.Changed]]:
    files: dict[int, list[queries.Changed]] = defaultdict(list)
    for each in changed:
        files[each.device_id].append(each)
    return list(files.values())


def _row(files: Sequence[queries.Changed], now: datetime) -> ResyncRow:
    """The row of a phone of which these files have changed: its own file counts, if it is among them."""
    newest = next((file for file in files if file.file == DeviceFile.MAC), files[-1])
    return ResyncRow(
        device_id=newest.device_id,
        revision_id=newest.revision_id,
        kind=Kind.RESYNC,
        cause=Cause.CHANGE,
        actor=newest.actor,
        asked_at=now,
    )


async def _keep(writer: Writer, rows: Sequence[ResyncRow], now: datetime) -> None:
    await queries.add(writer, rows)
    await queries.supersede(writer, rows, now)
    await queries.prune_done(writer, [row.device_id for row in rows], _KEPT)


@dataclass(frozen=True, slots=True)
class _Known:
    """What a job has to know of its phone."""

    phone: queries.Phone
    quiet: QuietHours | None

    def job(self, row: ResyncRow) -> Job:
        return Job(
            id=row.id,
            device_id=row.device_id,
            kind=Kind(row.kind),
            cause=Cause(row.cause),
            asked_at=row.asked_at,
            lines=self.phone.lines,
            quiet=self.quiet if row.cause == Cause.CHANGE else None,
            was_told=row.sent_at is not None,
        )


async def _known(
    session: AsyncSession, installation: Installation, device_ids: Collection[int]
) -> dict[int, _Known]:
    if not device_ids:
        return {}
    found = await queries.phones(session, device_ids, DeviceFile.MAC, HEEDS)
    quiet = await _quiet_hours(session, installation, [phone for phone in found if not phone.heeds])
    return {phone.device_id: _Known(phone, quiet.get(phone.device_id)) for phone in found}


async def _quiet_hours(
    session: AsyncSession, installation: Installation, phones: Sequence[queries.Phone]
) -> dict[int, QuietHours]:
    """When each of these phones may be disturbed, as the options of their levels say."""
    by_customer: dict[int, dict[MacAddress, int]] = defaultdict(dict)
    for phone in phones:
        by_customer[phone.customer_id][MacAddress(phone.mac)] = phone.device_id
    hours: dict[int, QuietHours] = {}
    for customer_id, macs in by_customer.items():
        stored, around = await phones_of(session, installation, customer_id, macs.keys())
        customer = stored.customer
        for device in customer.devices:
            if device.mac in macs:
                options = effective_options(levels_of(device, customer, around.vendor))
                window = options.resync or ResyncWindow()
                hours[macs[device.mac]] = QuietHours(window, options.time_zone or customer.time_zone)
    return hours
