"""A bad company file is refused whole, and every fault has its place in the file."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.files.company import read_company_file
from provisioner.files.errors import FileErrors
from provisioner.operations.companies import apply
from provisioner.operations.installation import Installation
from tests.provisioner.operations.small import (
    DESK,
    HALL,
    ONE,
    TWO,
    dump,
    just,
    line,
    phone,
    put,
    small,
    written,
)


async def refused(installation: Installation, text: str) -> list[tuple[str, str]]:
    """What the file is refused with: the line of the file at each fault, and the message."""
    before = await dump(installation)
    with pytest.raises(FileErrors) as found:
        await apply(installation, read_company_file(text.encode(), "firma.yaml"), COMMAND_LINE)
    assert await dump(installation) == before
    lines = text.splitlines()
    faults = []
    for item in found.value.items:
        assert item.column >= 1
        assert f"firma.yaml: line {item.line}, column {item.column}: " in str(found.value)
        faults.append((lines[item.line - 1].strip(" -"), item.message))
    return faults


def desk(**more: Any) -> list[dict[str, Any]]:
    return [phone(DESK, "T46S", ONE, **more), phone(HALL, "VP530P", TWO)]


@pytest.mark.parametrize(
    ("changes", "place", "words"),
    [
        ({"centrex": {"pickup": {"prefix": "*33"}, "intercom": {"prefix": "*33"}}}, "", r"\*33"),
        (
            {"extensions": [{"number": "600"}], "hunt_groups": [{"number": "600"}]},
            "number: '600'",
            "hunt group 600",
        ),
        ({"lines": [line(ONE), {"number": TWO}]}, f"number: '{TWO}'", "give it a product"),
        ({"lines": [line(ONE), line(TWO, product="gold")]}, f"number: '{TWO}'", "no product 'gold'"),
        (
            {"devices": [*desk(), {"mac": "001565000003"}]},
            "mac: '001565000003'",
            "give it a model",
        ),
        (
            {"devices": [phone(DESK, "T46Z", ONE), phone(HALL, "VP530P", TWO)]},
            f"mac: {DESK}",
            "T46Z.*T46",
        ),
        (
            {"devices": desk(keys=[{"key": 28, "type": "blf", "value": "102"}])},
            f"mac: {DESK}",
            "27",
        ),
        (
            {"devices": desk(keys=[{"type": "blf", "value": "102"}] * 40)},
            f"mac: {DESK}",
            "27",
        ),
        (
            {"devices": desk(settings={"ldap.pasword": "x"})},
            "ldap.pasword: x",
            r"T?.*did you mean ldap\.password",
        ),
        (
            {"devices": desk(settings={"account.1.auto_dial_enable": "perhaps"})},
            "account.1.auto_dial_enable: perhaps",
            "not a switch",
        ),
        (
            {"devices": desk(settings={"account.1.password": "x"})},
            "account.1.password: x",
            "is its line's: give it there",
        ),
        (
            {"settings": {"static.security.user_password": "admin:x"}},
            "static.security.user_password: admin:x",
            "passwords of its own",
        ),
        (
            {"devices": desk(settings={"account.17.label": "x"})},
            "account.17.label: x",
            "from 1 to 16",
        ),
        ({"settings": {"no.such_thing": "1"}}, "no.such_thing: '1'", "customer firma: no phone has a para"),
        ({"settings": {"local_time.time_format": "7"}}, "local_time.time_format: '7'", "none of 0, 1"),
        (
            {"sites": [{"name": "Hala", "settings": {"local_time.formt": "1"}}]},
            "local_time.formt: '1'",
            "site Hala: no phone has a parameter 'local_time.formt': did you mean local_time",
        ),
    ],
)
async def test_what_does_not_fit_is_named_at_its_place(
    installation: Installation, changes: dict[str, Any], place: str, words: str
):
    faults = await refused(installation, written(small(**changes)))
    assert any(at == place or not place for at, _ in faults), faults
    with pytest.raises(AssertionError, match=words):
        raise AssertionError("\n".join(message for _, message in faults))


@pytest.mark.parametrize(
    ("vendor", "place", "words"),
    [
        ({"settings": {"no.such": "1"}}, "no.such: '1'", "vendor yealink: no phone has a parameter"),
        ({"models": [{"model": "T46Z"}]}, "model: T46Z", "T46"),
        (
            {"models": [{"model": "SIP-T46S", "settings": {"no.such": "1"}}]},
            "no.such: '1'",
            "model SIP-T46S: no phone has",
        ),
        (
            {"models": [{"model": "T46S"}, {"model": "sip-t46s"}]},
            "model: sip-t46s",
            "is there already as T46S",
        ),
    ],
)
async def test_what_is_wrong_with_a_vendor_is_named_at_its_place(
    firma: Installation, vendor: dict[str, Any], place: str, words: str
):
    faults = await refused(firma, written(vendors=[{"vendor": "yealink", **vendor}]))
    assert [at for at, _ in faults] == [place]
    assert words in faults[0][1]


async def test_a_vendors_word_that_a_phone_can_not_bear_names_the_phone_though_the_file_does_not(
    firma: Installation,
):
    text = written(vendors=[{"vendor": "yealink", "phone": {"codecs": ["opus"]}}])
    (fault,) = await refused(firma, text)
    assert fault[1].startswith(f"device {HALL}: account 1 has no codec")


async def test_two_faults_of_one_file_are_both_named(firma: Installation):
    faults = await refused(
        firma,
        written(
            small(
                devices=[
                    phone(DESK, "T46S", ONE, settings={"a.b": "1"}),
                    phone(HALL, "VP530P", TWO, settings={"c.d": "1"}),
                ]
            )
        ),
    )
    assert [at for at, _ in faults] == ["a.b: '1'", "c.d: '1'"]


async def test_a_setting_that_a_new_model_does_not_know_is_named_at_the_phone(firma: Installation):
    await just(firma, devices=desk(settings={"features.dnd.allow": "1"}))
    text = written({"login": "firma", "devices": [{"mac": str(DESK), "model": "VP530P"}, {"mac": str(HALL)}]})
    (fault,) = await refused(firma, text)
    assert fault[0] == f"mac: {DESK}"


async def test_a_model_is_known_by_every_spelling(installation: Installation):
    def models(name: str, **options: Any) -> list[dict[str, Any]]:
        return [{"vendor": "yealink", "models": [{"model": name, "phone": options}]}]

    await put(installation, vendors=models("T46S", lldp=True))
    plan = await put(installation, vendors=models("SIP-T46S", vlan_id=5))
    assert [str(change) for change in plan.changes] == ["change model T46S: phone vlan id: none -> 5"]
