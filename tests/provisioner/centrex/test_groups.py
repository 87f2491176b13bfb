"""Hunt groups ring who is there, and no call goes round for ever."""

from __future__ import annotations

import pytest

from provisioner.centrex.customer import Customer, Extension, HuntGroup, Member
from provisioner.centrex.errors import Conflict
from provisioner.centrex.groups import group_problems
from provisioner.centrex.problems import refuse


def firm(*groups: HuntGroup) -> Customer:
    return Customer("firma", "Firma", extensions=(Extension("101"), Extension("102")), hunt_groups=groups)


def messages(customer: Customer) -> list[str]:
    return [problem.message for problem in group_problems(customer)]


def group(number: str, *inside: str, overflow: str | None = None) -> HuntGroup:
    return HuntGroup(number, members=tuple(Member(group=number) for number in inside), overflow=overflow)


def test_groups_may_be_nested_and_share_a_member_group() -> None:
    refuse(
        group_problems(
            firm(group("600", "601", "602"), group("601", "603"), group("602", "603"), group("603"))
        )
    )


def test_a_circle_is_named_as_the_way_round() -> None:
    with pytest.raises(Conflict, match="600 -> 601 -> 600"):
        refuse(group_problems(firm(group("600", "601"), group("601", "600"))))


def test_a_group_that_contains_itself_is_a_circle() -> None:
    with pytest.raises(Conflict, match="600 -> 600"):
        refuse(group_problems(firm(group("600", "600"))))


def test_a_circle_behind_a_group_is_named_without_the_way_to_it() -> None:
    found = messages(firm(group("600", "601"), group("601", "602"), group("602", "603"), group("603", "601")))
    assert len(found) == 1
    assert "601 -> 602 -> 603 -> 601" in found[0]
    assert "600" not in found[0]


def test_two_circles_are_both_reported() -> None:
    found = messages(firm(group("600", "601"), group("601", "600"), group("700", "701"), group("701", "700")))
    assert len(found) == 2


def test_groups_nested_deeper_than_python_calls_are_walked() -> None:
    deep = [group(str(number), str(number + 1)) for number in range(10000, 15000)]
    refuse(group_problems(firm(*deep, group("15000"))))
    found = messages(firm(*deep, group("15000", "10000")))
    assert len(found) == 1


def test_an_overflow_circle_of_two_groups_is_refused() -> None:
    with pytest.raises(Conflict, match="overflow in a circle: 600 -> 601 -> 600"):
        refuse(group_problems(firm(group("600", overflow="601"), group("601", overflow="600"))))


def test_a_group_does_not_overflow_to_itself() -> None:
    assert messages(firm(group("600", overflow="600"))) == [
        "hunt group 600 overflows to itself: give another number, or none"
    ]


@pytest.mark.parametrize("overflow", ["102", "48225550111", "*98"])
def test_overflow_goes_to_any_number(overflow: str) -> None:
    refuse(group_problems(firm(group("600", overflow=overflow))))


def test_overflow_that_cannot_be_dialled_is_refused() -> None:
    with pytest.raises(Conflict, match="overflow '102 or 103' can't be dialled"):
        refuse(group_problems(firm(group("600", overflow="102 or 103"))))


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (Member(), "either an extension or a group"),
        (Member(extension="101", group="601"), "either an extension or a group"),
        (Member(extension="109"), "there is no extension 109"),
        (Member(group="609"), "there is no hunt group 609"),
        (Member(extension="601"), '601 is a hunt group: write group: "601"'),
        (Member(group="101"), '101 is an extension: write extension: "101"'),
        (Member(extension="101", ring_delay=-1), "ring delay of member 101 is -1 s"),
        (Member(extension="101", ring_delay=3601), "ring delay of member 101 is 3601 s"),
        (Member(extension="101", ring_time=0), "ring time of member 101 is 0 s"),
    ],
)
def test_a_member_that_can_not_ring_is_refused(member: Member, words: str) -> None:
    customer = firm(HuntGroup("600", name="Sprzedaż", members=(member,)), group("601"))
    found = messages(customer)
    assert len(found) == 1
    assert words in found[0]
    assert found[0].startswith("hunt group 600 (Sprzedaż): ")


def test_a_member_is_in_a_group_once() -> None:
    customer = firm(HuntGroup("600", members=(Member(extension="101"), Member(extension="101", ring_time=5))))
    assert messages(customer) == ["hunt group 600: member 101 is there twice: leave one of them"]
