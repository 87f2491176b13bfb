"""The test calls of a company follow from its configuration, and foretell what a call really becomes."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.centrex.customer import Extension, FeatureCodes, Forwardings, HuntStrategy, Line, Member
from provisioner.centrex.errors import BadValue, NotFound
from provisioner.centrex.exchange import Exchange
from provisioner.centrex.trial_caller import with_caller
from provisioner.operations.trials import trials
from sip.call.ringing import Ring
from sip.testcall.expected import Expected, expected
from sip.testcall.plan import Cause, Setting
from sip.testcall.scenario import Kind, Scenario
from sip.testcall.taken import Ends
from tests.provisioner.operations.any_company import companies
from tests.provisioner.operations.witnesses import played
from tests.provisioner.pbx.switchboards import NAMES, exchange, group, line_of, to

EXAMPLES = 3_000 if os.environ.get("CENTRALKA_PROVE") else 60


def of(here: Exchange, dialled: str, **said: object) -> dict[Kind, Scenario]:
    made = trials(with_caller(here, ()), dialled, **said)  # type: ignore[arg-type]
    return {each.kind: each for each in made}


def rings(scenario: Scenario) -> list[tuple[float, float, str, Ends]]:
    return [
        (ring.begins_s, ring.ends_s, ring.phone[-3:], ring.ends) for ring in expected(scenario).rings
    ]


def silent(foretold: Expected) -> dict[str, Cause]:
    return {phone[-3:]: cause for phone, cause in foretold.silent.items()}


def test_members_in_order_ring_one_after_another_each_for_its_time():
    here = exchange(group("600", Member("101", ring_time=10), Member("102", ring_delay=2, ring_time=5)))
    assert rings(of(here, "600")[Kind.NO_ANSWER]) == [
        (0, 10, "101", Ends.TIME_OVER),
        (12, 17, "102", Ends.TIME_OVER),
    ]
    assert expected(of(here, "600")[Kind.NO_ANSWER]).status == 480


def test_all_times_are_divided_by_the_speed():
    here = exchange(group("600", Member("101", ring_time=10), Member("102", ring_delay=2, ring_time=5)))
    assert rings(of(here, "600", speed=10)[Kind.NO_ANSWER]) == [
        (0, 1, "101", Ends.TIME_OVER),
        (1.2, 1.7, "102", Ends.TIME_OVER),
    ]


def test_of_members_that_ring_together_all_but_one_are_told_that_it_answered():
    here = exchange(group("600", "101", "102", "103", strategy=HuntStrategy.SIMULTANEOUS))
    foretold = expected(of(here, "600")[Kind.FIRST_ANSWERS])
    assert foretold.winners == {line_of("101")}
    assert [(ring.phone[-3:], ring.ends) for ring in foretold.rings] == [
        ("101", Ends.ANSWERED),
        ("102", Ends.ELSEWHERE),
        ("103", Ends.ELSEWHERE),
    ]
    assert expected(of(here, "600")[Kind.RACE]).winners == {line_of("101"), line_of("102"), line_of("103")}


def test_after_each_answer_another_member_is_the_least_used():
    here = exchange(group("600", "101", "102", "103", strategy=HuntStrategy.LEAST_USED))
    here = replace(here, used={("600", line_of("101")): 7})
    answered: list[str] = []
    for turn in ("102", "103", "101", "102"):
        (winner,) = expected(of(here, "600", answered=answered)[Kind.FIRST_ANSWERS]).winners
        assert winner == line_of(turn)
        answered.append(winner)


def test_an_order_by_chance_is_whichever_it_was():
    here = exchange(group("600", Member("101", ring_time=5), "102", strategy=HuntStrategy.RANDOM))
    scenario = of(here, "600")[Kind.NO_ANSWER]
    assert [ring.phone[-3:] for ring in expected(scenario, {"600": ("102", "101")}).rings] == ["102", "101"]
    assert Kind.LAST_ANSWERS not in of(here, "600")


def test_who_must_not_ring_is_watched_and_it_is_known_why():
    here = exchange(
        group("600", Member("101"), Member("102", stop=True), Member("103"), Member("104", logged_in=False)),
        dnd=("101",),
        forwarding={"102": Forwardings(always=to("105", enabled=False))},
    )
    scenario = of(here, "600")[Kind.NO_ANSWER]
    assert {part.extension for part in scenario.members} == set(NAMES)
    assert silent(expected(scenario)) == {
        "101": Cause(Setting.DND, line_of("101")),
        "103": Cause(Setting.STOP, "600"),
        "104": Cause(Setting.LOGGED_IN, "600", "104"),
        "105": Cause(Setting.FORWARD_ALWAYS, line_of("102")),
    }


def test_skipped_forwarding_is_watched_too():
    here = exchange(
        group("600", Member("101", skip_forwarding=True)),
        forwarding={"101": Forwardings(always=to("102"), busy=to("103"))},
    )
    foretold = expected(of(here, "600")[Kind.BUSY])
    cause = Cause(Setting.SKIP_FORWARDING, "600", "101")
    assert silent(foretold) == {"102": cause, "103": cause}
    assert [ring.ends for ring in foretold.rings] == [Ends.REFUSED]


def test_a_member_rings_for_all_of_its_time_and_a_line_alone_for_two_minutes():
    here = exchange(group("600", Member("101", ring_time=300)))
    (member,) = expected(replace(of(here, "600")[Kind.NO_ANSWER], gives_up_s=None)).rings
    assert (member.lasts_s, member.end_cause) == (300, Cause(Setting.RING_TIME, "600", "101"))
    (alone,) = expected(replace(of(here, "101")[Kind.NO_ANSWER], gives_up_s=None)).rings
    assert alone.lasts_s == 120


def test_who_hides_is_dialled_with_the_code_and_shown_to_nobody():
    scenario = of(exchange(), "101")[Kind.HIDDEN]
    assert scenario.dialled == "*67101"
    (ring,) = expected(scenario).rings
    assert (ring.shown.number, ring.shown.name) == ("", "")


def test_a_short_number_for_it_is_dialled_as_well():
    scenario = of(exchange(short_numbers={"9": "101"}), "101")[Kind.SHORT_NUMBER]
    assert scenario.dialled == "9"


def test_phones_to_which_nothing_leads_are_there_and_not_to_ring():
    here = exchange(group("600", "101", "102"))
    for scenario in of(here, "600").values():
        assert {part.extension for part in scenario.bystanders} == {"103", "104", "105"}
        assert len({part.hz for part in scenario.parts}) == 6


def test_in_a_large_company_others_stand_by_in_each_call():
    extensions = {str(number): Extension(str(number), f"4822{number}") for number in range(200, 220)}
    lines = {each.line: Line(each.line, "") for each in extensions.values() if each.line}
    known = {line: number for number, line in zip(extensions, lines, strict=True)}
    here = exchange(group("600", "101", "102", "103", "104", "105"))
    here = replace(
        here,
        lines={**here.lines, **lines},
        extensions={**here.extensions, **extensions},
        extension_of={**here.extension_of, **known},
    )
    watched = [{part.extension for part in each.bystanders} for each in of(here, "600").values()]
    assert {len(each) for each in watched} == {5}
    assert set().union(*watched[:4]) == set(extensions)


def test_codes_that_the_company_has_are_dialled_by_who_is_called():
    codes = FeatureCodes(dnd_on="*1", dnd_off="#1", forward_busy_on="*2*", group_logout="*3*")
    here = exchange(group("600", "101", "102"), codes=codes)
    found = of(here, "101")
    assert [dial.code for dial in found[Kind.DND_DIALLED].codes] == ["*1"]
    assert [dial.code for dial in found[Kind.DND_TAKEN_BACK].codes] == ["*1", "#1"]
    assert [dial.code for dial in found[Kind.BUSY_DIALLED].codes] == ["*2*102#"]
    assert {each.phone for scenario in found.values() for each in scenario.codes} == {line_of("101")}
    assert expected(found[Kind.DND_DIALLED]).status == 486
    assert [ring.phone[-3:] for ring in expected(found[Kind.BUSY_DIALLED]).rings] == ["101", "102"]
    of_group = of(here, "600")
    assert [dial.code for dial in of_group[Kind.LOGGED_OUT].codes] == ["*3*600"]
    assert [ring.phone[-3:] for ring in expected(of_group[Kind.LOGGED_OUT]).rings] == ["102"]
    assert [ring.phone[-3:] for ring in expected(of_group[Kind.LOGGED_IN]).rings] == ["101"]


def test_nobody_waits_two_minutes_for_a_phone_that_nobody_answers():
    scenario = of(exchange(), "101")[Kind.NO_ANSWER]
    assert scenario.gives_up_s == 2
    assert rings(scenario) == [(0, 2, "101", Ends.GIVEN_UP)]


def test_no_test_call_goes_to_an_emergency_number_or_to_nobody():
    here = exchange(short_numbers={"1": "112", "997": "997"})
    for dialled in ("112", "1", "997"):
        with pytest.raises(BadValue, match="emergency"):
            of(here, dialled)
    with pytest.raises(NotFound):
        of(here, "48601000000")


# The oracle and what routes calls know nothing of each other: where they agree always, both are right.


@settings(max_examples=EXAMPLES, deadline=None)
@given(companies(), st.sampled_from(["600", "600", "601", "101", "34"]))
def test_what_is_foretold_is_what_the_exchange_does(here: Exchange, dialled: str):
    try:
        made = trials(here, dialled)
    except NotFound:
        return
    for scenario in made:
        endless = replace(scenario, gives_up_s=None)
        foretold = expected(endless)
        real = played(here, endless)
        rang = [
            (round(at, 6), step.target.aor, step.target.caller[:2], bool(step.target.alert))
            for at, step in real.steps
            if isinstance(step, Ring)
        ]
        shown = [(ring.shown.number, ring.shown.name) for ring in foretold.rings]
        assert [
            (round(ring.begins_s, 6), ring.phone, display, bool(ring.shown.alert))
            for ring, display in zip(foretold.rings, shown, strict=True)
        ] == rang, scenario.kind
        assert (real.answered is None) == (not foretold.winners)
        assert real.answered is None or real.answered in foretold.winners
        if real.refused is not None and foretold.status is not None:
            assert real.refused.status == foretold.status, scenario.kind
