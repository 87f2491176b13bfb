from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_templates.catalogue import Generation
from phone_templates.spec import Key, KeyType, Phone
from phone_templates.yealink.key_types import Bank
from phone_templates.yealink.layout import BadKey, Place, TooManyKeys, lay_out
from phone_templates.yealink.models import all_models, find_model
from tests.phone_templates.sample_phones import OFFICE, RECEPTION, make_phone


def fits(key_type: KeyType, bank: Bank) -> bool:
    return key_type is not KeyType.LINE or bank is not Bank.MEMORY


def laid(phone: Phone) -> dict[str, Key]:
    places = lay_out(find_model(phone.model), phone, fits)
    return {place.name: key for place, key in places.items() if key is not None}


def blf(value: str, **place: int) -> Key:
    return Key(KeyType.BLF, value, **place)


def test_each_account_has_its_own_line_key() -> None:
    phone = make_phone(accounts=(RECEPTION, OFFICE))
    assert laid(phone) == {
        "linekey.1": Key(KeyType.LINE, account=1),
        "linekey.2": Key(KeyType.LINE, account=2),
    }


def test_a_chosen_place_wins_over_an_accounts_own_line_key() -> None:
    phone = make_phone(accounts=(RECEPTION, OFFICE), keys=(blf("102", key=2),))
    assert laid(phone) == {"linekey.1": Key(KeyType.LINE, account=1), "linekey.2": blf("102", key=2)}


def test_a_line_key_put_elsewhere_is_not_doubled() -> None:
    line = Key(KeyType.LINE, account=1, key=9)
    assert laid(make_phone(keys=(line,))) == {"linekey.9": line}


def test_a_line_key_without_a_place_takes_the_button_of_its_account() -> None:
    line = Key(KeyType.LINE, label="Zarząd", account=2)
    phone = make_phone(accounts=(RECEPTION, OFFICE), keys=(blf("102"), line))
    assert laid(phone)["linekey.2"] is line
    assert laid(phone)["linekey.3"] == blf("102")


def test_keys_without_a_place_fill_line_keys_then_memory_keys_then_modules() -> None:
    model = find_model("T28P")
    assert model.expansion is not None
    room = model.line_keys + model.memory_keys + 2
    keys = tuple(blf(str(200 + number)) for number in range(room - 1))
    phone = make_phone("T28P", Generation.V71, keys=keys, modules=1)
    names = list(laid(phone))
    assert names[:6] == [f"linekey.{number}" for number in range(1, 7)]
    assert names[6:16] == [f"memorykey.{number}" for number in range(1, 11)]
    assert names[16:] == ["expansion_module.1.key.1", "expansion_module.1.key.2"]


def test_a_key_skips_a_bank_that_cannot_be_it() -> None:
    keys = (*(blf(str(number)) for number in range(5)), Key(KeyType.LINE, account=1))
    phone = make_phone("T28P", Generation.V71, keys=keys, accounts=(replace(RECEPTION, number=1),))
    assert laid(phone)["linekey.1"].type is KeyType.LINE
    extra = (*keys, Key(KeyType.LINE, account=1))
    with pytest.raises(TooManyKeys):
        laid(replace(phone, keys=extra))


def test_too_many_keys_are_refused_with_what_the_phone_has() -> None:
    keys = tuple(blf(str(number)) for number in range(100, 104))
    with pytest.raises(TooManyKeys, match="T23P has 3 line keys, and 2 of its keys found no place"):
        laid(make_phone("T23G", Generation.V80, keys=keys))


def test_a_phone_without_keys_takes_none() -> None:
    assert laid(make_phone("W52P", Generation.V81)) == {}
    with pytest.raises(TooManyKeys):
        laid(make_phone("W52P", Generation.V81, keys=(blf("102"),)))


def test_two_keys_on_one_button_are_both_named() -> None:
    keys = (blf("102", key=5), Key(KeyType.PARK, label="Parkuj", key=5))
    with pytest.raises(BadKey, match=r"linekey\.5 .*'102'.*'Parkuj'"):
        laid(make_phone(keys=keys))


@pytest.mark.parametrize(
    ("model", "modules", "place", "message"),
    [
        ("T46S", 0, {"key": 28}, "27 line keys"),
        ("T46S", 0, {"memory": 1}, "27 line keys"),
        ("T46S", 0, {"module": 1, "key": 1}, "no module attached"),
        ("T46S", 1, {"module": 2, "key": 1}, "1 modules of 40 keys"),
        ("T46S", 1, {"module": 1, "key": 41}, "1 modules of 40 keys"),
        ("T46S", 1, {"module": 1}, "no key of it"),
        ("T46S", 0, {"key": 1, "memory": 1}, "one place"),
        ("T46S", 0, {"key": 0}, "27 line keys"),
        ("T46S", 7, {"key": 1}, "at most 6"),
        ("T23G", 1, {"key": 1}, "no expansion modules"),
        ("T27P", 1, {"module": 1, "key": 21}, "modules of"),
    ],
)
def test_a_place_that_the_phone_has_not_is_refused(
    model: str, modules: int, place: dict[str, int], message: str
) -> None:
    with pytest.raises(BadKey, match=message):
        laid(make_phone(model, keys=(blf("102", **place),), modules=modules))


def test_a_button_that_cannot_be_a_line_is_refused() -> None:
    with pytest.raises(BadKey, match=r"memorykey\.1 .* can't be a line key"):
        laid(make_phone("T28P", Generation.V71, keys=(Key(KeyType.LINE, memory=1),)))


def test_a_button_that_does_not_exist_is_left_out_of_a_module() -> None:
    phone = make_phone("T27P", Generation.V80, modules=1)
    places = lay_out(find_model("T27P"), phone, fits)
    module = [place.number for place in places if place.bank is Bank.EXPANSION]
    assert 21 not in module
    assert len(module) == 39


def test_every_button_of_the_phone_is_told_of_once() -> None:
    for model in all_models():
        if model.sectioned:
            continue
        modules = model.expansion.modules if model.expansion else 0
        phone = make_phone(model.name, model.generations[-1], modules=modules)
        places = list(lay_out(model, phone, fits))
        on_modules = modules * len(model.expansion.usable_keys) if model.expansion else 0
        assert len(places) == len(set(places)) == model.line_keys + model.memory_keys + on_modules


@given(st.data())
def test_keys_are_all_laid_or_refused(data: st.DataObject) -> None:
    place = st.one_of(
        st.just({}),
        st.builds(lambda key: {"key": key}, st.integers(0, 8)),
        st.builds(lambda memory: {"memory": memory}, st.integers(0, 11)),
        st.builds(lambda module, key: {"module": module, "key": key}, st.integers(1, 2), st.integers(1, 3)),
    )
    types = data.draw(st.lists(st.sampled_from(list(KeyType)), max_size=20))
    keys = tuple(Key(key_type, str(n), **data.draw(place)) for n, key_type in enumerate(types))
    phone = make_phone("T28P", Generation.V71, keys=keys, modules=1)
    try:
        found = laid(phone)
    except (BadKey, TooManyKeys):
        return
    # Compared by identity: equal keys are still two keys.
    assert {id(key) for key in keys} <= {id(key) for key in found.values()}
    for key in keys:
        if key.key is not None and key.module is None:
            assert found[Place(Bank.LINE, key.key).name] is key
