"""What users changed on one phone, put on the phone that replaces it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import uploads as queries
from db.schema import DeviceRow
from phone_templates import cfg
from phone_templates.catalogue import Generation
from phone_templates.values import CLEARED
from phone_templates.yealink.backups import Backup
from phone_templates.yealink.carry import LeftBehind, carry
from phone_templates.yealink.models import Model, find_model
from provisioner.centrex.actor import Actor
from provisioner.centrex.errors import Conflict, NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.operations import audit
from provisioner.operations.context import customer_of
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.uploads import add_version, content_of, listed
from provisioner.phones.levels import effective_options, levels_of

_BOOKS = (Backup.CONTACTS, Backup.CALL_LOG)
"What is carried whole."


@dataclass(frozen=True, slots=True)
class CarriedFile:
    """A file that the new phone has a new version of."""

    kind: str
    version: int | None
    "None in a dry run, and where it is what the new phone has already."


@dataclass(frozen=True, slots=True)
class CarriedOver:
    """What became of the changes of the old phone."""

    settings: tuple[str, ...]
    "Names, as the new phone spells them."
    respelled: tuple[tuple[str, str], ...]
    "Old and new names of those that are called otherwise there."
    left: tuple[LeftBehind, ...]
    "What does not carry over, and why."
    files: tuple[CarriedFile, ...]
    notes: tuple[str, ...]
    "What has to be done besides."


@dataclass(frozen=True, slots=True)
class _Phone:
    row: DeviceRow
    mac: MacAddress
    model: Model
    generation: Generation


async def carry_over(
    installation: Installation, old: MacAddress, new: MacAddress, actor: Actor, *, dry_run: bool = False
) -> CarriedOver:
    """Makes what `old` brought last the newest version of `new`'s own files; `new` fetches them when it asks.

    What users changed on `new` before stays where the old phone says nothing of it. Raises `NotFound`, and
    `Conflict` for phones of two customers, or a new phone that fetches no such files.
    """
    now = utc_now()
    async with installation.database.change() as session:
        before, after = await _phone(session, old), await _phone(session, new)
        _check(before, after)
        carried = await _carry(session, installation, before, after, now, dry_run=dry_run)
        if not dry_run:
            summary = f"carry what users changed from {old} to {new}"
            names = [f"{name} is set" for name in carried.settings]
            names += [f"{left.name} stays behind" for left in carried.left]
            await audit.record(
                session,
                actor,
                now,
                "uploads.carry",
                str(new),
                summary,
                customer_id=after.row.customer_id,
                changes=names,
            )
    return carried


async def _phone(session: AsyncSession, mac: MacAddress) -> _Phone:
    row = await listed(session, mac)
    model = find_model(row.model)
    return _Phone(row, mac, model, model.generation(row.firmware_seen))


def _check(before: _Phone, after: _Phone) -> None:
    if before.row.id == after.row.id:
        raise Conflict(f"{before.mac} can't replace itself: name the phone that takes its place")
    if before.row.customer_id != after.row.customer_id:
        raise Conflict(
            f"{before.mac} and {after.mac} belong to different customers: what one's users typed in is not"
            " for the other"
        )
    if not after.generation.prefixes_static:
        raise Conflict(
            f"{after.mac} ({after.model.name}, firmware {after.generation}) fetches no such files: write what"
            " it shall have into the company file"
        )


async def _carry(
    session: AsyncSession,
    installation: Installation,
    before: _Phone,
    after: _Phone,
    now: datetime,
    *,
    dry_run: bool,
) -> CarriedOver:
    files: list[CarriedFile] = []
    left: list[LeftBehind] = []
    settings: tuple[str, ...] = ()
    respelled: tuple[tuple[str, str], ...] = ()
    brought = {
        backup: await _newest(session, installation, before, backup) for backup in (Backup.LOCAL, *_BOOKS)
    }
    if all(text is None for text in brought.values()):
        raise NotFound(
            f"{before.mac} has brought nothing to carry: phones bring it with `phone: {{backups: true}}`"
        )
    texts: dict[Backup, str] = {}
    if (local := brought[Backup.LOCAL]) is not None:
        carried = carry(cfg.parse(local), before.generation, after.model, after.generation)
        own = cfg.parse(await _newest(session, installation, after, Backup.LOCAL) or "")
        merged = {name: value or CLEARED for name, value in own} | dict(carried.settings)
        settings = tuple(name for name, _ in carried.settings)
        respelled = carried.respelled
        left += carried.left
        if settings:
            texts[Backup.LOCAL] = cfg.write(merged.items())
    for backup in _BOOKS:
        text = brought[backup]
        if text is not None and before.model.dect != after.model.dect:
            reason = f"a base station and a desk phone keep their {backup} differently: type it in again"
            left.append(LeftBehind(backup, reason))
        elif text is not None:
            texts[backup] = text
    for backup, text in texts.items():
        row = None
        if not dry_run:
            origin = f"carried from {before.mac}"
            row = await add_version(session, installation, after.row, backup, text, now, origin)
        files.append(CarriedFile(backup, row.number if row else None))
    notes = await _notes(session, installation, after)
    return CarriedOver(settings, respelled, tuple(left), tuple(files), notes)


async def _newest(
    session: AsyncSession, installation: Installation, phone: _Phone, backup: Backup
) -> str | None:
    row = await queries.newest(session, phone.row.id, backup)
    return content_of(installation, row) if row else None


async def _notes(session: AsyncSession, installation: Installation, after: _Phone) -> tuple[str, ...]:
    stored, around = await customer_of(session, installation, after.row.customer_id)
    mine = next(each for each in stored.customer.devices if each.mac == after.mac)
    if effective_options(levels_of(mine, stored.customer, around.vendor)).backups:
        return ()
    return (f"{after.mac} does not ask for these files yet: give it `phone: {{backups: true}}`",)
