"""Which calls of a run one number makes for others as well."""

from __future__ import annotations

from dataclasses import replace

from provisioner.centrex.customer import Forwardings, HuntStrategy, Member
from provisioner.centrex.exchange import Exchange
from provisioner.centrex.trial_caller import with_caller
from provisioner.operations.equal_trials import Equals
from provisioner.operations.trials import trials
from sip.testcall.scenario import Kind
from tests.provisioner.pbx.switchboards import exchange, group, to

OWN = {Kind.LAMP, Kind.NO_ANSWER}


def made(equals: Equals, here: Exchange, *numbers: str) -> list[set[Kind]]:
    found = []
    for number in numbers:
        scenarios = trials(with_caller(here, ()), number)
        found.append({scenarios[place].kind for place in equals.places(here.customer_id, number, scenarios)})
    return found


def all_of(here: Exchange, number: str) -> set[Kind]:
    return {each.kind for each in trials(with_caller(here, ()), number)}


def test_of_extensions_that_are_alike_the_first_makes_all_calls_and_each_those_that_show_whose_it_is():
    here = exchange()
    assert made(Equals(), here, "101", "102", "103") == [all_of(here, "101"), OWN, OWN]


def test_a_number_makes_the_same_calls_when_it_is_tested_once_more():
    here, equals = exchange(), Equals()
    first = made(equals, here, "101", "102")
    assert made(equals, here, "101", "102") == first


def test_a_short_number_leads_to_one_number_alone():
    here = exchange(short_numbers={"9": "102"})
    assert made(Equals(), here, "101", "102") == [all_of(here, "101"), OWN | {Kind.SHORT_NUMBER}]


def test_where_a_busy_phone_s_calls_go_is_tried_for_each():
    here = exchange(
        forwarding={"101": Forwardings(busy=to("103")), "102": Forwardings(busy=to("104"))},
    )
    first, second = made(Equals(), here, "101", "102")
    assert first == all_of(here, "101")
    # A phone that is not to be disturbed is busy.
    assert second == OWN | {Kind.BUSY, Kind.DECLINED, Kind.DND_DIALLED}


def test_what_is_set_otherwise_is_no_equal():
    here = exchange(
        group("600", Member("101", ring_time=10), Member("102", ring_time=10)),
        group("601", Member("103", ring_time=10), Member("104", ring_time=12)),
        group("602", Member("103", ring_time=10), Member("105", ring_time=10)),
        group("603", "101", "102", strategy=HuntStrategy.RANDOM),
    )
    groups = ("600", "601", "602", "603")
    assert made(Equals(), here, *groups) == [
        all_of(here, "600"), all_of(here, "601"), OWN, all_of(here, "603"),
    ]  # fmt: skip


def test_another_customer_s_calls_are_made_as_well():
    here, equals = exchange(), Equals()
    there = replace(here, customer_id=here.customer_id + 1)
    assert [*made(equals, here, "101"), *made(equals, there, "101")] == [all_of(here, "101")] * 2
