"""A part of a customer is loaded for some phones: their files come out as from the whole."""

from __future__ import annotations

from provisioner.centrex.mac import MacAddress
from provisioner.operations.context import customer_of, phones_of
from provisioner.operations.installation import Installation
from provisioner.phones.render import device_files
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
