"""First contact: how a phone that has nothing but its MAC gets its secrets, and nobody else does.

A MAC is on the box and in every frame; it selects, it never authorises. `claim` opens a window; the first
address that fetches the phone's file has the window, retries included. The first success under the token
that the file names closes it. A second address inside it ends it, and what it may have seen is replaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.changes import touch
from db.queries import devices as queries
from db.schema import AlarmRow, ClaimRow, DeviceAccountRow, DeviceRow, DeviceTokenRow, LineRow
from provisioner.centrex.actor import SYSTEM, Actor
from provisioner.centrex.mac import MacAddress
from provisioner.operations import audit
from provisioner.operations.alarms import AlarmKind, raise_alarms
from provisioner.operations.context import phones_of
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.missing import no_device
from provisioner.operations.revisions import Cause, FileChange, refresh_customer
from provisioner.operations.visible import customer_seen
from provisioner.store.customer_writer import set_line_password
from provisioner.store.device_tokens import new_device_token
from provisioner.store.fresh import fresh_password, fresh_token, token_hash


class EndReason(StrEnum):
    """Why a window ended."""

    USED = "used"
    LAPSED = "lapsed"
    RACED = "raced"
    RELEASED = "released"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Claimed:
    """An opened window."""

    mac: MacAddress
    expires_at: datetime
    files: tuple[FileChange, ...]


async def claim(installation: Installation, mac: MacAddress, actor: Actor) -> Claimed:
    """Opens the window of a device with a new token. Raises `NotFound` for a MAC that is not listed.

    A window that is open already is superseded. The older token lives until the new one is used.
    """
    now = utc_now()
    async with installation.database.change() as session:
        device = await _listed(session, mac)
        await _end_open(session, device, EndReason.SUPERSEDED, now)
        device.released_at = None
        token = await _new_token(session, installation, device, now)
        expires_at = now + timedelta(hours=installation.settings.security.claim_hours)
        session.add(
            ClaimRow(device_id=device.id, opened_at=now, expires_at=expires_at, token_version=token.version)
        )
        files = await _changed(session, installation, device, actor, now, "devices.claim", f"claim {mac}")
    return Claimed(mac, expires_at, tuple(files))


async def claim_new(installation: Installation, login: str, actor: Actor) -> int:
    """Opens the windows of all devices of a customer that were never claimed; returns how many there are.

    Nobody has seen the token that their files name since they were listed, so they need no new one, and no
    new file. Raises `NotFound` for a customer that is not there.
    """
    now = utc_now()
    expires_at = now + timedelta(hours=installation.settings.security.claim_hours)
    async with installation.database.change() as session:
        customer_id = await customer_seen(session, login, None)
        found = await queries.never_claimed(session, customer_id)
        for device_id, version in found:
            session.add(
                ClaimRow(device_id=device_id, opened_at=now, expires_at=expires_at, token_version=version)
            )
            touch(session, f"device:{device_id}")
        summary = f"claim {len(found)} devices that were never claimed"
        await audit.record(session, actor, now, "devices.claim", login, summary, customer_id=customer_id)
    return len(found)


async def release(installation: Installation, mac: MacAddress, actor: Actor) -> tuple[FileChange, ...]:
    """Revokes every token of a device and closes its window. Raises `NotFound` for a MAC that is not listed.

    Its files stay what they were but for the token, which nobody has; the SIP password is as it was.
    """
    now = utc_now()
    async with installation.database.change() as session:
        device = await _listed(session, mac)
        await _end_open(session, device, EndReason.RELEASED, now)
        device.released_at = now
        await _revoke(session, device, now)
        await _new_token(session, installation, device, now)
        _new_service_token(installation, device)
        files = await _changed(session, installation, device, actor, now, "devices.release", f"release {mac}")
    return tuple(files)


class Entry(StrEnum):
    """What first contact decides of a request for `<mac>.cfg`."""

    OPEN = "window-open"
    "The file goes out."
    CLOSED = "no-window"
    RESET_OR_STRANGER = "factory-reset-or-stranger"
    "Closed, and the phone had its token already."
    RACED = "second-address"
    "Closed, and the window with it."


async def first_contact(
    session: AsyncSession,
    installation: Installation,
    device: DeviceRow,
    source: str,
    now: datetime,
    *,
    fetches: bool,
) -> Entry:
    """Decides a request for the device's own file outside of a token, inside a `change`.

    Ends windows that have lapsed or are raced. Without `fetches` (HEAD) no content would leave, so nobody
    takes a window by it and none ends: who has it is told what a fetch would get.
    """
    window = await queries.open_claim(session, device.id)
    if window is not None and window.expires_at <= now:
        window.ended_at, window.end_reason = now, EndReason.LAPSED
        window = None
    if window is None or (not fetches and window.source != source):
        return closed_entry(had_token=await queries.has_used_token(session, device.id))
    if window.source is None:
        window.source, window.delivered_at = source, now
    elif window.source != source:
        await _raced(session, installation, device, window, source, now)
        return Entry.RACED
    return Entry.OPEN


def closed_entry(*, had_token: bool) -> Entry:
    """What a request outside of any window is called; all of them get the same answer."""
    return Entry.RESET_OR_STRANGER if had_token else Entry.CLOSED


async def token_worked(
    session: AsyncSession, device: DeviceRow, token: DeviceTokenRow, now: datetime
) -> None:
    """The first success under a token, inside a `change`: closes its window and ends the older tokens."""
    token.first_used_at = now
    window = await queries.open_claim(session, device.id)
    if window is not None and window.token_version == token.version:
        window.ended_at = now
        window.end_reason = EndReason.USED if window.expires_at > now else EndReason.LAPSED
    await _revoke(session, device, now, before=token.version)


async def _raced(
    session: AsyncSession,
    installation: Installation,
    device: DeviceRow,
    window: ClaimRow,
    source: str,
    now: datetime,
) -> None:
    """A second address inside a window: nobody can tell which is the phone, so neither keeps what it got."""
    mac = MacAddress(device.mac)
    window.ended_at, window.end_reason = now, EndReason.RACED
    delivered = await session.get(DeviceTokenRow, (device.id, window.token_version))
    if delivered is not None and delivered.revoked_at is None:
        delivered.revoked_at = now
    # An older token was not in the file of this window: a phone that has it may go on.
    await _new_token(session, installation, device, now)
    _new_service_token(installation, device)
    device.admin_password_sealed = installation.vault.seal(fresh_password(14))
    device.admin_password_version += 1
    device.user_password_sealed = installation.vault.seal(fresh_password(14))
    device.user_password_version += 1
    lines = await session.scalars(
        select(LineRow).join(DeviceAccountRow).where(DeviceAccountRow.device_id == device.id)
    )
    for line in lines.all():
        await set_line_password(session, line, installation.vault, fresh_password(), now)
    text = f"two addresses asked for the first file of {mac}: {window.source} and {source}"
    advice = "Token and passwords were changed: find out who the other is, then claim again."
    if delivered is not None and delivered.encryption_key_id is not None:
        # Changing it here would make a file for every phone of the customer, while one of them waits.
        advice += " The customer's AES key was in the file: change it with `centralka encryption rotate`."
    alarm = AlarmRow(
        device_id=device.id,
        customer_id=device.customer_id,
        kind=AlarmKind.RACED,
        text=f"{text}. {advice}",
        source=source,
        at=now,
    )
    await raise_alarms(session, [alarm])
    await _changed(session, installation, device, SYSTEM, now, "devices.raced", text)


async def _listed(session: AsyncSession, mac: MacAddress) -> DeviceRow:
    selected = await queries.device_by_mac(session, mac.hex)
    if selected is None:
        raise no_device(mac)
    return selected.device


async def _end_open(session: AsyncSession, device: DeviceRow, reason: EndReason, now: datetime) -> None:
    window = await queries.open_claim(session, device.id)
    if window is not None:
        window.ended_at = now
        window.end_reason = reason if window.expires_at > now else EndReason.LAPSED


async def _revoke(session: AsyncSession, device: DeviceRow, now: datetime, before: int | None = None) -> None:
    """Ends the device's tokens, or those older than version `before`."""
    live = select(DeviceTokenRow).where(
        DeviceTokenRow.device_id == device.id, DeviceTokenRow.revoked_at.is_(None)
    )
    if before is not None:
        live = live.where(DeviceTokenRow.version < before)
    for token in await session.scalars(live):
        token.revoked_at = now
    touch(session, f"device:{device.id}")


async def _new_token(
    session: AsyncSession, installation: Installation, device: DeviceRow, now: datetime
) -> DeviceTokenRow:
    """A token that the device's files say from now on. Until one of them is fetched, nobody knows it."""
    newest = await session.scalar(
        select(DeviceTokenRow.version)
        .where(DeviceTokenRow.device_id == device.id)
        .order_by(DeviceTokenRow.version.desc())
        .limit(1)
    )
    row = new_device_token(session, installation.vault, (newest or 0) + 1, now)
    row.device_id = device.id
    session.add(row)
    await session.flush()
    touch(session, f"device:{device.id}")
    return row


def _new_service_token(installation: Installation, device: DeviceRow) -> None:
    token = fresh_token()
    device.service_token_sealed = installation.vault.seal(token)
    device.service_token_hash = token_hash(token)
    device.service_token_version += 1


async def _changed(
    session: AsyncSession,
    installation: Installation,
    device: DeviceRow,
    actor: Actor,
    now: datetime,
    verb: str,
    summary: str,
) -> list[FileChange]:
    """The audit entry, and new revisions of every file that holds what was changed."""
    await session.flush()
    mac = str(MacAddress(device.mac))
    entry = await audit.record(session, actor, now, verb, mac, summary, customer_id=device.customer_id)
    # Other phones of the customer may share a line whose password is new.
    customer_id = device.customer_id
    sharing = [row.mac for row in await _sharing(session, device) if row.customer_id == customer_id]
    only = {MacAddress(hexadecimal) for hexadecimal in (device.mac, *sharing)}
    stored, around = await phones_of(session, installation, customer_id, only)
    return await refresh_customer(session, stored, around, Cause(actor, summary, now, entry.id), only)


async def _sharing(session: AsyncSession, device: DeviceRow) -> list[DeviceRow]:
    lines = (
        await session.scalars(select(DeviceAccountRow.line_id).where(DeviceAccountRow.device_id == device.id))
    ).all()
    return list(await queries.devices_on_lines(session, lines)) if lines else []
