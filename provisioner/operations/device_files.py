"""The exact bytes of a device, what changed in them, and the way back to earlier ones."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import devices as queries
from db.queries import revisions as revision_queries
from db.queries.rollouts import staged_revision
from phone_templates.values import fill, masked, references
from phone_templates.yealink.models import find_model
from provisioner.centrex.actor import Actor
from provisioner.centrex.errors import Conflict, NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.operations import audit
from provisioner.operations.context import phones_of
from provisioner.operations.history import Revision, described, difference, find_file, find_revision
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.missing import no_device, no_file
from provisioner.operations.revisions import Cause, FileChange, refresh_customer
from provisioner.phones.render import DeviceFile, device_file_name
from provisioner.store.secret_values import open_secrets


async def render_device(
    installation: Installation, mac: MacAddress, file: DeviceFile = DeviceFile.MAC, *, mask: bool = False
) -> str:
    """The exact text that the phone gets; with `mask`, names where secrets stand. Raises `NotFound`."""
    async with installation.database.read() as session:
        device, _ = await selected(session, mac)
        current = await queries.current_of_device(session, device.id, file)
        if current is None:
            raise no_file(mac, file)
        if mask:
            return masked(current.content)
        secrets = await open_secrets(session, installation.vault, references(current.content))
        return fill(current.content, secrets)


async def history_of(
    installation: Installation, mac: MacAddress, file: DeviceFile = DeviceFile.MAC
) -> list[Revision]:
    """All revisions of a device's file, the newest first. Raises `NotFound`."""
    async with installation.database.read() as session:
        device, _ = await selected(session, mac)
        row = await find_file(session, device, file)
        return described(await revision_queries.history(session, row.id))


async def diff_device(
    installation: Installation,
    mac: MacAddress,
    number: int | None = None,
    file: DeviceFile = DeviceFile.MAC,
) -> str:
    """What changed from revision `number` (the one before, unless said) to what the phone gets now."""
    async with installation.database.read() as session:
        device, _ = await selected(session, mac)
        row = await find_file(session, device, file)
        if row.current_revision is None:
            raise no_file(mac, file)
        newest = row.current_revision.number
        new = await find_revision(session, row, newest)
        old = await find_revision(session, row, number if number is not None else max(1, newest - 1))
        return difference(old, new, device_file_name(file, mac.hex, find_model(device.model)))


async def diff_staged(
    installation: Installation, mac: MacAddress, file: DeviceFile = DeviceFile.MAC
) -> str:
    """What changes when a rollout reaches the phone. Raises `NotFound` where nothing waits for it."""
    async with installation.database.read() as session:
        device, _ = await selected(session, mac)
        row = await find_file(session, device, file)
        staged = await staged_revision(session, row.id)
        if staged is None:
            raise NotFound(f"nothing is staged for the {file} file of {mac}: it follows the data")
        current = row.current_revision
        now = await find_revision(session, row, current.number) if current else None
        return difference(now, staged, device_file_name(file, mac.hex, find_model(device.model)))


async def roll_back(
    installation: Installation,
    mac: MacAddress,
    number: int | None,
    actor: Actor,
    file: DeviceFile = DeviceFile.MAC,
) -> tuple[FileChange, ...]:
    """Holds a file at the text of revision `number`, with today's secrets; None lets it follow the data.

    A held file keeps its text when data change, but never an old password or token. Raises `NotFound`, and
    `Conflict` where the revision needs a secret that the device has no claim to any more.
    """
    now = utc_now()
    async with installation.database.change() as session:
        device, _ = await selected(session, mac)
        row = await find_file(session, device, file)
        held = await find_revision(session, row, number) if number is not None else None
        if held is not None and not held.content:
            raise Conflict(f"revision {number} says that {mac} has no {file} file: pick another")
        name = device_file_name(file, mac.hex, find_model(device.model))
        summary = f"roll {name} back to revision {number}" if held else f"let {name} follow the data again"
        entry = await audit.record(
            session, actor, now, "devices.rollback", str(mac), summary, customer_id=device.customer_id
        )
        row.held_revision = held
        await session.flush()
        stored, around = await phones_of(session, installation, device.customer_id, {mac})
        files = await refresh_customer(session, stored, around, Cause(actor, summary, now, entry.id), {mac})
        # The customer was read afresh, and this row with it.
        row = await find_file(session, device, file)
        if held is not None and row.held_revision is None:
            raise Conflict(
                f"revision {number} of {name} names a secret that {mac} has no claim to any more,"
                " such as the password of a line that it lost: pick a later revision"
            )
        return tuple(files)


async def selected(session: AsyncSession, mac: MacAddress) -> queries.Selected:
    """The device and whose it is. Raises `NotFound`."""
    found = await queries.device_by_mac(session, mac.hex)
    if found is None:
        raise no_device(mac)
    return found
