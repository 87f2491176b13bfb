"""Phones from a spreadsheet: all rows or none, and nothing that they don't say is touched."""

from __future__ import annotations

import pytest

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.files.devices_csv import read_devices_csv
from provisioner.files.errors import FileErrors
from provisioner.operations import devices
from provisioner.operations.customer_step import Plan
from provisioner.operations.installation import Installation
from tests.provisioner.operations.small import (
    DESK,
    HALL,
    ONE,
    TWO,
    audits,
    dump,
    exact,
    just,
    line,
    other,
    put,
    said,
)

NEW, NEWER = MacAddress("001565000003"), MacAddress("001565000004")
THREE = "48221110003"
HEADER = "mac;model;line;extension;name;site"


async def listed(installation: Installation, *rows: str, login: str = "firma", dry_run: bool = False) -> Plan:
    text = "\r\n".join((HEADER, *rows))
    read = read_devices_csv(text.encode("cp1250"), "telefony.csv")
    return await devices.import_devices(installation, login, read, COMMAND_LINE, dry_run=dry_run)


@pytest.fixture
async def three(firma: Installation) -> Installation:
    """The small company with a line and a site to spare."""
    await just(firma, lines=[line(ONE), line(TWO), line(THREE)], sites=[{"name": "Hala"}])
    return firma


async def test_a_row_makes_the_phone_and_its_extension(three: Installation):
    plan = await listed(three, f"{NEW.hex};SIP-T46S;{THREE};103;Żaneta;Hala")
    assert said(plan) == [
        f"add extension 103: line {THREE}, name Żaneta",
        f"add device {NEW}: model T46S, site Hala, name Żaneta, accounts 1: {THREE}",
    ]
    settings = await exact(three, NEW)
    assert settings["account.1.user_name"] == THREE
    assert settings["account.1.label"] == "Żaneta"
    details = await devices.show_device(three, NEW)
    assert (details.summary.rung, details.summary.site) == ("listed", "Hala")
    entry = (await audits(three))[-1]
    assert (entry.verb, entry.subject, entry.summary) == ("devices.import", "firma", "import telefony.csv")
    assert entry.customer_id is not None


async def test_a_dry_run_keeps_nothing_and_says_what_the_real_run_does(three: Installation):
    before = await dump(three)
    row = f"{NEW.hex};T46S;{THREE};103;Żaneta;Hala"
    planned = await listed(three, row, dry_run=True)
    assert await dump(three) == before
    assert await listed(three, row) == planned
    assert planned.files


async def test_the_same_list_again_changes_nothing(three: Installation):
    row = f"{NEW.hex};T46S;{THREE};103;Żaneta;Hala"
    await listed(three, row)
    assert await listed(three, row) == Plan()


async def test_a_phone_that_is_there_takes_the_row_and_keeps_its_secrets_and_keys(three: Installation):
    keys = [{"key": 2, "type": "blf", "value": "102", "label": "Biuro"}]
    await just(three, devices=[{"mac": str(DESK), "keys": keys}, {"mac": str(HALL)}])
    old = await exact(three)
    plan = await listed(three, f"{DESK.hex};T54W;;;Portiernia;")
    assert said(plan) == [
        f"change device {DESK}: model: T46S -> T54W",
        f'change device {DESK}: name: "" -> Portiernia',
    ]
    new = await exact(three)
    assert new["linekey.2.value"] == "102"
    for name in ("account.1.password", "static.auto_provision.server.url"):
        assert new[name] == old[name]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (f"{NEWER.hex};T46S;48999999999;;;", "there is no line 48999999999"),
        (f"{NEWER.hex};T46Z;{THREE};;;", "T46Z"),
        (f"{NEWER.hex};T46S;{THREE};;;Strych", "there is no site 'Strych'"),
        (f"{NEWER.hex};T46S;{THREE};600;;", "600"),
        (f"{NEWER.hex};T46S;{THREE};101;;", "rings line"),
    ],
)
async def test_a_bad_row_is_named_and_none_is_kept(three: Installation, bad: str, words: str):
    before = await dump(three)
    with pytest.raises(FileErrors) as refused:
        await listed(three, f"{NEW.hex};T46S;{THREE};103;Żaneta;Hala", bad)
    message = str(refused.value)
    assert "telefony.csv: row 3" in message
    assert words in message
    assert await dump(three) == before


async def test_another_customers_phone_is_refused_at_its_row_without_saying_whose(three: Installation):
    await put(three, other())
    with pytest.raises(FileErrors, match=r"row 2: .*already in use") as refused:
        await listed(three, f"{DESK.hex};T46S;48333000001;;;", login="inna")
    assert "firma" not in str(refused.value)


async def test_an_unknown_customer_is_refused(three: Installation):
    with pytest.raises(NotFound, match="there is no customer 'nikt'"):
        await listed(three, f"{NEW.hex};T46S;{THREE};;;", login="nikt")
