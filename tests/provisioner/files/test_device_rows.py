"""A list of phones is laid over a customer, all rows or none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisioner.centrex.company import check_whole
from provisioner.centrex.customer import Customer, Extension, Line, Site
from provisioner.centrex.devices import Device, DeviceAccount, Key, KeyType
from provisioner.centrex.mac import MacAddress
from provisioner.centrex.problems import Contradictions
from provisioner.files.device_rows import at_rows, merge_rows
from provisioner.files.devices_csv import read_devices_csv
from provisioner.files.errors import FileErrors

FIRST, SECOND = "48223809887", "48223809986"
OLD = Device(
    MacAddress("0015654aa937"),
    "VP530P",
    site="Biuro",
    name="Recepcja",
    accounts=(DeviceAccount(1, FIRST, label="Recepcja"), DeviceAccount(2, SECOND)),
    keys=(Key(KeyType.LINE, key=1),),
    settings={"a.b": "1"},
)
FIRM = Customer(
    "firma",
    "Firma",
    sites=(Site("Biuro"), Site("Magazyn")),
    lines=(Line(FIRST, "telefonia-ip-plus"), Line(SECOND, "telefonia-ip-plus")),
    extensions=(Extension("101", FIRST, "Recepcja"), Extension("106")),
    devices=(OLD,),
)
NEW = MacAddress("001565000001")


def merged(*rows: str) -> Customer:
    text = "\n".join(("mac,model,line,extension,name,site", *rows))
    return merge_rows(FIRM, read_devices_csv(text.encode(), "telefony.csv"))


def errors_of(*rows: str) -> list[tuple[int, str, str]]:
    with pytest.raises(FileErrors) as refused:
        merged(*rows)
    return [(error.line, error.path, error.message) for error in refused.value.items]


def test_a_row_makes_the_device_and_the_extension_with_its_name() -> None:
    customer = merged(f"{NEW},T46S,{SECOND},102,Anna,Magazyn")
    assert customer.devices == (
        OLD,
        Device(NEW, "T46S", site="Magazyn", name="Anna", accounts=(DeviceAccount(1, SECOND),)),
    )
    assert customer.extensions == (*FIRM.extensions, Extension("102", SECOND, "Anna"))
    check_whole(customer, {}, {})


def test_account_1_is_the_line_of_the_extension_where_the_row_gives_none() -> None:
    customer = merged(f"{NEW},T46S,,101,Anna,")
    assert customer.devices[1].accounts == (DeviceAccount(1, FIRST),)
    assert customer.extensions == FIRM.extensions


def test_an_extension_without_a_line_gets_that_of_the_row() -> None:
    assert merged(f"{NEW},T46S,{SECOND},106,Anna,").extensions[1] == Extension("106", SECOND)


def test_a_row_without_line_and_extension_lists_a_phone_without_accounts() -> None:
    assert merged(f"{NEW},T46S,,,,").devices[1] == Device(NEW, "T46S")


def test_a_phone_that_is_there_takes_what_the_row_gives_and_keeps_the_rest() -> None:
    (device,) = merged(f"{OLD.mac},T46S,{SECOND},,,Magazyn").devices
    accounts = (DeviceAccount(1, SECOND), DeviceAccount(2, SECOND))
    assert device == replace(OLD, model="T46S", site="Magazyn", accounts=accounts)
    assert merged(f"{OLD.mac},VP530P,{FIRST},101,,").devices == (OLD,)


def test_two_phones_may_share_a_new_extension() -> None:
    customer = merged(f"{NEW},T46S,{SECOND},102,Anna,", f"001565000002,T54W,{SECOND},102,Anna,")
    assert [device.accounts for device in customer.devices[1:]] == [(DeviceAccount(1, SECOND),)] * 2
    assert len(customer.extensions) == 3


def test_importing_twice_is_importing_once() -> None:
    listed = read_devices_csv(f"mac,model,line,extension,name\n{NEW},T46S,{SECOND},102,Anna\n".encode())
    once = merge_rows(FIRM, listed)
    assert merge_rows(once, listed) == once


def test_every_row_that_does_not_fit_is_named() -> None:
    assert errors_of(
        f"{NEW},T46S,48220000000,,,",
        "001565000002,T46S,,,,Dom",
        f"001565000003,T46S,{SECOND},101,,",
        "001565000004,T46S,,109,,",
        "001565000005,T46S,,106,,",
        f"001565000006,T46S,{SECOND},7,,",
        f"001565000007,T46S,{SECOND},1007,,",
    ) == [
        (2, "line", "there is no line 48220000000: add it to the customer first"),
        (3, "site", "there is no site 'Dom': add it to the customer first"),
        (
            4,
            "extension",
            f"extension 101 rings line {FIRST}, but the row gives line {SECOND}: correct one of them",
        ),
        (5, "line", "extension 109 has no line yet: give the row the line that it rings"),
        (6, "line", "extension 106 has no line yet: give the row the line that it rings"),
        (
            7,
            "extension",
            "extension 7 has 1 digit, the company's have 3 (did the spreadsheet drop leading zeros of 007?)",
        ),
        (8, "extension", "extension 1007 has 4 digits, the company's have 3"),
    ]


def test_contradictions_with_the_rest_are_placed_at_their_rows() -> None:
    listed = read_devices_csv(
        f"mac,model,line,extension\n{OLD.mac},T46S,,101\n{NEW},T46S,{SECOND},112\n".encode(), "telefony.csv"
    )
    with pytest.raises(Contradictions) as refused:
        check_whole(merge_rows(FIRM, listed), {}, {NEW: "rywal"})
    phone, extension = str(at_rows(listed, refused.value)).splitlines()
    assert phone.startswith(f"telefony.csv: row 3: device {NEW} is already in use: ")
    assert extension.startswith("telefony.csv: row 3: extension 112 hides the emergency number 112: ")
