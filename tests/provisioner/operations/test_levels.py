"""What is said of a vendor, a model, a customer, a site and a phone: the nearest word holds."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from db.queries.serving import content_of_model
from db.schema import AuditRow, DeviceFileRow, RevisionRow
from phone_templates import cfg
from provisioner.centrex.mac import MacAddress
from provisioner.operations import device_files
from provisioner.operations.installation import Installation
from provisioner.phones.render import FIRST_CONTACT
from tests.provisioner.operations.small import (
    DESK,
    HALL,
    ONE,
    TWO,
    exact,
    just,
    other,
    phone,
    phones,
    put,
    said,
    small,
)

PERIOD = "account.1.blf.subscribe_period"
"A number that every generation knows."
LEVELS = ("vendor", "model", "customer", "site", "device")


async def say(installation: Installation, level: str, word: dict[str, Any]) -> Any:
    """Says `word` (its `phone:` or `settings:`) at one of the levels that the DESK inherits from."""
    if level == "vendor":
        return await put(installation, vendors=[{"vendor": "yealink", **word}])
    if level == "model":
        return await put(installation, vendors=[{"vendor": "yealink", "models": [{"model": "T46S", **word}]}])
    if level == "customer":
        return await just(installation, **word)
    if level == "site":
        return await just(installation, sites=[{"name": "Hala", **word}])
    return await just(installation, devices=[{"mac": str(DESK), **word}, {"mac": str(HALL)}])


@pytest.fixture
async def hall(firma: Installation) -> Installation:
    """The small company with the DESK standing in a site."""
    await just(
        firma, sites=[{"name": "Hala"}], devices=[{"mac": str(DESK), "site": "Hala"}, {"mac": str(HALL)}]
    )
    return firma


@pytest.mark.parametrize(
    ("of", "name", "written"),
    [("settings", PERIOD, PERIOD), ("phone", "vlan_id", "static.network.vlan.internet_port_vid")],
)
async def test_the_nearest_word_holds_and_null_takes_it_back(
    hall: Installation, of: str, name: str, written: str
):
    untouched = (await exact(hall)).get(written)
    for number, level in enumerate(LEVELS, start=101):
        await say(hall, level, {of: {name: str(number)}})
        assert (await exact(hall))[written] == str(number), level
    for number, level in reversed(list(enumerate(LEVELS, start=101))):
        assert (await exact(hall))[written] == str(number), level
        await say(hall, level, {of: {name: None}})
    assert (await exact(hall)).get(written) == untouched


async def test_a_site_speaks_to_the_phones_that_stand_there(hall: Installation):
    plan = await say(hall, "site", {"settings": {PERIOD: "101"}})
    assert phones(plan) == {str(DESK)}
    plan = await just(hall, devices=[{"mac": str(DESK), "site": None}, {"mac": str(HALL), "site": "Hala"}])
    assert phones(plan) == {str(DESK), str(HALL)}
    assert (await exact(hall, HALL))[PERIOD] == "101"
    assert (await exact(hall)).get(PERIOD) != "101"


async def test_a_model_speaks_to_its_own_phones(firma: Installation):
    assert phones(await say(firma, "model", {"settings": {PERIOD: "101"}})) == {str(DESK)}


@pytest.mark.parametrize("level", ["vendor", "customer"])
@pytest.mark.parametrize(
    ("name", "knows", "ignores"),
    [
        ("account.1.check_cseq.enable", DESK, HALL),
        ("account.1.reregister_enable", HALL, DESK),
        ("account.16.label", DESK, HALL),
    ],
)
async def test_a_wide_word_reaches_only_the_phones_that_know_it(
    firma: Installation, level: str, name: str, knows: MacAddress, ignores: MacAddress
):
    plan = await say(firma, level, {"settings": {name: "1"}})
    assert (await exact(firma, knows))[name] == "1"
    assert name not in await exact(firma, ignores)
    assert phones(plan) == {str(knows)}


async def test_a_vendors_word_changes_the_files_of_every_customer_and_of_first_contact(firma: Installation):
    await put(firma, other(devices=[phone(MacAddress("001565000009"), "T54W", "48333000001")]))
    await put(firma, vendors=[{"vendor": "yealink", "phone": {"language": "pl"}}])
    plan = await put(firma, vendors=[{"vendor": "yealink", "phone": {"time_zone": "Asia/Tokyo"}}])
    assert phones(plan) == {str(DESK), str(HALL), "00:15:65:00:00:09"}
    assert {"T46S", "VP530P", "T54W"} <= {file.owner for file in plan.files}
    current = await content_of_model(firma.database, "T46S", FIRST_CONTACT)
    assert current is not None
    async with firma.database.read() as session:
        revision = await session.get_one(RevisionRow, current.revision_id)
        entry = await session.get_one(AuditRow, revision.audit_id)
    assert dict(cfg.parse(current.text))["local_time.time_zone"] == "+9"
    assert (revision.actor, revision.cause) == ("cli", "apply test.yaml")
    assert "time zone" in (entry.plan or "")


async def test_the_zone_of_a_phone_is_the_nearest_one_and_the_customers_otherwise(firma: Installation):
    name = "local_time.time_zone"
    assert (await exact(firma))[name] == "+1"
    await just(firma, time_zone="Europe/London")
    assert (await exact(firma))[name] == "0"
    await say(firma, "vendor", {"phone": {"time_zone": "Asia/Tokyo"}})
    assert (await exact(firma))[name] == "+9"
    await say(firma, "device", {"phone": {"time_zone": "America/New_York"}})
    assert (await exact(firma))[name] == "-5"
    assert (await exact(firma, HALL))[name] == "+9"


async def test_an_inherited_server_of_calls_is_turned_off_by_an_empty_text(firma: Installation):
    await just(firma, phone={"outbound_proxy": "proxy.example.com:5070"})
    assert (await exact(firma))["account.1.outbound_proxy.1.address"] == "proxy.example.com"
    await say(firma, "device", {"phone": {"outbound_proxy": ""}})
    assert "proxy.example.com" not in (await exact(firma)).values()
    assert "proxy.example.com" in (await exact(firma, HALL)).values()


@pytest.mark.parametrize("level", LEVELS)
async def test_a_secret_word_reaches_the_phone_and_no_stored_text(hall: Installation, level: str):
    plan = await say(hall, level, {"settings": {"ldap.password": "Tajne-1"}})
    assert "Tajne" not in "".join(said(plan))
    assert (await exact(hall))["ldap.password"] == "Tajne-1"
    plan = await say(hall, level, {"settings": {"ldap.password": "Tajne-2"}})
    assert str(DESK) in phones(plan)
    assert (await exact(hall))["ldap.password"] == "Tajne-2"
    masked = await device_files.render_device(hall, DESK, mask=True)
    assert "Tajne" not in masked
    assert "/ldap.password@2»" in masked
    async with hall.database.read() as session:
        texts = await session.scalars(select(RevisionRow.content))
        assert not any("Tajne" in text for text in texts)
    await say(hall, level, {"settings": {"ldap.password": None}})
    assert "ldap.password" not in await exact(hall)


async def test_a_secret_word_of_a_site_with_an_odd_name_reaches_the_phone(firma: Installation):
    site = {"name": "Hala 2/3 @ góra: «x»", "settings": {"ldap.password": "Tajne-1"}}
    await just(firma, sites=[site], devices=[{"mac": str(DESK), "site": site["name"]}, {"mac": str(HALL)}])
    assert (await exact(firma))["ldap.password"] == "Tajne-1"


async def test_a_secret_word_may_be_moved_from_level_to_level(firma: Installation):
    await say(firma, "customer", {"settings": {"ldap.password": "Tajne-1"}})
    await put(
        firma,
        small(
            settings={"ldap.password": None},
            devices=[
                phone(DESK, "T46S", ONE, settings={"ldap.password": "Tajne-2"}),
                phone(HALL, "VP530P", TWO),
            ],
        ),
    )
    assert (await exact(firma))["ldap.password"] == "Tajne-2"
    assert "ldap.password" not in await exact(firma, HALL)


async def test_a_boot_file_is_there_while_boot_mode_is_on(firma: Installation):
    async def boots() -> set[str]:
        async with firma.database.read() as session:
            rows = await session.scalars(
                select(DeviceFileRow.name).where(
                    DeviceFileRow.name == "boot", DeviceFileRow.current_revision_id.is_not(None)
                )
            )
            return set(rows)

    assert await boots() == set()
    plan = await say(firma, "customer", {"phone": {"boot_mode": "true"}})
    assert f"{DESK.hex}.boot" in {file.file for file in plan.files}
    assert f"{HALL.hex}.boot" not in {file.file for file in plan.files}
    await say(firma, "customer", {"phone": {"boot_mode": None}})
    assert await boots() == set()
    plan = await say(firma, "customer", {"phone": {"boot_mode": "true"}})
    numbers = {file.file: file.number for file in plan.files}
    assert numbers[f"{DESK.hex}.boot"] == 2


async def test_settings_null_takes_all_of_a_level_back(firma: Installation):
    await just(firma, settings={PERIOD: "101", "ldap.password": "Tajne-1"})
    plan = await just(firma, settings=None)
    assert len(said(plan)) == 2
    assert (await just(firma, settings=None)).changes == ()
    assert "ldap.password" not in await exact(firma)
