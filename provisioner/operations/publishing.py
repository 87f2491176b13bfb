"""Writes all files anew where something about the server has changed: its addresses, or its templates."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from sqlalchemy.ext.asyncio import AsyncSession

from db.changes import ALL, touch
from db.queries.owed import customer_ids
from db.schema import InstanceRow
from provisioner.centrex.actor import SYSTEM
from provisioner.operations import audit
from provisioner.operations.addresses import listened_on, store_addresses
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.owed import owe, settle, undisturbed
from provisioner.operations.revisions import Cause, refresh_models
from provisioner.store.vendors import load_vendor

WRITTEN_BY = "written_by"
"The fact of the installation that names the templates which wrote the files that phones have."


async def announce(installation: Installation, provisioning: str, sip: str) -> None:
    """Stores that `serve` listens on `provisioning` and `sip` (HOST:PORT). `publish` is to come after it."""
    async with installation.database.change() as session:
        listened = listened_on(provisioning, sip)
        if await store_addresses(session, listened, installation.settings.public):
            (await _written_by(session)).value = ""


async def publish(installation: Installation) -> None:
    """Writes all files anew where phones are told other addresses now, or this version writes otherwise.

    A phone whose files can't be written any more keeps those that it has, and an alarm says why.
    """
    now = utc_now()

    async def published(session: AsyncSession) -> None:
        fingerprint = template_fingerprint()
        written_by = await _written_by(session)
        if written_by.value == fingerprint:
            return
        text = "this version writes files differently" if written_by.value else "serve listens elsewhere"
        written_by.value = fingerprint
        entry = await audit.record(session, SYSTEM, now, "serve", "files", text)
        cause = Cause(SYSTEM, text, now, entry.id)
        await refresh_models(session, await load_vendor(session, installation.vault), cause)
        await owe(session, await customer_ids(session), cause)
        touch(session, ALL)

    await undisturbed(installation, None, published)
    await settle(installation)


async def _written_by(session: AsyncSession) -> InstanceRow:
    """Empty while files are to be written."""
    found = await session.get(InstanceRow, WRITTEN_BY)
    if found is None:
        found = InstanceRow(key=WRITTEN_BY, value="")
        session.add(found)
    return found


@cache
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
