"""Company files become what phones get: all of it or nothing, and a second time nothing."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from db.schema import HuntGroupMemberRow
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import CentralkaError, NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.files.company import read_company_file
from provisioner.files.errors import FileErrors
from provisioner.operations import claims, device_files, devices
from provisioner.operations.companies import apply, change_customer
from provisioner.operations.installation import Installation
from tests.provisioner.conftest import SAMPLE
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
    phone,
    phones,
    put,
    said,
    small,
)

THREE = "48221110003"


async def test_applying_the_same_file_again_changes_nothing(sample: Installation):
    before = await dump(sample)
    plan = await apply(sample, read_company_file(SAMPLE.read_bytes()), COMMAND_LINE)
    assert plan.changes == ()
    assert plan.files == ()
    assert await dump(sample) == before


async def test_a_dry_run_keeps_nothing_and_says_exactly_what_the_real_run_does(sample: Installation):
    file = read_company_file(
        SAMPLE.read_text().replace("Anna Żółkiewska", "Ewa Nowak").replace("g722, pcma", "pcma").encode()
    )
    before = await dump(sample)
    planned = await apply(sample, file, COMMAND_LINE, dry_run=True)
    assert await dump(sample) == before
    assert planned.changes
    assert len(phones(planned)) == 5
    assert await apply(sample, file, COMMAND_LINE) == planned


async def test_a_dry_run_of_a_new_company_names_all_its_files_and_makes_none(installation: Installation):
    before = await dump(installation)
    planned = await put(installation, small(), dry_run=True)
    assert await dump(installation) == before
    assert phones(planned) == {str(DESK), str(HALL)}
    assert await put(installation, small()) == planned


@pytest.mark.parametrize(
    "spoilt",
    [
        other(lines=[line(ONE)]),
        other(devices=[phone(MacAddress("001565000009"), "T46S", "48333000001", settings={"no.such": "1"})]),
        other(extensions=[{"number": "1234567"}]),
        other(name=None) | {"name": "Inna", "lines": [{"number": "48333000001"}]},
    ],
)
async def test_one_refused_customer_keeps_the_whole_file_out(firma: Installation, spoilt: dict[str, object]):
    before = await dump(firma)
    with pytest.raises(FileErrors):
        await put(firma, small(name="Firma 2"), spoilt, vendors=[{"vendor": "yealink", "settings": {}}])
    assert await dump(firma) == before


async def test_what_a_file_does_not_name_is_untouched(firma: Installation):
    await put(firma, other())
    before = await dump(firma)
    plan = await just(firma, name="Firma 2")
    after = await dump(firma)
    assert said(plan) == ["change customer firma: name: Firma -> Firma 2"]
    changed = {table for table in before if before[table] != after[table]}
    assert changed == {"customers", "audit", "revisions", "device_files", "changes"}


async def test_a_list_that_is_there_is_complete_and_the_plan_says_what_goes(firma: Installation):
    plan = await just(firma, devices=[{"mac": str(HALL)}])
    assert [change for change in said(plan) if change.startswith("remove")] == [
        f"remove device {DESK}: model T46S, accounts 1: {ONE}"
    ]
    assert [each.mac for each in await devices.list_devices(firma)] == [str(HALL)]
    assert phones(plan) == set()
    assert (await exact(firma, HALL))["account.1.user_name"] == TWO


async def test_a_removed_phone_that_comes_back_is_another_one(firma: Installation):
    await claims.claim(firma, DESK, COMMAND_LINE)
    before = await exact(firma)
    await just(firma, devices=[phone(HALL, "VP530P", TWO)])
    await just(firma, devices=[phone(HALL, "VP530P", TWO), phone(DESK, "T46S", ONE)])
    after = await exact(firma)
    assert before["account.1.password"] == after["account.1.password"]
    url = "static.auto_provision.server.url"
    assert before[url] != after[url]
    assert (await device_files.history_of(firma, DESK))[0].number == 1


async def test_a_line_goes_with_the_phone_and_the_extension_that_used_it(firma: Installation):
    plan = await just(
        firma,
        lines=[line(TWO)],
        extensions=[{"number": "102"}],
        hunt_groups=[{"number": "600", "members": [{"extension": "102"}]}],
        devices=[{"mac": str(HALL)}],
    )
    assert sum(change.startswith("remove") for change in said(plan)) == 3
    assert await just(firma, lines=[line(TWO)]) == type(plan)()


async def test_a_line_goes_while_its_phone_moves_to_another_in_the_same_file(firma: Installation):
    plan = await just(
        firma,
        lines=[line(TWO), line(THREE)],
        extensions=[{"number": "101", "line": THREE}, {"number": "102"}],
        devices=[phone(DESK, "T46S", THREE), {"mac": str(HALL)}],
    )
    assert phones(plan) == {str(DESK)}
    assert (await exact(firma))["account.1.user_name"] == THREE


async def test_a_line_in_use_does_not_go_alone(firma: Installation):
    with pytest.raises(FileErrors, match=f"there is no line {ONE}"):
        await just(firma, lines=[line(TWO)])


async def test_an_extension_goes_and_its_group_with_it(firma: Installation):
    await just(firma, extensions=[{"number": "102"}], hunt_groups=[])
    assert (await just(firma, extensions=[{"number": "102"}], hunt_groups=[])).changes == ()


async def test_an_extension_goes_out_of_the_groups_that_stay(firma: Installation):
    groups = [{"number": "600", "members": [{"extension": "102"}]}]
    plan = await just(firma, extensions=[{"number": "102"}], hunt_groups=groups)
    assert "change hunt group 600: member 101 is taken out" in said(plan)
    assert (await just(firma, hunt_groups=groups)).changes == ()


async def test_groups_that_hold_groups_come_and_go_in_any_order(firma: Installation):
    inner = {"number": "601", "members": [{"extension": "101"}]}
    outer = {"number": "600", "members": [{"group": "601"}, {"extension": "102"}]}
    await just(firma, hunt_groups=[outer, inner])
    assert (await just(firma, hunt_groups=[inner, outer])).changes == ()
    turned = [
        {"number": "600", "members": [{"extension": "102"}]},
        {"number": "601", "members": [{"group": "600"}]},
    ]
    await just(firma, hunt_groups=turned)
    assert (await just(firma, hunt_groups=turned)).changes == ()
    await just(firma, hunt_groups=[{"number": "600", "members": [{"extension": "102"}]}])
    assert [each.split(":")[0] for each in said(await just(firma, hunt_groups=[]))] == [
        "remove hunt group 600"
    ]


async def test_who_has_logged_out_of_a_group_stays_out_when_its_members_change(firma: Installation):
    async with firma.database.change() as session:
        first = (await session.scalars(select(HuntGroupMemberRow).order_by("position"))).first()
        assert first is not None
        first.logged_in = False
    members = [{"extension": "102"}, {"extension": "101", "ring_time": 30}]
    await just(firma, hunt_groups=[{"number": "600", "members": members}])
    async with firma.database.read() as session:
        rows = (await session.scalars(select(HuntGroupMemberRow).order_by("position"))).all()
    assert [(row.ring_time_s, row.logged_in) for row in rows] == [(15, True), (30, False)]


async def test_a_site_goes_and_takes_its_settings_from_the_phones_that_stood_there(firma: Installation):
    site = {"name": "Magazyn", "phone": {"vlan_id": 120}}
    await just(
        firma, sites=[site], devices=[{"mac": str(DESK), "site": "Magazyn"}, {"mac": str(HALL)}]
    )
    assert (await exact(firma))["static.network.vlan.internet_port_vid"] == "120"
    with pytest.raises(FileErrors, match="Magazyn"):
        await just(firma, sites=[])
    await just(firma, sites=[], devices=[{"mac": str(DESK), "site": None}, {"mac": str(HALL)}])
    assert "static.network.vlan.internet_port_vid" not in await exact(firma)
    await just(firma, sites=[{"name": "Magazyn"}], devices=[{"mac": str(DESK), "site": "Magazyn"}])
    assert "static.network.vlan.internet_port_vid" not in await exact(firma)


async def test_a_line_moves_from_one_phone_to_another_in_one_file(firma: Installation):
    before = await exact(firma)
    plan = await just(firma, devices=[phone(DESK, "T46S"), phone(HALL, "VP530P", ONE, TWO)])
    assert phones(plan) == {str(DESK), str(HALL)}
    assert "account.1.password" not in await exact(firma)
    moved = await exact(firma, HALL)
    assert moved["account.1.password"] == before["account.1.password"]
    assert moved["account.2.user_name"] == TWO


async def test_two_extensions_swap_their_lines(firma: Installation):
    plan = await just(
        firma, extensions=[{"number": "101", "line": TWO}, {"number": "102", "line": ONE}]
    )
    assert said(plan) == [
        f"change extension 101: line: {ONE} -> {TWO}",
        f"change extension 102: line: {TWO} -> {ONE}",
    ]
    assert (await exact(firma))["account.1.label"] == "Biuro"


async def test_accounts_of_a_phone_swap_their_lines(firma: Installation):
    await just(firma, devices=[phone(DESK, "T46S", ONE, TWO), {"mac": str(HALL)}])
    await just(firma, devices=[phone(DESK, "T46S", TWO, ONE), {"mac": str(HALL)}])
    settings = await exact(firma)
    assert [settings[f"account.{n}.user_name"] for n in (1, 2)] == [TWO, ONE]


async def test_codes_swap(firma: Installation):
    codes = {"group_login": "*51", "group_logout": "*50"}
    await just(firma, centrex={"codes": codes})
    assert (await just(firma, centrex={"codes": codes})).changes == ()
    await just(firma, centrex={"codes": {"group_login": "*50", "group_logout": "*51"}})
    assert (await dump(firma))["feature_codes"] == []


async def test_prefixes_swap(firma: Installation):
    await just(firma, centrex={"park": {"prefix": "*71", "retrieve_prefix": "*70"}})
    plan = await just(firma, centrex={"park": {"prefix": "*70", "retrieve_prefix": "*71"}})
    assert len(plan.changes) == 2


async def test_a_renamed_extension_is_renamed_on_its_phone_and_in_the_phone_book(firma: Installation):
    plan = await just(firma, extensions=[{"number": "101", "name": "Portiernia"}, {"number": "102"}])
    assert {file.file for file in plan.files} == {f"{DESK.hex}.cfg", "phonebook.xml"}
    assert (await exact(firma))["account.1.display_name"] == "Portiernia"


async def test_a_phone_that_is_replaced_by_another_model_keeps_its_secrets(firma: Installation):
    old = await exact(firma)
    plan = await just(firma, devices=[{"mac": str(DESK), "model": "SIP-T28P"}, {"mac": str(HALL)}])
    assert f"change device {DESK}: model: T46S -> T28P" in said(plan)
    assert {file.file for file in plan.files} == {f"{DESK.hex}.cfg", "y000000000000.cfg"}
    new = await exact(firma)
    for name in ("account.1.password", "auto_provision.server.url", "security.user_password"):
        assert (old.get(f"static.{name}") or old[name]) == new[name], name


@pytest.mark.parametrize("theirs", [{"lines": [line(ONE)]}, {"devices": [phone(DESK, "T46S")]}])
async def test_what_another_customer_has_is_refused_without_saying_whose_it_is(
    firma: Installation, theirs: dict[str, object]
):
    with pytest.raises(FileErrors, match="is already in use") as refused:
        await put(firma, other(**theirs))
    assert "firma" not in str(refused.value).casefold()


async def test_a_phone_changes_its_owner_when_the_file_gives_it_up_first(firma: Installation):
    old = await exact(firma)
    await put(
        firma,
        small(devices=[phone(HALL, "VP530P", TWO)]),
        other(devices=[phone(DESK, "T46S", "48333000001")]),
    )
    new = await exact(firma)
    url = "static.auto_provision.server.url"
    assert old[url] != new[url]


async def test_every_secret_survives_every_later_file(firma: Installation):
    await claims.claim(firma, DESK, COMMAND_LINE)
    before = await dump(firma)
    settings = await exact(firma)
    await put(firma, small(name="Firma 2", time_zone="Europe/London", phone={"lldp": True}))
    after = await dump(firma)
    kept = ("device_tokens", "claims", "users")
    assert {table: after[table] for table in kept} == {table: before[table] for table in kept}
    new = await exact(firma)
    for name in settings:
        if "password" in name or "url" in name:
            assert new.get(name) == settings[name], name


async def test_a_given_password_changes_exactly_the_files_that_hold_it(firma: Installation):
    await just(firma, devices=[{"mac": str(DESK)}, phone(HALL, "VP530P", TWO, ONE)])
    plan = await just(firma, lines=[line(ONE), line(TWO, password="Tajne-123")])
    assert said(plan) == [f"change line {TWO}: a new password"]
    assert [file.file for file in plan.files] == [f"{HALL.hex}.cfg"]
    assert (await exact(firma, HALL))["account.1.password"] == "Tajne-123"
    again = await just(firma, lines=[line(ONE), line(TWO, password="Tajne-123")])
    assert again.changes == ()
    both = await just(firma, lines=[line(ONE, password="Inne-456"), line(TWO)])
    assert phones(both) == {str(DESK), str(HALL)}


async def test_a_new_line_takes_the_password_that_it_is_given(installation: Installation):
    await put(installation, small(lines=[line(ONE, password="Tajne-123"), line(TWO)]))
    assert (await exact(installation))["account.1.password"] == "Tajne-123"


async def test_names_of_every_script_reach_the_phones(firma: Installation):
    name = "Łódź — 日本 مرحبا Ω 🎷"
    await just(firma, extensions=[{"number": "101", "name": name}, {"number": "102"}])
    assert (await exact(firma))["account.1.label"] == name
    assert (await just(firma, extensions=[{"number": "101", "name": name}, {"number": "102"}])).changes == ()


async def test_a_customer_with_three_hundred_phones_is_applied(installation: Installation):
    numbers = [f"4855{n:07}" for n in range(300)]
    macs = [MacAddress(f"805ec0{n:06x}") for n in range(300)]
    company = other(
        centrex={"extension_length": 4},
        lines=[line(number) for number in numbers],
        extensions=[{"number": f"{1000 + n}", "line": number} for n, number in enumerate(numbers)],
        devices=[phone(mac, "T46S", number) for mac, number in zip(macs, numbers, strict=True)],
    )
    plan = await put(installation, company)
    assert len(phones(plan)) == 300
    assert (await put(installation, company)).changes == ()


async def test_each_run_that_changes_something_is_one_entry_of_the_audit(firma: Installation):
    await put(firma, small())
    await put(firma, small(name="Firma 2"), other())
    first, second = await audits(firma)
    assert (first.verb, first.subject, first.actor, first.role) == ("apply", "test.yaml", "cli", "operator")
    assert first.customer_id is not None
    assert second.customer_id is None
    assert "change customer firma: name: Firma -> Firma 2" in (second.plan or "")


async def test_two_runs_at_once_are_done_one_after_the_other(firma: Installation):
    plans = await asyncio.gather(
        *(
            put(firma, {"login": f"firma{n}", "name": f"Firma {n}", "lines": [line(f"4877000000{n}")]})
            for n in range(4)
        ),
        just(firma, name="Firma 2"),
        just(firma, language="en"),
    )
    assert all(plan.changes for plan in plans)
    customers = (await dump(firma))["customers"]
    assert len(customers) == 5
    assert any("'Firma 2', 'en'" in row for row in customers)
    numbers = [each.number for each in await device_files.history_of(firma, DESK)]
    assert numbers == list(range(len(numbers), 0, -1))


async def test_runs_at_once_that_want_the_same_line_leave_it_to_one(installation: Installation):
    outcomes = await asyncio.gather(
        put(installation, other("jedna")), put(installation, other("druga")), return_exceptions=True
    )
    assert sorted(isinstance(outcome, CentralkaError) for outcome in outcomes) == [False, True]
    assert len((await dump(installation))["lines"]) == 1


async def test_an_unknown_customer_is_not_changed_but_refused(firma: Installation):
    with pytest.raises(NotFound, match="there is no customer 'nikt'"):
        await change_customer(firma, "nikt", lambda customer: customer, COMMAND_LINE, "x", "x")
