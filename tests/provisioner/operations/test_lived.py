"""Calls in which people did as they liked are judged as those in which each phone does what it was told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.centrex.customer import Forwardings, HuntStrategy
from provisioner.centrex.errors import BadValue, NotFound
from provisioner.centrex.exchange import Exchange
from provisioner.centrex.trial_caller import with_caller
from provisioner.operations.trials import live_trial, trials
from sip.testcall.findings import Code, Verdict
from sip.testcall.judging.case import Tolerances
from sip.testcall.lived import Lines, lived
from sip.testcall.observed import (
    Answered,
    By,
    Dialled,
    Display,
    Ended,
    Observation,
    Progressed,
    Rang,
    Refused,
    Registered,
    StoppedRinging,
    TurnedDown,
)
from sip.testcall.plan import Setting
from sip.testcall.scenario import Kind
from sip.testcall.verdict import judge
from tests.provisioner.operations.any_company import companies
from tests.provisioner.operations.test_verdicts import EXAMPLES, SETTINGS, made
from tests.provisioner.operations.witnesses import ELSEWHERE, unknown, witnessed
from tests.provisioner.pbx.switchboards import exchange, group, line_of, to

ONE, TWO, THREE = line_of("101"), line_of("102"), line_of("103")
CALLER = "0000000000"
NONE = Lines()
SHOWN = (Display("From", "999", "Test"),)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    companies(tuple(HuntStrategy)),
    st.sampled_from(["600", "600", "601", "101", "34"]),
    st.integers(0, 999),
)
def test_a_healthy_call_is_never_red_whatever_people_do(here: Exchange, dialled: str, seed: int):
    try:
        asked = trials(here, dialled)
    except NotFound:
        return
    for scenario in asked:
        seen = witnessed(here, scenario, seed)
        assert judge(lived(unknown(scenario), seen, Lines()), seen).findings == (), scenario.kind


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_that_is_not_obeyed_is_blamed(name: str):
    broken = SETTINGS[name]
    here = made(broken.group, broken.here)
    there = made(broken.obeyed or broken.group, broken.here | broken.there)
    red = []
    for scenario in trials(here, broken.dialled):
        seen = witnessed(there, scenario)
        findings = judge(lived(unknown(scenario), seen, Lines()), seen).findings
        red += [(each.code, each.blames.setting) for each in findings[:1]]
    assert (broken.code, broken.setting) in red, red


# What test phones don't do


def company(strategy: HuntStrategy = HuntStrategy.ORDER, **said: object) -> Exchange:
    both = group("600", "101", "102", strategy=strategy)
    return with_caller(exchange(both, **said), ())  # type: ignore[arg-type]


def judged(
    here: Exchange, dialled: str, seen: Sequence[Observation], lines: Lines = NONE, out: Sequence[str] = ()
) -> Verdict:
    """The verdict on a live call that was seen so, at second 10; all are registered but who is out."""
    there = [Registered(line, 9.0) for line in here.lines if line not in out]
    all_seen = [*there, Dialled(CALLER, 10.0, dialled), *seen]
    scenario = lived(live_trial(here, dialled), all_seen, lines)
    return judge(scenario, all_seen, Tolerances().for_people())


def rang(line: str, at: float, call: str = "") -> Rang:
    return Rang(line, 10 + at, call or line, SHOWN)


def answers(
    line: str, at: float, *, packets: int = 90, by: By = By.OTHER, call: str = ""
) -> list[Observation]:
    """It answers, and three seconds later it is over."""
    itself = By.ITSELF if by is By.OTHER else By.OTHER
    return [
        Answered(line, 10 + at, call or line),
        Answered(CALLER, 10.1 + at, "own"),
        Ended(CALLER, 13 + at, "own", itself, packets),
        Ended(line, 13.1 + at, call or line, by),
    ]


TOLD = Progressed(CALLER, 10.3, 180)


def test_a_phone_that_is_engaged_is_passed_over():
    seen = [rang(TWO, 0), TOLD, *answers(TWO, 4)]
    assert judged(company(), "600", seen, Lines(engaged=[ONE])).findings == ()
    (missed, *_) = judged(company(), "600", seen).findings
    assert missed.code is Code.WRONG_ORDER


def test_a_phone_that_gives_no_answer_is_to_blame_itself_and_the_next_one_rings():
    seen = [rang(TWO, 5), Progressed(CALLER, 15.3, 180), *answers(TWO, 8)]
    (finding,) = judged(company(), "600", seen, Lines(dead=[ONE])).findings
    assert (finding.code, finding.phone, finding.blames.setting) == (Code.DID_NOT_RING, ONE, Setting.PHONE)


def test_a_phone_that_is_not_registered_is_passed_over():
    seen = [rang(TWO, 0), TOLD, *answers(TWO, 4)]
    assert judged(company(), "600", seen, out=[ONE]).findings == ()


def test_who_is_rung_twice_may_do_something_else_the_second_time():
    here = with_caller(exchange(group("600", "101", "102", overflow="101")), ())
    seen = [
        *(rang(ONE, 0, "a"), TOLD, Refused(ONE, 12, "a", 486)),
        *(rang(TWO, 2), Refused(TWO, 15, TWO, 603)),
        *(rang(ONE, 5, "b"), *answers(ONE, 9, call="b")),
    ]
    assert judged(here, "600", seen).findings == ()


def test_who_answers_may_hang_up_before_the_caller_does():
    seen = [rang(ONE, 0), TOLD, *answers(ONE, 4, by=By.ITSELF)]
    assert judged(company(), "600", seen).findings == ()


def test_where_nothing_is_heard_of_who_answers_his_phone_is_to_blame():
    seen = [rang(ONE, 0), TOLD, *answers(ONE, 4, packets=0)]
    (finding,) = judged(company(), "600", seen).findings
    assert (finding.code, finding.blames.setting, finding.blames.of) == (
        *(Code.ONE_WAY_AUDIO, Setting.PHONE),
        ONE,
    )


@pytest.mark.parametrize(
    ("status", "told"), [(486, 486), (600, 486), (603, 603), (480, 480), (404, 480), (503, 480)]
)
def test_the_caller_is_told_how_the_only_phone_has_refused(status: int, told: int):
    seen = [rang(ONE, 0), TOLD, Refused(ONE, 13, ONE, status), TurnedDown(CALLER, 13.1, told)]
    assert judged(company(), "101", seen).findings == ()
    wrong = [*seen[:-1], TurnedDown(CALLER, 13.1, 500)]
    assert [each.code for each in judged(company(), "101", wrong).findings] == [Code.WRONG_STATUS]


def test_each_refusal_has_the_forwarding_that_is_set_for_it():
    for status, case in ((486, "busy"), (603, "busy"), (487, "no_answer"), (410, "unreachable")):
        here = company(forwarding={"101": Forwardings(**{case: to("103")})})
        refused = [rang(ONE, 0), TOLD, Refused(ONE, 12, ONE, status)]
        assert judged(here, "101", [*refused, rang(THREE, 2), *answers(THREE, 5)]).findings == ()
        found = judged(here, "101", [*refused, TurnedDown(CALLER, 12.1, 480)]).findings
        assert found[0].code is Code.DID_NOT_RING, (status, found)


def test_a_phone_that_sends_its_calls_elsewhere_itself_is_named_for_that_alone():
    seen = [rang(ONE, 0), Refused(ONE, 10.1, ONE, 302), rang(THREE, 0.2), TOLD, *answers(THREE, 3)]
    (finding,) = judged(company(), "101", seen).findings
    assert (finding.code, finding.phone, finding.seen) == (Code.SENT_ON, ONE, "302")


def test_all_that_ring_together_are_stopped_when_one_answers():
    here = company(HuntStrategy.SIMULTANEOUS)
    both = [rang(ONE, 0), rang(TWO, 0), TOLD, *answers(TWO, 4)]
    assert judged(here, "600", [*both, StoppedRinging(ONE, 14.2, ONE, ELSEWHERE)]).findings == ()
    (finding,) = judged(here, "600", both).findings
    assert (finding.code, finding.phone) == (Code.RANG_ON, ONE)


def test_an_emergency_number_is_never_called_for_a_test():
    with pytest.raises(BadValue, match="emergency number"):
        live_trial(company(), "112")
    with pytest.raises(BadValue, match="emergency number"):
        live_trial(company(short_numbers={"1": "112"}), "1")


def test_a_live_call_is_told_from_others_and_the_caller_never_waits_for_ever():
    scenario = live_trial(company(), "600")
    assert scenario.kind is Kind.LIVE
    assert scenario.gives_up_s == 120
