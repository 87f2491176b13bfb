"""Firmware versions and the names of firmware files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_templates.yealink.firmware import (
    FirmwareVersion,
    age,
    models_of_prefix,
    parse_file_name,
    parse_version,
)
from phone_templates.yealink.models import Model, all_models, find_model

numbers = st.integers(0, 9999)
texts = st.lists(st.one_of(st.integers(0, 12), numbers), min_size=3, max_size=4).map(
    lambda parts: ".".join(map(str, parts))
)


def version(text: str) -> FirmwareVersion:
    parsed = parse_version(text)
    assert parsed is not None
    return parsed


def is_newer(model: str, one: str, other: str) -> bool:
    first, second = age(find_model(model), version(one)), age(find_model(model), version(other))
    assert first is not None
    assert second is not None
    return first > second


@st.composite
def of_one_model(draw: st.DrawFn, count: int) -> tuple[Model, list[FirmwareVersion]]:
    model = draw(st.sampled_from(all_models()))
    prefixes = st.sampled_from(model.firmware_prefixes)
    return model, [version(f"{draw(prefixes)}.{draw(texts)}") for _ in range(count)]


@given(of_one_model(3))
def test_the_versions_of_one_model_stand_in_one_order(drawn: tuple[Model, list[FirmwareVersion]]):
    model, versions = drawn
    ages = [age(model, each) for each in versions]
    assert all(each is not None for each in ages)
    one, two, three = ages
    assert sum((one < two, one == two, one > two)) == 1  # type: ignore[operator]
    if one <= two <= three:  # type: ignore[operator]
        assert one <= three  # type: ignore[operator]


@given(of_one_model(1), st.integers(1, 3), st.integers(1, 500))
def test_whichever_number_grows_the_version_is_newer(
    drawn: tuple[Model, list[FirmwareVersion]], place: int, growth: int
):
    model, (older,) = drawn
    grown = list(older.numbers)
    grown[place] += growth
    # What stands behind counts for nothing then.
    newer = FirmwareVersion((*grown[: place + 1], 0))
    assert age(model, newer) > age(model, older)  # type: ignore[operator]


@given(texts)
def test_a_version_reads_as_it_is_written(text: str):
    assert parse_version(str(version(text))) == version(text)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("66.86.0.9", "66.86.0.15"),
        ("66.9.0.1", "66.86.0.1"),
        ("66.86.0.15", "66.87.0.1"),
        ("66.86.0", "66.86.0.1"),
        ("66.86.0.99", "66.86.1.0"),
    ],
)
def test_numbers_count_as_numbers_and_not_as_texts(older: str, newer: str):
    assert is_newer("T46S", newer, older)
    assert not is_newer("T46S", older, newer)


def test_a_number_that_is_left_out_is_nought():
    model = find_model("T46S")
    assert age(model, version("66.86.0")) == age(model, version("66.86.0.0"))


@pytest.mark.parametrize(
    ("model", "older", "newer"),
    [
        ("T41S", "68.81.0.110", "66.82.0.10"),
        ("T48S", "65.83.0.1", "66.82.0.10"),
        ("T53", "95.85.0.5", "96.85.0.1"),
    ],
)
def test_a_model_that_changed_its_prefix_has_newer_versions_under_the_later_one(
    model: str, older: str, newer: str
):
    assert is_newer(model, newer, older)


def test_a_version_of_another_prefix_is_neither_older_nor_newer():
    assert age(find_model("T46S"), version("28.83.0.1")) is None


@pytest.mark.parametrize(
    ("name", "text", "models"),
    [
        ("66.86.0.15.rom", "66.86.0.15", []),
        ("T46S-66.86.0.15.rom", "66.86.0.15", ["T46S"]),
        ("SIP-T46S-66.86.0.15.ROM", "66.86.0.15", ["T46S"]),
        ("T46S_T48S-66.86.0.15.rom", "66.86.0.15", ["T46S", "T48S"]),
        ("T21P_E2-52.84.0.15.rom", "52.84.0.15", ["T21P_E2"]),
        ("vp530p_23.70.0.40.rom", "23.70.0.40", ["VP530P"]),
        ("T4XS-release-66.86.0.15.rom", "66.86.0.15", []),
    ],
)
def test_the_name_of_a_file_says_its_version_and_perhaps_its_models(name: str, text: str, models: list[str]):
    named = parse_file_name(name)
    assert named is not None
    assert str(named.version) == text
    assert [model.name for model in named.models] == [find_model(model).name for model in models]


@pytest.mark.parametrize(
    "name",
    ["new.rom", "66.86.0.rom", "66.86.0.15", "66.86.0.15.zip", "66.86.0.15 (1).rom", "T46S66.86.0.15.rom"],
)
def test_a_name_that_says_no_version_is_none(name: str):
    assert parse_file_name(name) is None


def test_a_prefix_stands_for_a_series():
    assert {"T41S", "T42S", "T46S", "T48S"} <= {model.name for model in models_of_prefix(66)}
    assert models_of_prefix(9999) == ()
