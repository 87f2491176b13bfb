"""Turning encryption on and off, and reading what goes out with the openssl command."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from db.schema import DeviceRow, DeviceTokenRow
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.operations import encryption
from provisioner.operations.customer_step import Plan
from provisioner.operations.encryption import PhoneKey, Rotated
from provisioner.operations.installation import Installation
from tests.provisioner.conftest import apply_text

LOGIN = "nowyklienttestowy"
VERSION = b"#!version:1.0.0.1\n"


async def turn(installation: Installation, on: bool) -> Plan:
    """Turns the encryption of all phones of the sample company on or off."""
    return await apply_text(
        installation, f"customers: [{{login: {LOGIN}, phone: {{encryption: {str(on).lower()}}}}}]"
    )


async def rotate(installation: Installation) -> Rotated:
    """Gives the sample company new keys."""
    return await encryption.rotate(installation, LOGIN, COMMAND_LINE)


async def standing(installation: Installation, mac: str) -> PhoneKey:
    """How a phone stands."""
    phones = (await encryption.show(installation, LOGIN)).phones
    return next(phone for phone in phones if phone.mac.replace(":", "") == mac)


async def tokens_of(installation: Installation, mac: str) -> list[tuple[str, str | None]]:
    """The live tokens of a phone, the oldest first, each with its key."""
    query = (
        select(DeviceTokenRow)
        .join(DeviceRow, DeviceRow.id == DeviceTokenRow.device_id)
        .where(DeviceRow.mac == mac, DeviceTokenRow.revoked_at.is_(None))
        .options(joinedload(DeviceTokenRow.encryption_key))
        .order_by(DeviceTokenRow.version)
    )
    opened = installation.vault.open
    async with installation.database.read() as session:
        return [
            (
                opened(row.token_sealed),
                opened(row.encryption_key.key_sealed) if row.encryption_key else None,
            )
            for row in await session.scalars(query)
        ]


def by_openssl(data: bytes, key: str) -> bytes:
    """What OpenSSL makes of `data`. Without the command a test is skipped, but fails where `CI` is set."""
    found = shutil.which("openssl")
    if found is None:
        missing = "OpenSSL is not installed: apt install openssl"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    command = [found, "enc", "-d", f"-aes-{len(key) * 8}-ecb", "-K", key.encode("ascii").hex()]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout
