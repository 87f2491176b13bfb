"""Writes all files anew where something about the server has changed: its addresses, or its templates."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from importlib.resources.abc import Traversable

from sqlalchemy.ext.asyncio import AsyncSession

from db.schema import AlarmRow, InstanceRow
from phone_templates.errors import PhoneTemplatesError
from provisioner.centrex.actor import SYSTEM
from provisioner.centrex.errors import CentralkaError
from provisioner.operations import audit
from provisioner.operations.addresses import listened_on, store_addresses
from provisioner.operations.alarms import AlarmKind
from provisioner.operations.context import all_customers, surroundings
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.revisions import Cause, refresh_customer, refresh_models
from provisioner.phones.describe import Surroundings
from provisioner.store.customers import Stored
from provisioner.store.vendors import load_vendor

WRITTEN_BY = "written_by"
"The fact of the installation that names the templates which wrote the files that phones have."


async def publish(installation: Installation, provisioning: str) -> None:
    """Stores that `serve` listens on `provisioning` (HOST:PORT), and writes anew what that changes.

    A phone whose files can't be written any more keeps those that it has, and an alarm says why.
    """
    now = utc_now()
    async with installation.database.change() as session:
        listened = listened_on(provisioning, installation.settings.listen.sip)
        moved = await store_addresses(session, listened, installation.settings.public)
        fingerprint = template_fingerprint()
        written_by = await session.get(InstanceRow, WRITTEN_BY)
        if written_by is None:
            written_by = InstanceRow(key=WRITTEN_BY, value="")
            session.add(written_by)
        if not moved and written_by.value == fingerprint:
            return
        text = "serve listens elsewhere" if moved else "this version writes files differently"
        written_by.value = fingerprint
        entry = await audit.record(session, SYSTEM, now, "serve", "files", text)
        cause = Cause(SYSTEM, text, now, entry.id)
        await refresh_models(session, await load_vendor(session, installation.vault), cause)
        async for stored in all_customers(session, installation):
            await _refresh_what_can_be(
                session, stored, await surroundings(session, installation, stored), cause
            )


async def _refresh_what_can_be(
    session: AsyncSession, stored: Stored, around: Surroundings, cause: Cause
) -> None:
    try:
        async with session.begin_nested():
            await refresh_customer(session, stored, around, cause)
        return
    except (CentralkaError, PhoneTemplatesError, ValueError):
        # One of its phones is at fault; the others must not wait for it.
        pass
    rows = {row.mac: row.id for row in stored.row.devices}
    for device in stored.customer.devices:
        try:
            async with session.begin_nested():
                await refresh_customer(session, stored, around, cause, {device.mac})
        except (CentralkaError, PhoneTemplatesError, ValueError) as error:
            session.add(
                AlarmRow(
                    device_id=rows[device.mac.hex],
                    customer_id=stored.row.id,
                    kind=AlarmKind.FILES,
                    text=f"the files of {device.mac} can't be written, it keeps the old ones: {error}",
                    source=None,
                    at=cause.at,
                )
            )


def template_fingerprint() -> str:
    """What tells two versions apart that write files differently: a digest of all that writes them."""
    digest = hashlib.sha256()
    for package in ("phone_templates", "provisioner.phones", "provisioner.centrex"):
        for name, data in sorted(_contents(files(package), package)):
            digest.update(name.encode("utf-8") + b"\0" + data)
    return digest.hexdigest()


def _contents(folder: Traversable, path: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for item in folder.iterdir():
        if item.is_dir() and item.name != "__pycache__":
            found += _contents(item, f"{path}/{item.name}")
        elif item.is_file():
            found.append((f"{path}/{item.name}", item.read_bytes()))
    return found
