"""A part of a customer is loaded for some phones: their files come out as from the whole."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from db.schema import DeviceRow, metadata
from provisioner.centrex.mac import MacAddress
from provisioner.operations.context import customer_of, phones_of
from provisioner.operations.installation import Installation
from provisioner.phones.render import device_files
from tests.provisioner.operations.small import DESK, ONE
from tests.provisioner.web.asking import MODELS, row_of


async def test_the_files_of_a_phone_are_the_same_from_its_part_of_the_customer(sample: Installation):
    for mac in MODELS:
        customer_id = (await row_of(sample, mac)).customer_id
        async with sample.database.read() as session:
            whole, around = await customer_of(session, sample, customer_id)
            device = next(each for each in whole.customer.devices if each.mac.hex == mac)
            from_whole = device_files(device, whole.customer, around)
        async with sample.database.read() as session:
            part, around = await phones_of(session, sample, customer_id, {MacAddress(mac)})
            (device,) = part.customer.devices
            assert device_files(device, part.customer, around) == from_whole


async def test_a_part_holds_no_line_or_extension_of_other_phones(sample: Installation):
    mac = next(iter(MODELS))
    customer_id = (await row_of(sample, mac)).customer_id
    async with sample.database.read() as session:
        part, around = await phones_of(session, sample, customer_id, {MacAddress(mac)})
    lines = {account.line for account in part.customer.devices[0].accounts}
    assert {line.number for line in part.customer.lines} == lines
    assert {each.line for each in part.customer.extensions} <= lines
    assert not any(other in name for name in around.versions for other in MODELS if other != mac)


async def steps(installation: Installation, customer_id: int, mac: MacAddress) -> int:
    """How much SQLite does to find what one phone's files depend on."""
    taken = 0

    def step() -> None:
        nonlocal taken
        taken += 1

    async with installation.database.read() as session:
        raw = await (await session.connection()).get_raw_connection()
        assert raw.driver_connection is not None
        await raw.driver_connection.set_progress_handler(step, 1)
        try:
            await phones_of(session, installation, customer_id, {mac})
        finally:
            await raw.driver_connection.set_progress_handler(None, 0)
    return taken


async def crowd(installation: Installation, like: DeviceRow, phones: int) -> None:
    """Gives the customer so many phones more, each with a line, an extension and a setting of its own."""
    async with installation.database.change() as session:
        for at in range(phones):
            for table, key, source, own in (
                ("lines", "number", ONE, f"4899{at:06}"),
                ("extensions", "number", "101", f"{300 + at}"),
                ("devices", "mac", like.mac, f"001565ff{at:04x}"),
            ):
                named = {key: own, "service_token_hash": f"{at:064x}"}
                columns = [each.name for each in metadata.tables[table].columns if each.name != "id"]
                values = [f":{each}" if each in named else each for each in columns]
                statement = f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)}"
                given = {each: value for each, value in named.items() if each in columns}
                where = f" FROM {table} WHERE customer_id = :customer AND {key} = :source"
                there = {"customer": like.customer_id, "source": source}
                await session.execute(text(statement + where), given | there)
        for statement in (
            "UPDATE extensions SET line_id = (SELECT l.id FROM lines l WHERE substr(l.number, 5) + 300"
            " = extensions.number AND l.number LIKE '4899%') WHERE number >= '300'",
            "INSERT INTO settings (level, device_id, kind, name, value, version)"
            " SELECT 'device', id, 'parameter', 'local_time.time_format', '1', 1 FROM devices"
            " WHERE mac LIKE '001565ff%'",
        ):
            await session.execute(text(statement))


@pytest.mark.parametrize("firma_url", ["sqlite"], indirect=True)
async def test_finding_a_phone_costs_the_same_however_many_its_customer_has(firma: Installation):
    desk = await row_of(firma, DESK.hex)
    among_two = await steps(firma, desk.customer_id, DESK)
    await crowd(firma, desk, 100)
    assert await steps(firma, desk.customer_id, DESK) == among_two
