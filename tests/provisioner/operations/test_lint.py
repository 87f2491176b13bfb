"""Lint of what is stored and of company files: all that `apply` would refuse, and more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from db.schema import DeviceRow
from provisioner.centrex.errors import CentralkaError
from provisioner.centrex.mac import MacAddress
from provisioner.files.errors import FileErrors
from provisioner.operations.installation import Installation
from provisioner.operations.lint import lint_file, lint_stored
from provisioner.phones.lint.finding import Finding, Severity
from provisioner.settings import Listen, Public
from tests.provisioner.conftest import SAMPLE, apply_text
from tests.provisioner.operations.small import (
    DESK,
    HALL,
    ONE,
    TWO,
    dump,
    just,
    line,
    other,
    phone,
    put,
    small,
    written,
)

SPARE = MacAddress("001565000009")


async def look(installation: Installation, *customers: dict[str, Any], **more: Any) -> list[Finding]:
    return await lint_file(installation, written(*customers, **more).encode(), "test.yaml")


def found(findings: list[Finding]) -> list[tuple[str, str, str | None]]:
    """All but hints, such as that a VP530P's memory keys are known from one source."""
    return [
        (each.code, str(each.subject), each.customer)
        for each in findings
        if each.severity is not Severity.HINT
    ]


def errors(findings: list[Finding]) -> list[Finding]:
    return [each for each in findings if each.severity is Severity.ERROR]


async def test_the_sample_company_has_no_error_as_a_file_and_stored(installation: Installation):
    as_file = await lint_file(installation, SAMPLE.read_bytes(), SAMPLE.name)
    assert errors(as_file) == []
    await apply_text(installation, SAMPLE.read_text("utf-8"))
    stored = await lint_stored(installation)
    assert errors(stored) == []
    assert found(stored) == found(await lint_file(installation, SAMPLE.read_bytes(), SAMPLE.name))
    assert {each.line for each in stored} == {None}


async def test_a_file_is_linted_over_what_is_stored_and_nothing_is_kept(firma: Installation):
    before = await dump(firma)
    findings = await look(firma, {"login": "firma", "phone": {"srtp": "optional"}})
    assert found(findings) == [
        ("srtp-without-tls", f"device {DESK}", "firma"),
        ("srtp-without-tls", f"device {HALL}", "firma"),
    ]
    assert await dump(firma) == before
    assert found(await lint_stored(firma)) == []


REFUSED = (
    small(devices=[phone(DESK, "T99", ONE)]),
    small(devices=[phone(DESK, "T18", ONE)]),
    small(devices=[phone(DESK, "T46S", ONE, modules=6, settings={"account.99.label": "x"})]),
    small(devices=[phone(DESK, "T46S", ONE, keys=[{"type": "blf", "value": "102", "key": 40}])]),
    small(devices=[phone(DESK, "T46S", ONE, keys=[{"type": "intercom", "value": "102"}])]),
    small(devices=[phone(DESK, "T46S", ONE, keys=[{"type": "paging", "value": "nowhere"}])]),
    small(devices=[phone(DESK, "T46S", ONE, keys=[{"type": "blf", "value": "102"}] * 30)]),
    small(devices=[phone(DESK, "T46S", ONE, keys=[{"type": "voice_mail"}])]),
    small(devices=[phone(DESK, "T46S", ONE, phone={"ringtones": ["a.wav", "b.wav"]})]),
    small(devices=[phone(DESK, "T22P", ONE, phone={"codecs": ["opus"]})]),
    small(devices=[phone(DESK, "T46S", ONE, ONE, account=1)]) | {"extensions": [{"number": "1"}]},
    small(devices=[phone(DESK, "T30", ONE, TWO)]),
    small(settings={"no.such": "1"}),
    small(sites=[{"name": "Biuro", "settings": {"account.1.transport": "9"}}]),
    small(extensions=[{"number": "101"}, {"number": "112"}]),
    small(hunt_groups=[{"number": "600", "members": [{"extension": "199"}]}]),
    small(lines=[line(TWO)]),
    small(lines=[line(ONE, product="no-such-product"), line(TWO)]),
    other(lines=[line(ONE)]),
    other(devices=[phone(DESK, "T46S", "48333000001")]),
    {"login": "nowa"},
    small(devices=[{"mac": str(SPARE)}]),
)


@pytest.mark.parametrize("refused", REFUSED, ids=range(len(REFUSED)))
async def test_what_apply_refuses_lint_finds_as_an_error(firma: Installation, refused: dict[str, Any]):
    with pytest.raises(CentralkaError):
        await put(firma, refused, dry_run=True)
    assert errors(await look(firma, refused))


async def test_what_apply_takes_has_no_error_that_it_could_not_be_applied(firma: Installation):
    await put(firma, small(name="Firma 2"), other(), dry_run=True)
    assert errors(await look(firma, small(name="Firma 2"), other())) == []


async def test_every_customer_of_a_file_is_looked_at_though_apply_stops_at_the_first(firma: Installation):
    findings = await look(
        firma, small(extensions=[{"number": "1"}]), other(lines=[line(ONE)]), {"login": "nowa"}
    )
    assert {each.customer for each in errors(findings)} == {"firma", "inna", "nowa"}


async def test_findings_name_the_line_of_the_file(firma: Installation):
    text = f"""\
customers:
  - login: firma
    devices:
      - mac: {HALL}
      - mac: {DESK}
        settings:
          lang.gui: Polish
          no.such: "1"
"""
    (finding,) = errors(await lint_file(firma, text.encode(), "test.yaml"))
    assert (finding.code, finding.line) == ("bad-setting", 8)


async def test_a_file_that_can_not_be_read_is_itself_a_finding(firma: Installation):
    text = "customers:\n  - login: firma\n    nmae: Firma\n"
    (finding,) = await lint_file(firma, text.encode(), "test.yaml")
    assert (finding.code, finding.severity, finding.subject) == ("bad-file", Severity.ERROR, None)
    assert finding.line == 3
    assert "did you mean name?" in finding.message


async def test_a_line_that_one_customer_gives_up_may_go_to_the_next(firma: Installation):
    gives = small(
        lines=[line(TWO)],
        extensions=[{"number": "102", "line": TWO}],
        hunt_groups=[],
        devices=[phone(HALL, "VP530P", TWO)],
    )
    takes = other(lines=[line(ONE)], devices=[phone(DESK, "T46S", ONE)])
    await put(firma, gives, takes, dry_run=True)
    assert errors(await look(firma, gives, takes)) == []


async def test_two_new_customers_of_one_file_can_not_have_one_phone(installation: Installation):
    first = other("inna", devices=[phone(SPARE, "T46S", "48333000001")])
    second = other("druga", lines=[line(TWO)], devices=[phone(SPARE, "T46S", TWO)])
    with pytest.raises(FileErrors):
        await put(installation, first, second, dry_run=True)
    assert ("contradiction", f"device {SPARE}", "druga") in found(await look(installation, first, second))


async def test_what_is_said_of_a_vendor_is_looked_at_on_the_phones_of_all_customers(firma: Installation):
    vendors = [
        {
            "vendor": "yealink",
            "settings": {"memorykey.1.label": "x", "wui.http_enable": "1"},
            "models": [{"model": "SIP-T46S", "phone": {"firmware": "66.86.0.1.rom"}}],
        }
    ]
    findings = await look(firma, vendors=vendors)
    assert ("firmware-missing", f"device {DESK}", "firma") in found(findings)


@pytest.mark.parametrize(
    "level",
    [{"settings": {"no.such": "1"}}, {"models": [{"model": "SIP-T46S", "settings": {"no.such": "1"}}]}],
)
async def test_a_parameter_that_no_phone_knows_is_found_at_every_level_of_a_file(
    firma: Installation, level: dict[str, Any]
):
    refused = errors(await look(firma, vendors=[{"vendor": "yealink", **level}]))
    assert [each.customer for each in refused] == [None]
    assert all(each.line for each in refused)


async def test_an_unknown_model_of_a_vendor_is_found(firma: Installation):
    refused = errors(await look(firma, vendors=[{"vendor": "yealink", "models": [{"model": "T0"}]}]))
    assert [(str(each.subject), each.line) for each in refused] == [("model T0", 4)]


async def test_what_a_phone_calls_itself_is_compared_with_the_list(firma: Installation):
    async with firma.database.change() as session:
        row = await session.scalar(select(DeviceRow).where(DeviceRow.mac == DESK.hex))
        assert row is not None
        row.agent_seen = "Yealink SIP-T23G 44.84.0.15 00:15:65:00:00:01"
    assert found(await lint_stored(firma)) == [("other-model", f"device {DESK}", "firma")]


async def test_passwords_that_a_file_gives_are_looked_at_and_never_shown(firma: Installation):
    given = {"login": "firma", "lines": [line(ONE, password='bardzo"tajne'), line(TWO)]}
    findings = await look(firma, given)
    assert ("password-untypeable", f"line {ONE}", "firma") in found(findings)
    assert "tajne" not in str(findings)
    await put(firma, given)
    assert ("password-untypeable", f"line {ONE}", "firma") in found(await lint_stored(firma))


async def test_files_that_are_there_are_not_missed(firma: Installation):
    await just(firma, phone={"logo": "logo.jpg"})
    assert {code for code, *_ in found(await lint_stored(firma))} == {"media-missing"}
    firma.media_dir("firma").mkdir()
    (firma.media_dir("firma") / "logo.jpg").write_bytes(b"picture")
    assert found(await lint_stored(firma)) == []


WRONG = {
    "too-many-keys": small(devices=[phone(DESK, "T46S", ONE, keys=[{"type": "blf", "value": "102"}] * 30)]),
    "impossible-key": small(
        devices=[phone(DESK, "T46S", ONE, keys=[{"type": "paging", "value": "192.0.2.7:10008"}])]
    ),
    "codec-lacking": small(devices=[phone(DESK, "T22P", ONE, phone={"codecs": ["opus", "pcma"]})]),
    "firmware-prefix": small(devices=[phone(DESK, "T46S", ONE, phone={"firmware": "96.86.0.20.rom"})]),
    "password-untypeable": small(lines=[line(ONE, password='bardzo"tajne'), line(TWO)]),
    "contradiction": other(devices=[phone(DESK, "T46S", "48333000001")]),
}
"What an operator does wrong most: keys, features of another generation, firmware, passwords, one MAC twice."


@pytest.mark.parametrize("code", WRONG)
async def test_what_people_do_wrong_most_has_a_code_and_advice(firma: Installation, code: str):
    wrong = [each for each in await look(firma, WRONG[code]) if each.code == code]
    assert wrong
    assert all(each.advice and each.line for each in wrong)


async def test_a_mac_that_stands_twice_in_one_file_is_found_before_lint_looks_at_phones(firma: Installation):
    (finding,) = await look(firma, small(devices=[phone(DESK, "T46S", ONE), phone(DESK, "T54W", TWO)]))
    assert (finding.code, finding.severity) == ("bad-file", Severity.ERROR)
    assert str(DESK) in finding.message
    assert finding.line


@pytest.mark.parametrize(
    ("listen", "lost"),
    [
        ({"provisioning_tls": "0.0.0.0:443"}, {str(HALL)}),
        ({"provisioning_tls": "0.0.0.0:443", "provisioning_legacy_tls": "10.0.0.1:8444"}, {str(HALL)}),
        ({"provisioning_legacy_tls": "10.0.0.1:443"}, set()),
    ],
)
async def test_an_old_phone_is_lost_on_a_listener_of_tls_1_2_alone(
    firma: Installation, listen: dict[str, str], lost: set[str]
):
    settings = firma.settings.model_copy(
        update={"listen": Listen(**listen), "public": Public(provisioning_url="https://pbx.example.com")}
    )
    findings = await lint_stored(replace(firma, settings=settings))
    old = {each.subject.name for each in findings if each.code == "old-tls-provisioning" and each.subject}
    assert old == lost
