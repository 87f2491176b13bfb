"""Every change of bytes is a numbered revision that says who, when and why; nothing else is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.centrex.actor import Actor, Role
from provisioner.centrex.errors import NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.operations import claims, device_files
from provisioner.operations.installation import Installation, utc_now
from provisioner.phones.render import DeviceFile
from tests.provisioner.operations.small import DESK, ONE, TWO, audits, just, line, put, small

PROJECT = Path(__file__).parents[3]
ANNA = Actor("anna", Role.OPERATOR)

RENDER_SAMPLE = """
import hashlib
from importlib.resources import files
from provisioner.centrex.addresses import PublicAddresses
from provisioner.centrex.merge import merge, merge_vendor
from provisioner.files.company import read_company_file
from provisioner.phones.describe import Surroundings
from provisioner.phones.render import customer_files, device_files, first_contact_files

file = read_company_file(files("provisioner.demo").joinpath("company.yaml").read_bytes())
vendor = merge_vendor(None, file.vendors[0])
customer = merge(None, file.customers[0])
around = Surroundings(vendor, PublicAddresses("http://192.0.2.1:8081", "192.0.2.1", 5060, "udp"), {})
texts = [*customer_files(customer).values(), *first_contact_files(vendor).values()]
for device in customer.devices:
    texts += device_files(device, customer, around).values()
print(len(texts), hashlib.sha256("\\0".join(texts).encode()).hexdigest())
"""


def test_another_process_with_another_order_of_sets_writes_the_same_bytes():
    seen = {
        subprocess.run(
            [sys.executable, "-c", RENDER_SAMPLE],
            cwd=PROJECT,
            env={"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "4294967295")
    }
    assert len(seen) == 1
    assert int(seen.pop().split()[0]) > 40


async def test_a_revision_says_who_when_and_which_change_caused_it(firma: Installation):
    before = utc_now()
    await put(firma, small(name="Firma 2"), actor=ANNA)
    newest, first = await device_files.history_of(firma, DESK)
    assert (first.number, first.actor, first.cause) == (1, "cli", "apply test.yaml")
    assert (newest.number, newest.actor, newest.cause) == (2, "anna", "apply test.yaml")
    assert before <= newest.created_at <= utc_now()
    entry = (await audits(firma))[-1]
    assert (entry.actor, entry.at) == ("anna", newest.created_at)


async def test_what_changes_no_bytes_makes_no_revision(firma: Installation):
    await just(firma, credit_limit="10.00", lines=[line(ONE, product="telefonia-ip-standard"), line(TWO)])
    assert [each.number for each in await device_files.history_of(firma, DESK)] == [1]


async def test_bytes_that_come_back_are_a_new_revision(firma: Installation):
    await just(firma, name="Firma 2")
    await just(firma, name="Firma")
    assert [each.number for each in await device_files.history_of(firma, DESK)] == [3, 2, 1]
    assert await device_files.diff_device(firma, DESK, 1) == ""


async def test_a_difference_masks_secrets_and_shows_that_there_is_a_newer_one(firma: Installation):
    await just(firma, lines=[line(ONE, password="Tajne-123"), line(TWO)])
    difference = await device_files.diff_device(firma, DESK)
    assert f"-account.1.password = «line/{ONE}/password@1»" in difference
    assert f"+account.1.password = «line/{ONE}/password@2»" in difference
    assert "Tajne" not in difference
    assert f"--- {DESK.hex}.cfg (revision 1)" in difference
    assert f"+++ {DESK.hex}.cfg (revision 2)" in difference


async def test_a_claim_is_a_revision_of_that_phone_alone(firma: Installation):
    await claims.claim(firma, DESK, ANNA)
    newest = (await device_files.history_of(firma, DESK))[0]
    assert (newest.number, newest.actor) == (2, "anna")
    assert newest.cause.startswith("claim")
    assert "token@2»" in await device_files.diff_device(firma, DESK)


async def test_a_difference_goes_from_the_revision_that_is_asked_for(firma: Installation):
    for name in ("Druga", "Trzecia"):
        await just(firma, extensions=[{"number": "101", "name": name}, {"number": "102"}])
    assert "-account.1.label = Druga" in await device_files.diff_device(firma, DESK)
    assert "-account.1.label = Recepcja" in await device_files.diff_device(firma, DESK, 1)


@pytest.mark.parametrize("number", [0, -1, 7, 2**31])
async def test_a_revision_that_is_not_there_is_refused_with_those_that_are(firma: Installation, number: int):
    with pytest.raises(NotFound, match=f"there is no revision {number}: this file has revisions 1 to 1"):
        await device_files.diff_device(firma, DESK, number)


async def test_files_and_phones_that_are_not_there_are_refused(firma: Installation):
    with pytest.raises(NotFound, match="has no boot file"):
        await device_files.render_device(firma, DESK, DeviceFile.BOOT)
    with pytest.raises(NotFound, match="has no boot file"):
        await device_files.diff_device(firma, DESK, file=DeviceFile.BOOT)
    with pytest.raises(NotFound, match="list it with `apply`"):
        await device_files.history_of(firma, MacAddress("00156500ffff"))
