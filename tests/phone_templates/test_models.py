"""Phone models against the facts that were gathered about them (vectors/yealink/models.csv)."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from pathlib import Path

import pytest

from phone_templates.catalogue import Generation
from phone_templates.yealink.models import (
    BadFirmware,
    UnknownModel,
    UnwritableModel,
    all_models,
    find_model,
    known_model,
    model_for_cfg_number,
    models_for_cfg_number,
)

FACTS = list(
    csv.DictReader((Path(__file__).parents[1] / "vectors/yealink/models.csv").open(encoding="utf-8"))
)
# A row counts with two sources; where sources conflict there are two at least.
SOLID = [row for row in FACTS if re.match(r"[2-9]src|conflict", row["confidence"])]
THIN = [row for row in FACTS if row not in SOLID]


def first_number(text: str) -> int:
    return int(re.findall(r"\d+", text)[0])


@pytest.mark.parametrize("row", SOLID, ids=lambda row: row["names"])
def test_every_model_of_two_sources_is_known_with_its_files_accounts_and_keys(row):
    models = {find_model(name).name for name in row["names"].split("/")}
    assert len(models) == 1
    model = find_model(row["names"].split("/")[0])
    assert first_number(row["cfg_file"]) in model.cfg_numbers
    assert row["cfg_file"] in model.model_files
    assert first_number(row["firmware_prefix"]) in model.firmware_prefixes
    assert model.line_keys == int(row["line_keys"])
    # Where two figures are given both are facts, of different firmware.
    assert str(model.accounts) in re.findall(r"\d+", row["accounts"])
    assert model.sources >= 2
    oldest, newest = (int(re.findall(r"\d+", row["generation"])[place]) for place in (0, -1))
    if newest >= 70:
        assert model.oldest == max(oldest, 70)
        if not row["generation"].endswith("+"):
            assert model.newest == newest


@pytest.mark.parametrize(
    ("name", "memory_keys", "programable_keys"),
    [
        ("T28P", 10, 14),
        ("T26P", 10, 14),
        ("T22P", 0, 13),
        ("T20P", 0, 9),
        ("T21P", 0, 11),
        ("T19P", 0, 11),
        ("T38G", 10, None),
        ("VP530P", 10, None),
    ],
)
def test_the_older_phones_have_memory_and_programable_keys(name, memory_keys, programable_keys):
    model = find_model(name)
    assert (model.memory_keys, model.programable_keys) == (memory_keys, programable_keys)


def test_no_newer_phone_has_memory_keys():
    assert not [model.name for model in all_models() if model.memory_keys and model.newest >= 80]


def test_there_are_as_many_models_as_solid_rows():
    assert len(SOLID) == 57
    assert len(all_models()) == len(SOLID)


@pytest.mark.parametrize("row", THIN, ids=lambda row: row["names"])
def test_a_model_of_one_source_or_none_is_not_guessed_at(row):
    for name in row["names"].split("/"):
        assert known_model(name.strip()) is None


def test_no_two_models_claim_one_name():
    names = [name for model in all_models() for name in model.names]
    assert len(names) == len(set(names))
    for model in all_models():
        for name in model.names:
            assert find_model(name) is model


def test_a_cfg_number_is_shared_only_where_the_facts_say_so():
    owners = defaultdict(set)
    for model in all_models():
        for number in model.cfg_numbers:
            owners[number].add(model.name)
    shared = {number: names for number, names in owners.items() if len(names) > 1}
    assert shared == {95: {"T53", "T53W"}, 77: {"W60B", "CP930W"}, 58: {"T58", "T56A"}}


def test_a_shared_cfg_number_belongs_first_to_the_model_that_is_surest():
    assert model_for_cfg_number(77).name == "W60B"
    assert model_for_cfg_number(58).name == "T58"
    assert [model.name for model in models_for_cfg_number(95)] == ["T53", "T53W"]
    assert model_for_cfg_number(186) is None


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("T46S", "T46S"),
        ("SIP-T46S", "T46S"),
        ("Yealink SIP-T46S", "T46S"),
        ("t46s ", "T46S"),
        ("yealink-T46G", "T46G"),
        ("vp530p", "VP530P"),
        ("VP-530", "VP530P"),
        ("SIP VP-T49G", "T49G"),
        ("T21P_E2", "T21P_E2"),
        ("sip-t21p e2", "T21P_E2"),
        ("T21P", "T21P"),
        ("T53C", "T53W"),
        ("T53", "T53"),
        ("W60P", "W60B"),
    ],
)
def test_a_model_is_found_in_any_spelling(spelling, name):
    assert find_model(spelling).name == name


def test_an_unknown_model_is_refused_with_the_nearest_names():
    with pytest.raises(UnknownModel, match="T46U, T46S, T46G"):
        find_model("T46X")
    with pytest.raises(UnknownModel, match="is not a phone model we know"):
        find_model("Cisco 7940" * 1000)


@pytest.mark.parametrize(
    ("model", "firmware", "generation"),
    [
        ("VP530P", "23.70.0.40", Generation.V70),
        ("VP530P", None, Generation.V70),
        ("VP530P", "23.86.0.1", Generation.V70),
        ("T28P", "2.60.0.100", Generation.V70),
        ("T28P", "2.73.0.50", Generation.V71),
        ("T46G", "28.71.0.81", Generation.V71),
        ("T46G", "28.80.0.95", Generation.V80),
        ("T46G", None, Generation.V81),
        ("T46S", "66.84.0.15", Generation.V81),
        ("T46S", "66.85.0.5", Generation.V81),
        ("T46S", "66.86.0.15", Generation.V86),
        ("T54W", None, Generation.V86),
        ("W52P", "25.30.0.2", Generation.V70),
        ("W52P", "25.81.0.10", Generation.V81),
        ("T19P_E2", "53.70.0.1", Generation.V80),
    ],
)
def test_firmware_tells_the_generation_and_is_clamped_to_what_the_model_had(model, firmware, generation):
    assert find_model(model).generation(firmware) is generation


@pytest.mark.parametrize("firmware", ["", "latest", "84", "66.eighty", "66.84.0.15; rm"])
def test_what_is_no_firmware_version_is_refused(firmware):
    with pytest.raises(BadFirmware, match="write it like"):
        find_model("T46S").generation(firmware)


def test_a_model_whose_files_have_another_format_says_that_it_cannot_be_written():
    model = find_model("SIP-T18P")
    assert model.generations == ()
    with pytest.raises(UnwritableModel, match=r"T18.*web page"):
        model.generation()


def test_every_other_model_has_a_generation():
    for model in all_models():
        if not model.sectioned:
            assert model.generation() in model.generations


@pytest.mark.parametrize(("model", "v71", "newest"), [("T41P", 3, 6), ("T42G", 3, 12), ("T46G", 6, 16)])
def test_firmware_v71_has_fewer_accounts(model, v71, newest):
    assert find_model(model).accounts_for(Generation.V71) == v71
    assert find_model(model).accounts_for(Generation.V80) == newest


def test_the_t56a_answers_to_both_files_that_sources_name_and_says_so():
    model = find_model("T56A")
    assert model.model_files == ("y000000000056.cfg", "y000000000058.cfg")
    assert any("y000000000056.cfg" in doubt for doubt in model.doubts)


@pytest.mark.parametrize(
    ("model", "keys", "modules"),
    [("T46S", 40, 6), ("T54W", 60, 3), ("T43U", 60, 3), ("T27P", 40, 6), ("T38G", 38, 6)],
)
def test_expansion_modules_have_the_keys_of_their_model(model, keys, modules):
    expansion = find_model(model).expansion
    assert (expansion.keys, expansion.modules) == (keys, modules)


def test_key_21_of_an_exp20_has_no_button():
    expansion = find_model("T29G").expansion
    assert len(expansion.usable_keys) == 39
    assert 21 not in expansion.usable_keys


def test_only_t32g_and_t38g_count_blf_lines_from_zero():
    assert [model.name for model in all_models() if model.zero_based_blf_lines] == ["T32G", "T38G"]


def test_memory_keys_are_known_only_of_old_desk_phones():
    keys = {model.name: model.memory_keys for model in all_models() if model.memory_keys}
    assert keys == {"T28P": 10, "T26P": 10, "T38G": 10, "VP530P": 10}
