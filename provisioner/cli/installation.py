"""The verbs of an installation: make it, keep its keys and schema."""

from __future__ import annotations

import asyncio

from db.migrations import upgrade
from db.rotation import rotate
from provisioner.cli.common import (
    ConfigFile,
    DataDir,
    chosen_data_dir,
    chosen_settings,
    out,
    with_installation,
)
from provisioner.operations.installation import KEY_FILE, Installation, database_url, initialise


def init(data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Make the data directory, the schema and the first operator; print the password once."""
    folder = chosen_data_dir(data_dir)
    password = asyncio.run(initialise(folder, chosen_settings(config)))
    out.print(f"{folder} is ready. Operator: operator, password: {password}")
    out.print("The password is not kept anywhere: write it down now.")


def rotate_key(data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Seal every secret with a new key and drop the old one."""

    async def run(installation: Installation) -> None:
        await rotate(installation.database, installation.vault)

    with_installation(data_dir, config, run)
    out.print(f"Every secret is sealed with a new key in {chosen_data_dir(data_dir) / KEY_FILE}.")


def migrate(data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Bring the database to the schema of this version."""
    upgrade(database_url(chosen_data_dir(data_dir), chosen_settings(config)))
    out.print("The database is up to date.")
