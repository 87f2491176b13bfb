"""No secret is kept in clear: not in a table, not in the database's files, not in a log."""

from __future__ import annotations

import logging
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import select

from db.migrations import downgrade, upgrade
from db.rotation import rotate, sealed_columns
from db.schema import metadata
from phone_templates.values import references
from provisioner.app import serving
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.mac import MacAddress
from provisioner.operations import claims, device_files, devices
from provisioner.operations.installation import Installation
from provisioner.phones.render import DeviceFile
from provisioner.store.secret_values import open_secrets
from tests.provisioner.operations.small import (
    DESK,
    HALL,
    ONE,
    TWO,
    exact,
    just,
    line,
    phone,
    phones,
    put,
    small,
)

PLANTED = {level: f"Tajne-{level}-7" for level in ("vendor", "model", "customer", "site", "device", "line")}


def ldap(level: str) -> dict[str, str]:
    return {"ldap.password": PLANTED[level], "static.auto_provision.server.password": f"{PLANTED[level]}-too"}


@pytest.fixture
async def planted(installation: Installation) -> Installation:
    """A company with a known secret wherever one can be given."""
    level = {"vendor": "yealink", "settings": ldap("vendor")}
    level["models"] = [{"model": "T46S", "settings": ldap("model")}]
    await put(
        installation,
        small(
            settings=ldap("customer"),
            lines=[line(ONE, password=PLANTED["line"]), line(TWO)],
            sites=[{"name": "Hala", "settings": ldap("site")}],
            devices=[
                phone(DESK, "T46S", ONE, settings=ldap("device")),
                phone(HALL, "T46S", TWO, site="Hala"),
                phone(MacAddress("001565000003"), "T46S", TWO),
            ],
        ),
        vendors=[level],
    )
    return installation


async def all_secrets(installation: Installation) -> set[str]:
    """Everything that files refer to, opened, and what was planted."""
    texts: list[str] = []
    async with installation.database.read() as session:
        for mac in (DESK, HALL):
            details = await devices.show_device(installation, mac)
            assert details.files
        rows = await session.scalars(select(metadata.tables["revisions"].c.content))
        texts += rows
        opened = await open_secrets(
            session, installation.vault, {ref for text in texts for ref in references(text)}
        )
    assert {ref.split("/")[0] for ref in opened} == {"line", "device", "setting"}
    return set(opened.values()) | set(PLANTED.values()) | {f"{word}-too" for word in PLANTED.values()}


async def everything(installation: Installation) -> bytes:
    """Each column of each table, and on SQLite the bytes of the files, too."""
    kept = []
    async with installation.database.read() as session:
        for table in metadata.sorted_tables:
            for row in await session.execute(select(table)):
                kept += [each if isinstance(each, bytes) else str(each).encode() for each in row]
    if installation.database.url.drivername == "sqlite":
        file = Path(str(installation.database.url.database))
        kept += [each.read_bytes() for each in file.parent.glob(f"{file.name}*")]
    return b"\n".join(kept)


def found(secrets: set[str], kept: bytes) -> list[str]:
    return sorted(secret for secret in secrets if secret.encode() in kept)


async def test_no_secret_is_kept_or_logged_in_clear(
    planted: Installation, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    old = await all_secrets(planted)
    await just(planted, settings={"ldap.password": "Tajne-nowe-8"}, lines=[line(ONE), line(TWO)])
    plan = await just(planted, lines=[line(ONE, password="Tajne-linii-8"), line(TWO)])
    await claims.claim(planted, DESK, COMMAND_LINE)
    url = (await exact(planted))["static.auto_provision.server.url"]
    token = url.rstrip("/").rpartition("/")[2]
    book = (await exact(planted))["remote_phonebook.data.1.url"]
    async with serving(planted, lambda _: None) as server, aiohttp.ClientSession() as client:
        statuses = []
        for path in (
            f"/{DESK.hex}.cfg",
            f"/{token}/{DESK.hex}.cfg",
            f"/{token}/{HALL.hex}.cfg",
            f"/{token}/y000000000066.cfg",
            f"/{token}/no-such-file",
            f"/{token}/",
            f"/{book.split('/')[3]}/phonebook.xml",
            f"/{DESK.hex}.cfg?token={token}",
        ):
            async with client.get(server.provisioning_url + path) as response:
                await response.read()
                statuses.append(response.status)
    assert statuses.count(200) >= 3
    secrets = old | await all_secrets(planted) | {"Tajne-nowe-8", "Tajne-linii-8", token}
    assert len(secrets) > 25
    assert b"phonebook.xml" in await everything(planted)
    assert found(secrets, await everything(planted)) == []
    assert found(secrets, caplog.text.encode()) == []
    assert found(secrets, repr(plan).encode()) == []
    assert found(secrets, repr(planted).encode()) == []


async def test_what_people_are_shown_masks_every_secret(planted: Installation):
    secrets = await all_secrets(planted)
    await just(planted, lines=[line(ONE, password="Tajne-linii-8"), line(TWO)])
    shown = [repr(await devices.show_device(planted, DESK)), await device_files.diff_device(planted, DESK)]
    shown += [
        await device_files.render_device(planted, mac, file, mask=True)
        for mac in (DESK, HALL)
        for file in (DeviceFile.MAC, DeviceFile.MODEL)
    ]
    assert found(secrets | {"Tajne-linii-8"}, "\n".join(shown).encode()) == []


async def sealed(installation: Installation) -> set[bytes]:
    async with installation.database.read() as session:
        return {
            value
            for table, columns in sealed_columns().items()
            for row in await session.execute(select(*(table.c[column.name] for column in columns)))
            for value in row
            if value is not None
        }


async def test_after_a_rotation_everything_renders_and_no_old_ciphertext_is_left(planted: Installation):
    before = {mac: await exact(planted, mac) for mac in (DESK, HALL)}
    old = await sealed(planted)
    await rotate(planted.database, planted.vault)
    assert {mac: await exact(planted, mac) for mac in before} == before
    assert not old & await sealed(planted)
    assert (await put(planted, {"login": "firma"})).changes == ()
    await planted.database.close()
    if planted.database.url.drivername == "sqlite":
        file = Path(str(planted.database.url.database))
        kept = b"".join(each.read_bytes() for each in file.parent.glob(f"{file.name}*"))
        assert not [value for value in old if value in kept]


async def test_the_schema_goes_down_and_up_under_a_company(planted: Installation):
    url = planted.database.url.render_as_string(hide_password=False)
    await planted.database.close()
    downgrade(url, "base")
    upgrade(url)
    assert await devices.list_devices(planted) == []
    assert phones(await put(planted, small())) == {str(DESK), str(HALL)}
