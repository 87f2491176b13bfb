"""Nothing that can be dialled may hide something else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.centrex.customer import (
    Centrex,
    Customer,
    Extension,
    FeatureCodes,
    HuntGroup,
    Park,
    SpeedDial,
    SpeedDialEntry,
)
from provisioner.centrex.errors import Conflict
from provisioner.centrex.numbering import numbering_problems
from provisioner.centrex.problems import Contradictions, Kind, Subject, refuse

FIRM = Customer(
    login="firma",
    name="Firma",
    centrex=Centrex(
        intercom_prefix="*33",
        speed_dial=SpeedDial(
            entries=(
                SpeedDialEntry("1", "48225550111"),
                SpeedDialEntry("34", "48225550112"),
                SpeedDialEntry("345"),
            )
        ),
    ),
    extensions=(Extension("101", name="Recepcja"), Extension("102")),
    hunt_groups=(HuntGroup("600", name="Sprzedaż"),),
)


def with_short(*entries: SpeedDialEntry) -> Customer:
    return replace(FIRM, centrex=replace(FIRM.centrex, speed_dial=SpeedDial(entries=entries)))


def problems_of(customer: Customer) -> list[str]:
    return [problem.message for problem in numbering_problems(customer)]


def test_the_defaults_and_the_numbers_of_the_manual_collide_nowhere() -> None:
    refuse(numbering_problems(FIRM))
    refuse(numbering_problems(Customer("pusta", "Pusta")))


def test_an_extension_that_is_an_emergency_number_is_refused_and_both_are_named() -> None:
    customer = replace(FIRM, extensions=(Extension("112", name="Recepcja"),))
    with pytest.raises(Conflict, match=r"extension 112 \(Recepcja\) hides the emergency number 112"):
        refuse(numbering_problems(customer))


def test_emergency_numbers_belong_to_the_country_and_can_be_given() -> None:
    customer = replace(FIRM, extensions=(Extension("911"),))
    refuse(numbering_problems(customer))
    with pytest.raises(Conflict, match="hides the emergency number 911"):
        refuse(numbering_problems(customer, emergency_numbers=frozenset({"911"})))


@pytest.mark.parametrize("target", ["", "112"])
def test_a_short_number_may_dial_an_emergency_number_as_it_is(target: str) -> None:
    refuse(numbering_problems(with_short(SpeedDialEntry("112", target))))


def test_a_short_number_may_not_lead_an_emergency_number_elsewhere() -> None:
    with pytest.raises(Conflict, match=r"short number 112 \(Szef\) hides the emergency number 112"):
        refuse(numbering_problems(with_short(SpeedDialEntry("112", "48225550111", "Szef"))))


def test_a_code_that_is_a_prefix_of_another_is_refused_and_both_are_named() -> None:
    customer = replace(FIRM, centrex=replace(FIRM.centrex, pickup_prefix="*2"))
    with pytest.raises(
        Conflict, match=r"code \*2 \(pickup\) is a prefix of code \*21\* \(forward_always_on\)"
    ):
        refuse(numbering_problems(customer))


def test_two_services_with_one_code_are_one_problem() -> None:
    customer = replace(FIRM, centrex=replace(FIRM.centrex, park=Park(prefix="*40")))
    assert problems_of(customer) == ["code *40 (pickup) is the same as code *40 (park): change one of them"]


def test_a_code_of_digits_hides_extensions_groups_short_and_emergency_numbers() -> None:
    customer = replace(FIRM, centrex=replace(FIRM.centrex, pickup_prefix="1", intercom_prefix="60"))
    assert problems_of(customer) == [
        "code 60 (intercom) is a prefix of hunt group 600 (Sprzedaż) and hides it: change one of them",
        "code 1 (pickup) is a prefix of the emergency number 112 and hides it: change the code",
        "code 1 (pickup) is a prefix of extension 101 (Recepcja) and hides it: change one of them",
        "code 1 (pickup) is a prefix of extension 102 and hides it: change one of them",
        "code 1 (pickup) is a prefix of short number 1 and hides it: change one of them",
    ]


def test_a_service_that_is_off_hides_nothing() -> None:
    off = replace(FIRM.centrex, intercom_prefix=None, pickup_prefix=None, park=None)
    codes = replace(off.codes, hide_number="*40", show_number="*70")
    refuse(numbering_problems(replace(FIRM, centrex=replace(off, codes=codes))))


def test_a_group_or_short_number_may_not_equal_an_extension() -> None:
    customer = replace(with_short(SpeedDialEntry("102", "48225550111")), hunt_groups=(HuntGroup("101"),))
    assert problems_of(customer) == [
        "hunt group 101 has the same number as extension 101 (Recepcja): give one of them another number",
        "short number 102 has the same number as extension 102: give one of them another number",
    ]


@pytest.mark.parametrize(("number", "digits"), [("1001", "4 digits"), ("10", "2 digits"), ("1", "1 digit")])
def test_an_extension_of_another_length_is_orphaned_and_named(number: str, digits: str) -> None:
    customer = replace(FIRM, extensions=(Extension(number, name="Anna"),))
    with pytest.raises(
        Conflict, match=rf"extension {number} \(Anna\) has {digits}, but the company's extensions have 3"
    ):
        refuse(numbering_problems(customer))


def test_a_short_number_beyond_the_maximum_is_refused() -> None:
    with pytest.raises(Conflict, match="short number 3456 has 4 digits, but short numbers have at most 3"):
        refuse(numbering_problems(with_short(SpeedDialEntry("3456"))))


def test_a_number_or_code_of_a_wrong_form_is_refused() -> None:
    codes = FeatureCodes(dnd_on="*26x")
    customer = replace(FIRM, extensions=(Extension("1a1"),), centrex=replace(FIRM.centrex, codes=codes))
    problems = list(numbering_problems(customer))
    assert [problem.subject for problem in problems] == [
        Subject(Kind.CODE, "dnd_on"),
        Subject(Kind.EXTENSION, "1a1"),
    ]


@pytest.mark.parametrize("return_after", [-1, 0, 7201])
def test_a_parked_call_returns_within_two_hours(return_after: int) -> None:
    customer = replace(FIRM, centrex=replace(FIRM.centrex, park=Park(return_after=return_after)))
    with pytest.raises(Conflict, match="must be from 1 to 7200"):
        refuse(numbering_problems(customer))


def test_every_collision_is_reported_in_one_refusal() -> None:
    customer = replace(FIRM, extensions=(Extension("112"), Extension("999"), Extension("600")))
    with pytest.raises(Contradictions) as refused:
        refuse(numbering_problems(customer))
    assert len(refused.value.problems) == 3
    assert str(refused.value).count("\n") == 2
    assert refused.value.code == "conflict"


CODE = st.text("*#0123456789", min_size=1, max_size=4)


@given(
    pickup=CODE,
    extension=st.text("0123456789", min_size=3, max_size=3),
    short=st.text("0123456789", min_size=1),
)
def test_what_passes_hides_nothing(pickup: str, extension: str, short: str) -> None:
    customer = replace(
        with_short(SpeedDialEntry(short, "48225550111")),
        extensions=(Extension(extension),),
        hunt_groups=(),
    )
    customer = replace(customer, centrex=replace(customer.centrex, pickup_prefix=pickup))
    hidden = any(number.startswith(pickup) for number in (extension, short, "112", "997", "998", "999"))
    wrong = (
        hidden or extension == short or {extension, short} & {"112", "997", "998", "999"} or len(short) > 3
    )
    others = [code for code in _all_codes(customer) if code != pickup]
    wrong = wrong or any(code.startswith(pickup) or pickup.startswith(code) for code in others)
    wrong = wrong or _all_codes(customer).count(pickup) > 1
    assert bool(problems_of(customer)) == bool(wrong)


def _all_codes(customer: Customer) -> list[str]:
    centrex = customer.centrex
    codes = [getattr(centrex.codes, name) for name in FeatureCodes.__slots__]
    return [*codes, "*33", "*70", "*71", centrex.pickup_prefix or ""]
