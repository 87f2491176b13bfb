"""What a doctor would look at: the machine, the database, the addresses and the phones. Changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path

from db import migrations
from db.engine import Database
from db.errors import StorageError
from db.vault import Vault
from provisioner.centrex.errors import CentralkaError
from provisioner.operations.addresses import public_addresses
from provisioner.operations.doctor.addresses import check_clear_text, check_phones_outside, check_public
from provisioner.operations.doctor.capacity import check_capacity
from provisioner.operations.doctor.certificates import (
    check_certificate,
    check_certificate_names,
    check_device_ca,
)
from provisioner.operations.doctor.check import Check, Health, failure, ok
from provisioner.operations.doctor.firmware import check_firmware_files
from provisioner.operations.doctor.listeners import check_listeners
from provisioner.operations.doctor.machine import (
    check_clock,
    check_disk,
    check_key,
    check_modes,
)
from provisioner.operations.doctor.stock import (
    check_history,
    check_reach,
    check_secrets,
    check_silent,
    phones_listed,
)
from provisioner.operations.doctor.urls import check_legacy_tls, check_provisioning_url
from provisioner.operations.doctor.waiting import (
    check_alarms,
    check_bans,
    check_claims,
    check_encryption_keys,
    check_rollouts,
)
from provisioner.operations.installation import KEY_FILE, Installation, database_file, database_url
from provisioner.operations.lint import lint_stored
from provisioner.settings import Settings

__all__ = ["Check", "Health", "diagnose"]


async def diagnose(data_dir: Path, settings: Settings, now: datetime) -> list[Check]:
    """Everything that was looked at, in a fixed order. What can't be looked at is a failure itself."""
    found = await asyncio.to_thread(lambda: list(_machine(data_dir, settings, now)))
    schema = await asyncio.to_thread(_schema, data_dir, settings)
    found.append(schema)
    found += check_clear_text(settings)
    if schema.health is Health.OK:
        try:
            database = await Database.open(database_url(data_dir, settings))
            try:
                vault = Vault.load(data_dir / KEY_FILE)
                installation = Installation(data_dir, settings, database, vault)
                # One by one: what was found stays found when something further on can't be read.
                async for check in _stored(installation, now):
                    found.append(check)
            finally:
                await database.close()
        except (StorageError, CentralkaError) as error:
            found.append(failure("database", str(error), "look at the failures above, then ask again"))
    return found


def _machine(data_dir: Path, settings: Settings, now: datetime) -> Iterator[Check]:
    if not data_dir.is_dir():
        advice = f"name another --data-dir, or make it: centralka init --data-dir {data_dir}"
        yield failure("data-directory", f"there is no {data_dir}", advice)
        return
    yield from check_modes(data_dir, settings)
    yield from check_key(data_dir)
    yield from check_disk(data_dir, settings)
    yield from check_clock(data_dir, settings, now)
    yield from check_capacity(settings)
    yield from check_listeners(settings)
    yield from check_certificate(settings, now)
    yield from check_device_ca(settings, now)
    yield from check_legacy_tls(settings)


def _schema(data_dir: Path, settings: Settings) -> Check:
    file = database_file(data_dir, settings)
    if file is not None and not file.exists():
        # Asking SQLite would make it.
        return failure("database", f"there is no database {file}", "restore a backup, or run centralka init")
    try:
        found = migrations.current(database_url(data_dir, settings))
    except StorageError as error:
        advice = "start the database, or correct [database] url" if file is None else "restore a backup"
        return failure("database", " ".join(str(error).split()), advice)
    if found == migrations.head():
        return ok("database", f"it answers, and has the newest schema ({found})")
    if found in migrations.known():
        message = f"its schema is {found}, and this version needs {migrations.head()}"
        return failure("database", message, "make a backup, then: centralka migrate")
    if found is None:
        return failure("database", "it is empty", "restore a backup, or run centralka init")
    return failure("database", f"its schema {found} is of a newer version", "run that version of centralka")


async def _stored(installation: Installation, now: datetime) -> AsyncIterator[Check]:
    settings = installation.settings
    async with installation.database.read() as session:
        public = await public_addresses(session, settings)
        phones = await phones_listed(session)
        checks = (
            check_secrets(session, installation.vault),
            check_history(session, now),
            check_phones_outside(session, settings, public),
            check_silent(session, now),
            check_claims(session, now),
            check_alarms(session),
            check_bans(session, now),
            check_rollouts(session, now),
            check_encryption_keys(session, now),
        )
        for each in checks:
            async for check in each:
                yield check
    async for check in check_public(public, phones):
        yield check
    yield check_provisioning_url(settings, public.provisioning_url)
    for check in check_certificate_names(settings, public.provisioning_url):
        yield check
    async for check in check_firmware_files(installation):
        yield check
    for check in check_reach(await lint_stored(installation)):
        yield check
