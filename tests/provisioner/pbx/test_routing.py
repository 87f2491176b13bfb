"""Whom a call rings, by what the customer has set: the rules of numbers, forwarding and who is shown."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.centrex.customer import CallerPresentation, Forwardings, HuntStrategy, Member
from provisioner.centrex.exchange import Exchange, SiteLimit
from sip.call.ringing import Caller, Ending, GivenUp, Outcome, Ring
from sip.message.uri import SipUri, parse_uri
from tests.provisioner.pbx.switchboards import NAMES, Office, exchange, group, line_of, rang, to, when
from tests.sip.call.ringing import ANSWERS, BUSY, DECLINES, Played, Script, play

GATEWAY = SipUri("192.0.2.99", port=5080)


def shown(played: Played) -> list[Caller]:
    """What the displays showed, in the order of ringing."""
    return [step.target.caller for _, step in played.steps if isinstance(step, Ring)]


# Numbers


def test_an_extension_rings_the_line_that_it_is_assigned_to():
    played = Office(exchange()).call("101")
    assert played.rang == [line_of("101")]
    assert shown(played) == [Caller("105", "Serwis")]


@pytest.mark.parametrize("dialled", ["199", "48999999999", "", "*40", "abc", "1" * 40])
def test_a_number_that_nobody_has_is_refused_as_such(dialled: str):
    assert Office(exchange()).call(dialled).refused == GivenUp(Outcome.REFUSED, 404)


def test_a_circle_is_one_in_whatever_form_its_numbers_are():
    back, forth = Forwardings(always=to("220000101")), Forwardings(always=to("0048220000102"))
    here = exchange(company="48220000", forwarding={"101": forth, "102": back})
    refused = Office(here).call("+48220000101").refused
    assert refused == GivenUp(Outcome.UNREACHABLE, 482)
    assert Office(exchange()).call("220001").refused == GivenUp(Outcome.REFUSED, 404)


def test_an_extension_without_a_line_can_not_be_reached():
    here = exchange()
    here = replace(here, extensions={**here.extensions, "101": replace(here.extensions["101"], line=None)})
    assert Office(here).call("101").refused == GivenUp(Outcome.UNREACHABLE, 480)


@pytest.mark.parametrize("number", ["112", "997", "998", "999"])
def test_an_emergency_call_goes_to_the_gateway_under_the_own_number_whatever_else_is_set(number: str):
    here = exchange(short_numbers={number: "101"})
    played = Office(here, gateway=GATEWAY).call(number, is_hidden=True)
    (ring,) = [step for _, step in played.steps if isinstance(step, Ring)]
    assert str(ring.target.uri) == f"sip:{number}@192.0.2.99:5080"
    assert ring.target.caller == Caller(line_of("105"))


def test_a_short_number_for_an_emergency_number_reaches_the_gateway():
    played = Office(exchange(short_numbers={"1": "112"}), gateway=GATEWAY).call("1")
    (ring,) = [step for _, step in played.steps if isinstance(step, Ring)]
    assert str(ring.target.uri) == "sip:112@192.0.2.99:5080"


def test_without_a_gateway_an_emergency_call_is_refused_with_the_reason():
    refused = Office(exchange()).call("112").refused
    assert refused is not None
    assert (refused.status, refused.text) == (503, "No gateway for emergency calls is set")


def test_a_short_number_leads_where_it_says():
    assert rang(Office(exchange(short_numbers={"34": "102"})).call("34")) == ["102"]


def test_a_short_number_that_is_dialled_as_it_is_is_nothing_else():
    assert Office(exchange(short_numbers={"34": "34"})).call("34").refused == GivenUp(Outcome.REFUSED, 404)


@pytest.mark.parametrize("dialled", [line_of("101"), "+" + line_of("101")])
def test_a_colleague_is_reached_under_the_line_as_well_and_sees_the_extension(dialled: str):
    played = Office(exchange()).call(dialled)
    assert rang(played) == ["101"]
    assert shown(played) == [Caller("105", "Serwis")]


def test_another_company_of_this_operator_sees_the_line_and_no_inner_name():
    other = exchange(customer_id=2, company="4833000")
    played = Office(exchange(), others=(other,)).call("4833000101")
    assert played.rang == ["4833000101"]
    assert shown(played) == [Caller(line_of("105"))]


def test_another_companys_forwardings_are_followed_in_its_own_numbers():
    other = exchange(
        customer_id=2, company="4833000", forwarding={"101": Forwardings(always=to("102"))}
    )
    assert Office(exchange(), others=(other,)).call("4833000101").rang == ["4833000102"]


def test_who_calls_his_own_number_finds_it_busy():
    assert Office(exchange()).call("105").refused == GivenUp(Outcome.BUSY, 486)


# Forwarding


def test_unconditional_forwarding_rings_only_where_it_leads():
    here = exchange(forwarding={"101": Forwardings(always=to("102"))})
    assert rang(Office(here).call("101")) == ["102"]


def test_a_forwarding_that_is_turned_off_does_nothing():
    here = exchange(forwarding={"101": Forwardings(always=to("102", enabled=False))})
    assert rang(Office(here).call("101")) == ["101"]


@pytest.mark.parametrize("script", [BUSY, DECLINES])
def test_a_busy_line_forwards_so_does_one_that_turns_the_call_down(script: Script):
    here = exchange(forwarding={"101": Forwardings(busy=to("102"))})
    assert rang(Office(here).call("101", scripts={"101": script})) == ["101", "102"]


def test_who_does_not_answer_forwards_after_so_many_seconds():
    here = exchange(forwarding={"101": Forwardings(no_answer=to("102", after=12))})
    assert when(Office(here).call("101")) == [(0, "101"), (12, "102")]


def test_who_is_not_registered_forwards_at_once():
    here = exchange(forwarding={"101": Forwardings(unreachable=to("102"))})
    assert when(Office(here, out={"101"}).call("101")) == [(0, "102")]


def test_each_forwarding_is_for_its_own_case():
    here = exchange(
        forwarding={"101": Forwardings(busy=to("102"), no_answer=to("103"), unreachable=to("104"))}
    )
    assert rang(Office(here).call("101", scripts={"101": BUSY})) == ["101", "102"]
    assert rang(Office(here).call("101")) == ["101", "103"]
    assert rang(Office(here, out={"101"}).call("101")) == ["104"]


def test_a_forwarding_in_a_circle_ends_where_it_began():
    here = exchange(forwarding={"101": Forwardings(always=to("102")), "102": Forwardings(always=to("101"))})
    assert Office(here).call("101").refused == GivenUp(Outcome.UNREACHABLE, 482)


def test_busy_lines_that_forward_to_each_other_leave_the_caller_with_busy():
    here = exchange(forwarding={"101": Forwardings(busy=to("102")), "102": Forwardings(busy=to("101"))})
    played = Office(here).call("101", scripts={"101": BUSY, "102": BUSY})
    assert rang(played) == ["101", "102"]
    assert played.refused == GivenUp(Outcome.BUSY, 486)


def test_nobody_is_forwarded_to_an_emergency_number_or_a_code():
    for target in ("112", "*21*102#"):
        here = exchange(forwarding={"101": Forwardings(busy=to(target))}, short_numbers={"1": "112"})
        played = Office(here, gateway=GATEWAY).call("101", scripts={"101": BUSY})
        assert played.refused == GivenUp(Outcome.BUSY, 486)


def test_a_phone_may_send_a_call_to_what_could_be_dialled_and_no_further():
    here = exchange()
    for contact, followed in (
        ("sip:102@pbx", ["101", "102"]), ("tel:102", ["101", "102"]), ("sip:102@elsewhere.example", ["101"]),
        ("sip:101@pbx", ["101"]), ("sip:112@pbx", ["101"]), ("sip:*26@pbx", ["101"]),
    ):  # fmt: skip
        moved = Script(1, Ending(Outcome.MOVED, 302, (parse_uri(contact),)))
        assert rang(Office(here, gateway=GATEWAY).call("101", scripts={"101": moved})) == followed


def test_phones_that_send_a_call_to_each_other_end_it():
    here = exchange()
    scripts = {
        "101": Script(1, Ending(Outcome.MOVED, 302, (parse_uri("sip:102@pbx"),))),
        "102": Script(1, Ending(Outcome.MOVED, 302, (parse_uri("sip:101@pbx"),))),
    }
    played = Office(here).call("101", scripts=scripts)
    assert rang(played) == ["101", "102"]
    assert played.refused is not None


def test_a_chain_of_forwardings_has_an_end():
    many = {str(number): Forwardings(always=to(str(number + 1))) for number in range(101, 105)}
    here = exchange(forwarding=many)
    assert rang(Office(here).call("101", caller="101")) == ["105"]
    longer = replace(here, short_numbers={str(number): str(number + 1) for number in range(200, 230)})
    assert Office(longer).call("200").refused == GivenUp(Outcome.REFUSED, 404)


# Do not disturb, call waiting


def test_who_is_not_to_be_disturbed_is_busy_and_does_not_ring():
    played = Office(exchange(dnd=("101",))).call("101")
    assert played.refused == GivenUp(Outcome.BUSY, 486)
    assert played.skipped == [(line_of("101"), Outcome.BUSY)]


def test_who_is_not_to_be_disturbed_forwards_as_a_busy_line_does():
    here = exchange(dnd=("101",), forwarding={"101": Forwardings(busy=to("102"))})
    assert rang(Office(here).call("101")) == ["102"]


def test_a_second_call_rings_unless_call_waiting_is_off():
    assert rang(Office(exchange(), calls={"101": 1}).call("101")) == ["101"]
    refused = Office(exchange(no_waiting=("101",)), calls={"101": 1}).call("101").refused
    assert refused == GivenUp(Outcome.BUSY, 486)
    assert rang(Office(exchange(no_waiting=("101",))).call("101")) == ["101"]


# Calls at once


LIMITS = {line_of("101"): 2, line_of("105"): 1}


def test_a_line_in_as_many_calls_as_it_may_have_is_found_busy_and_the_story_says_why():
    here = exchange(calls_at_once=LIMITS, no_waiting=("102",))
    assert rang(Office(here, calls={"101": 1}).call("101")) == ["101"]
    played = Office(here, calls={"101": 2}).call("101")
    assert played.skipped == [(line_of("101"), Outcome.FULL)]
    assert played.refused == GivenUp(Outcome.FULL, 486)


def test_such_a_line_forwards_as_a_busy_one_and_is_passed_over_in_its_groups():
    here = exchange(
        group("600", "101", "102"),
        calls_at_once=LIMITS,
        forwarding={"101": Forwardings(busy=to("103"))},
    )
    assert rang(Office(here, calls={"101": 2}).call("101")) == ["103"]
    played = Office(replace(here, lines=exchange().lines), calls={"101": 2}).call("600")
    assert rang(played) == ["102"]


def test_who_is_in_as_many_calls_as_his_line_may_have_calls_nobody_but_for_help():
    here = exchange(calls_at_once=LIMITS, short_numbers={"1": "112"})
    full = Office(here, calls={"105": 1}, gateway=GATEWAY)
    played = full.call("101")
    assert played.skipped == [(line_of("105"), Outcome.FULL)]
    assert played.refused == GivenUp(Outcome.FULL, 486, "Too many calls at once")
    # Who passes a call on leaves one.
    assert rang(full.call("101", is_transfer=True)) == ["101"]
    for number in ("112", "1"):
        (ring,) = [step for _, step in full.call(number).steps if isinstance(step, Ring)]
        assert str(ring.target.uri) == "sip:112@192.0.2.99:5080"


def site(most: int, *extensions: str) -> dict[str, Any]:
    """A site with a limit, and these lines of it, for `exchange`."""
    at = frozenset(map(line_of, extensions))
    return {"at": extensions, "sites": {"Hala": SiteLimit(most, at)}}


def test_a_site_in_as_many_calls_as_it_may_be_is_found_busy_and_the_story_says_why():
    full = Office(exchange(**site(1, "101", "102"))).in_call("102", "104")
    played = full.call("101")
    assert played.skipped == [(line_of("101"), Outcome.SITE_FULL)]
    assert played.refused == GivenUp(Outcome.SITE_FULL, 486)
    assert rang(full.call("103")) == ["103"]
    assert rang(Office(exchange(**site(2, "101", "102"))).in_call("102", "104").call("101")) == ["101"]


def test_a_line_at_such_a_site_forwards_as_a_busy_one_and_is_passed_over_in_its_groups():
    busy = {"101": Forwardings(busy=to("103"))}
    forwards = Office(exchange(forwarding=busy, **site(1, "101", "102"))).in_call("102", "104")
    assert rang(forwards.call("101")) == ["103"]
    hunts = Office(exchange(group("600", "101", "103"), **site(1, "101", "102"))).in_call("102", "104")
    assert rang(hunts.call("600")) == ["103"]


def test_all_of_a_group_ring_at_a_site_for_the_one_call_that_it_may_have():
    at_once = group("600", "101", "102", strategy=HuntStrategy.SIMULTANEOUS)
    assert rang(Office(exchange(at_once, **site(1, "101", "102"))).call("600")) == ["101", "102"]


def test_who_is_at_a_full_site_calls_nobody_but_for_help():
    full = Office(exchange(**site(1, "105", "102")), gateway=GATEWAY).in_call("102", "104")
    played = full.call("101")
    assert played.skipped == [(line_of("105"), Outcome.SITE_FULL)]
    assert played.refused == GivenUp(Outcome.SITE_FULL, 486, "Too many calls at this site")
    (ring,) = [step for _, step in full.call("112").steps if isinstance(step, Ring)]
    assert ring.target.uri is not None
    # Who passes a call on has no further one.
    assert rang(full.call("101", is_transfer=True)) == ["101"]


def test_a_call_within_a_site_is_let_in_once():
    here = exchange(**site(2, "101", "102", "105"))
    assert rang(Office(here).in_call("102", "104").call("101")) == ["101"]
    # Somebody has called for help meanwhile.
    office = Office(here).in_call("102", "104")
    routing = office.routing("105").to("101")
    office.in_call("101", "112")
    assert rang(play(routing)) == ["101"]


# Who is shown


@pytest.mark.parametrize(
    ("presentation", "expected"),
    [
        (CallerPresentation.KEEP, Caller("105", "Serwis")),
        (CallerPresentation.GROUP, Caller("600", "Grupa 600")),
        (CallerPresentation.GROUP_NAME, Caller("105", "Grupa 600")),
    ],
)
def test_a_group_shows_the_caller_as_it_says(presentation: CallerPresentation, expected: Caller):
    here = exchange(group("600", "101", "102", caller_presentation=presentation))
    assert shown(Office(here).call("600")) == [expected, expected]


def test_an_overflow_shows_the_caller_as_it_is():
    here = exchange(group("600", "101", caller_presentation=CallerPresentation.GROUP, overflow="102"))
    assert shown(Office(here).call("600")) == [Caller("600", "Grupa 600"), Caller("105", "Serwis")]


def test_a_group_in_a_group_shows_what_it_says_of_what_the_outer_one_shows():
    inner = group("601", "101", caller_presentation=CallerPresentation.GROUP_NAME)
    outer = group("600", Member(group="601"), caller_presentation=CallerPresentation.GROUP)
    assert shown(Office(exchange(inner, outer)).call("600")) == [Caller("600", "Grupa 601")]


@pytest.mark.parametrize(
    ("presentation", "expected"),
    [
        (CallerPresentation.KEEP, Caller("", "", is_hidden=True)),
        (CallerPresentation.GROUP, Caller("600", "Grupa 600")),
        (CallerPresentation.GROUP_NAME, Caller("", "Grupa 600", is_hidden=True)),
    ],
)
def test_of_who_hides_neither_number_nor_name_is_shown(presentation: CallerPresentation, expected: Caller):
    here = exchange(group("600", "101", caller_presentation=presentation))
    assert shown(Office(here).call("600", is_hidden=True)) == [expected]
    assert shown(Office(here).call("102", is_hidden=True)) == [Caller("", "", is_hidden=True)]


def test_calls_from_inside_ring_differently_where_the_company_wants_it():
    other = exchange(customer_id=2, company="4833000", distinctive_ring=True)
    office = Office(exchange(distinctive_ring=True), others=(other,))

    def alerts(dialled: str) -> list[str]:
        return [step.target.alert for _, step in office.call(dialled).steps if isinstance(step, Ring)]

    assert alerts("101") == ["<http://127.0.0.1>;info=internal"]
    assert alerts("4833000101") == [""]
    assert alerts("101") != [step.target.alert for _, step in Office(exchange()).call("101").steps[:1]
                             if isinstance(step, Ring)]  # fmt: skip


NUMBERS = [*NAMES, "600", "601", "602", "603", "1", "2", "34", "112", "199", line_of("101"), "4833000102"]
FORWARDINGS = st.builds(to, st.sampled_from(NUMBERS), after=st.integers(1, 30), enabled=st.booleans())
MEMBERS = st.builds(
    lambda number, **said: Member(
        extension=number if len(number) == 3 and number[0] == "1" else None,
        group=None if number[0] == "1" else number,
        **said,
    ),
    st.sampled_from([*NAMES, "600", "601", "602", "603", "199"]),
    ring_delay=st.sampled_from([0, 0, 5]),
    ring_time=st.integers(1, 30),
    stop=st.sampled_from([False, False, True]),
    skip_forwarding=st.booleans(),
    logged_in=st.sampled_from([True, True, False]),
)


@st.composite
def companies(draw: st.DrawFn, customer_id: int, company: str) -> Exchange:
    groups = [
        group(
            number,
            *draw(st.lists(MEMBERS, max_size=5)),
            strategy=draw(st.sampled_from(HuntStrategy)),
            overflow=draw(st.none() | st.sampled_from(NUMBERS)),
        )
        for number in ("600", "601", "602", "603")
    ]
    cases = st.none() | FORWARDINGS
    forwarding = st.builds(Forwardings, cases, cases, cases, cases)
    return exchange(
        *groups,
        forwarding=draw(st.dictionaries(st.sampled_from(list(NAMES)), forwarding)),
        dnd=tuple(draw(st.sets(st.sampled_from(list(NAMES)), max_size=2))),
        customer_id=customer_id,
        company=company,
        short_numbers=draw(st.dictionaries(st.sampled_from(["1", "2", "34"]), st.sampled_from(NUMBERS))),
    )


MOVED = st.sampled_from(NUMBERS).map(
    lambda number: Ending(Outcome.MOVED, 302, (parse_uri(f"sip:{number}@pbx"),))
)
SCRIPTS = st.builds(
    Script,
    st.sampled_from([0.0, 0.1, 7.0, 200.0]),
    st.none() | MOVED | st.builds(Ending, st.sampled_from(list(Outcome))),
)


@settings(max_examples=500 if os.environ.get("CENTRALKA_PROVE") else 60, deadline=None)
@given(st.data())
def test_whatever_is_set_every_call_ends_and_nobody_rings_who_must_not(data: st.DataObject):
    office = Office(
        data.draw(companies(1, "4822000")),
        others=(data.draw(companies(2, "4833000")),),
        out=data.draw(st.sets(st.sampled_from(list(NAMES)), max_size=2)),
        gateway=GATEWAY,
    )
    scripts = data.draw(st.dictionaries(st.sampled_from(list(NAMES)), SCRIPTS))
    dialled = data.draw(st.sampled_from(NUMBERS))
    played = office.call(dialled, scripts=scripts)
    assert (played.answered is None) != (played.refused is None)
    silent = {line_of(number) for number in office.out} | {
        line.number for each in (office.exchange, *office.others) for line in each.lines.values() if line.dnd
    }
    assert not silent.intersection(played.rang)
    assert line_of("105") not in played.rang
    # Nothing but what was dialled leads to an emergency number, and that leads nowhere else.
    emergency = dialled == "112" or office.exchange.short_numbers.get(dialled) == "112"
    assert ("112" in played.rang) == emergency


def test_who_answers_ends_it():
    assert Office(exchange()).call("101", scripts={"101": ANSWERS}).answered == line_of("101")
