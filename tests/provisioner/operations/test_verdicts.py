"""Verdicts: a healthy call is never red, and whatever is broken is found, with what is to blame for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.centrex.customer import (
    CallerPresentation,
    Extension,
    Forwardings,
    HuntGroup,
    HuntStrategy,
    Line,
    Member,
)
from provisioner.centrex.errors import NotFound
from provisioner.centrex.exchange import Exchange
from provisioner.centrex.trial_caller import with_caller
from provisioner.operations.proofs import proved
from provisioner.operations.trials import trials
from sip.testcall.findings import Code, Finding
from sip.testcall.judging import case
from sip.testcall.observed import (
    Answered,
    Broke,
    By,
    Dialled,
    Display,
    Ended,
    GaveUp,
    Heard,
    Light,
    Lit,
    Observation,
    Progressed,
    Rang,
    Registered,
    StoppedRinging,
    TurnedDown,
    Watches,
)
from sip.testcall.plan import Cause, Does, Setting
from sip.testcall.scenario import Kind, Scenario
from sip.testcall.verdict import judge
from tests.provisioner.operations.any_company import companies
from tests.provisioner.operations.proofs import AT
from tests.provisioner.operations.witnesses import ELSEWHERE, witnessed
from tests.provisioner.pbx.switchboards import exchange, group, line_of, to

EXAMPLES = 2_000 if os.environ.get("CENTRALKA_PROVE") else 60
FIRST, SECOND, THIRD = line_of("101"), line_of("102"), line_of("103")


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    companies(tuple(HuntStrategy)),
    st.sampled_from(["600", "600", "601", "101", "34"]),
    st.integers(0, 999),
)
def test_a_healthy_call_is_never_red(here: Exchange, dialled: str, seed: int):
    try:
        made = trials(here, dialled)
    except NotFound:
        return
    for scenario in made:
        verdict = judge(scenario, witnessed(here, scenario, seed))
        assert verdict.findings == (), scenario.kind


def company(**said: object) -> HuntGroup:
    """The group that is broken, with what differs."""
    members = (
        Member("101", ring_time=10),
        Member("102", ring_delay=3, ring_time=6),
        Member("103", ring_time=12),
    )
    return replace(HuntGroup("600", "Sprzedaż", members=members), **said)  # type: ignore[arg-type]


def with_member(place: int, **said: object) -> tuple[Member, ...]:
    members = list(company().members)
    members[place] = replace(members[place], **said)  # type: ignore[arg-type]
    return tuple(members)


TOGETHER = HuntStrategy.SIMULTANEOUS


@dataclass
class Broken:
    """A setting that is not obeyed."""

    code: Code
    setting: Setting
    group: HuntGroup
    "As it is configured."
    obeyed: HuntGroup | None = None
    "As it is carried out."
    here: dict[str, object] = field(default_factory=dict)
    "More of the company, as it is configured."
    there: dict[str, object] = field(default_factory=dict)
    "And as it is carried out; what is not said is the same."
    dialled: str = "600"


NESTED = HuntGroup("601", "Biuro", members=(Member("104", ring_time=7),))
SETTINGS = {
    "wrong order": Broken(
        Code.WRONG_ORDER, Setting.STRATEGY, company(), company(members=company().members[::-1])
    ),
    "first two swapped": Broken(
        Code.WRONG_ORDER,
        Setting.STRATEGY,
        company(),
        company(members=(company().members[1], company().members[0], company().members[2])),
    ),
    "together in place of in order": Broken(
        Code.RANG_WRONGLY, Setting.STRATEGY, company(), company(strategy=TOGETHER)
    ),
    "in order in place of together": Broken(
        Code.DID_NOT_RING, Setting.MEMBERS, company(strategy=TOGETHER), company()
    ),
    "one of them begins late": Broken(
        Code.NOT_TOGETHER,
        Setting.STRATEGY,
        company(strategy=TOGETHER),
        company(strategy=TOGETHER, members=with_member(2, ring_delay=2)),
    ),
    "delay ignored in order": Broken(
        Code.TOO_EARLY, Setting.RING_DELAY, company(), company(members=with_member(1, ring_delay=0))
    ),
    "delay ignored together": Broken(
        Code.TOO_EARLY,
        Setting.RING_DELAY,
        company(strategy=TOGETHER),
        company(strategy=TOGETHER, members=with_member(1, ring_delay=0)),
    ),
    "delay doubled": Broken(
        Code.TOO_LATE, Setting.RING_DELAY, company(), company(members=with_member(1, ring_delay=6))
    ),
    "rings too long": Broken(
        Code.TOO_LONG, Setting.RING_TIME, company(), company(members=with_member(0, ring_time=20))
    ),
    "rings too short": Broken(
        Code.TOO_SHORT, Setting.RING_TIME, company(), company(members=with_member(0, ring_time=5))
    ),
    "member forgotten": Broken(
        Code.DID_NOT_RING, Setting.MEMBERS, company(), company(members=company().members[:2])
    ),
    "stop-here ignored": Broken(
        Code.RANG_WRONGLY, Setting.STOP, company(members=with_member(1, stop=True)), company()
    ),
    "rung though logged out": Broken(
        Code.RANG_WRONGLY, Setting.LOGGED_IN, company(members=with_member(0, logged_in=False)), company()
    ),
    "not rung though logged in": Broken(
        Code.DID_NOT_RING, Setting.MEMBERS, company(), company(members=with_member(2, logged_in=False))
    ),
    "group's number in place of the caller's": Broken(
        Code.WRONG_NUMBER,
        Setting.PRESENTATION,
        company(),
        company(caller_presentation=CallerPresentation.GROUP),
    ),
    "caller's number in place of the group's": Broken(
        Code.WRONG_NUMBER,
        Setting.PRESENTATION,
        company(caller_presentation=CallerPresentation.GROUP),
        company(caller_presentation=CallerPresentation.GROUP_NAME),
    ),
    "caller's name in place of the group's": Broken(
        Code.WRONG_NAME,
        Setting.PRESENTATION,
        company(caller_presentation=CallerPresentation.GROUP_NAME),
        company(),
    ),
    "overflow ignored": Broken(Code.DID_NOT_RING, Setting.OVERFLOW, company(overflow="104"), company()),
    "overflow of a group in a group followed": Broken(
        Code.RANG_WRONGLY,
        Setting.OVERFLOW,
        company(members=(Member(group="601", ring_time=20),)),
        company(members=(Member(group="601", ring_time=20), Member("102"))),
        here={"nested": replace(NESTED, overflow="102")},
    ),
    "nested group rings too long": Broken(
        Code.TOO_LONG,
        Setting.RING_TIME,
        company(members=(Member(group="601", ring_time=4), Member("101"))),
        company(members=(Member(group="601", ring_time=15), Member("101"))),
        here={"nested": NESTED},
    ),
    "disturbed though it must not be": Broken(
        Code.RANG_WRONGLY, Setting.DND, company(), here={"dnd": ("101",)}, there={"dnd": ()}
    ),
    "always forwarding ignored": Broken(
        Code.RANG_WRONGLY,
        Setting.FORWARD_ALWAYS,
        company(),
        here={"forwarding": {"101": Forwardings(always=to("104"))}},
        there={"forwarding": {}},
    ),
    "busy forwarding ignored": Broken(
        Code.DID_NOT_RING,
        Setting.FORWARD_BUSY,
        company(),
        here={"forwarding": {"101": Forwardings(busy=to("104"))}},
        there={"forwarding": {}},
        dialled="101",
    ),
    "no-answer forwarding ignored": Broken(
        Code.DID_NOT_RING,
        Setting.FORWARD_NO_ANSWER,
        company(),
        here={"forwarding": {"101": Forwardings(no_answer=to("104", after=5))}},
        there={"forwarding": {}},
        dialled="101",
    ),
    "unreachable forwarding ignored": Broken(
        Code.DID_NOT_RING,
        Setting.FORWARD_UNREACHABLE,
        company(),
        here={"forwarding": {"101": Forwardings(unreachable=to("104"))}},
        there={"forwarding": {}},
        dialled="101",
    ),
    "forwarding followed though it is off": Broken(
        Code.RANG_WRONGLY,
        Setting.FORWARD_BUSY,
        company(),
        here={"forwarding": {"101": Forwardings(busy=to("104", enabled=False))}},
        there={"forwarding": {"101": Forwardings(busy=to("104"))}},
        dialled="101",
    ),
    "skip-forwarding ignored": Broken(
        Code.RANG_WRONGLY,
        Setting.SKIP_FORWARDING,
        company(members=with_member(0, skip_forwarding=True)),
        company(),
        here={"forwarding": {"101": Forwardings(always=to("104"))}},
    ),
    "least used ignored": Broken(
        Code.WRONG_ORDER,
        Setting.STRATEGY,
        company(strategy=HuntStrategy.LEAST_USED),
        company(),
        here={"used": {("600", FIRST): 9, ("600", SECOND): 4}},
    ),
    "distinctive ring missing": Broken(
        Code.WRONG_RING,
        Setting.DISTINCTIVE_RING,
        company(),
        here={"distinctive_ring": True},
        there={"distinctive_ring": False},
    ),
    "distinctive ring though it is off": Broken(
        Code.WRONG_RING, Setting.DISTINCTIVE_RING, company(), there={"distinctive_ring": True}
    ),
    "no-answer forwarding too late": Broken(
        Code.TOO_LONG,
        Setting.FORWARD_NO_ANSWER,
        company(),
        here={"forwarding": {"101": Forwardings(no_answer=to("104", after=5))}},
        there={"forwarding": {"101": Forwardings(no_answer=to("104", after=20))}},
        dialled="101",
    ),
    "extension with another line": Broken(
        Code.DID_NOT_RING,
        Setting.LINE,
        company(),
        there={"extensions": {"101": Extension("101", line_of("105"), "Recepcja")}},
        dialled="101",
    ),
}


def made(group: HuntGroup, said: dict[str, object]) -> Exchange:
    said = dict(said)
    nested = said.pop("nested", None)
    groups = [group] if nested is None else [group, nested]
    extensions = said.pop("extensions", {})
    here = exchange(*groups, **said)  # type: ignore[arg-type]
    return with_caller(replace(here, extensions={**here.extensions, **extensions}), ())  # type: ignore[dict-item]


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_that_is_not_obeyed_is_blamed(name: str):
    broken = SETTINGS[name]
    here = made(broken.group, broken.here)
    there = made(broken.obeyed or broken.group, broken.here | broken.there)
    found = [
        judge(scenario, witnessed(there, scenario)).findings for scenario in trials(here, broken.dialled)
    ]
    red = [(each[0].code, each[0].blames.setting) for each in found if each]
    assert (broken.code, broken.setting) in red, red


# What phones see, where what goes wrong is no setting

Change = Callable[[list[Observation]], list[Observation]]


def without(kind: type, *phones: str) -> Change:
    """Without what these phones (or all) have seen of a kind."""
    return lambda seen: [
        each for each in seen if not (isinstance(each, kind) and (not phones or each.phone in phones))
    ]


def other(kind: type, *phones: str, **said: object) -> Change:
    """What these phones (or all) have seen of a kind is otherwise."""

    def change(seen: list[Observation]) -> list[Observation]:
        return [
            replace(each, **said) if isinstance(each, kind) and (not phones or each.phone in phones) else each
            for each in seen
        ]

    return change


def later(kind: type, phone: str, by_s: float) -> Change:
    return lambda seen: [
        replace(each, at=each.at + by_s) if isinstance(each, kind) and each.phone == phone else each
        for each in seen
    ]


def more(*added: Observation) -> Change:
    return lambda seen: [*seen, *added]


def second_winner(seen: list[Observation]) -> list[Observation]:
    """The second does not hear that the first was faster, and answers as well."""
    (stopped,) = [each for each in seen if isinstance(each, StoppedRinging) and each.phone == SECOND]
    answered = Answered(SECOND, stopped.at, stopped.call)
    return [*without(StoppedRinging, SECOND)(seen), answered]


CALLER = "0000000000"
FROM = (Display("From", "101", "Recepcja"),)
TWO_WAYS = (Display("From", "999", "Test"), Display("P-Asserted-Identity", "101", "Recepcja"))
OBSERVED: dict[str, tuple[Code, Setting, str, Kind, Change]] = {
    "two winners": (Code.TWO_WINNERS, Setting.EXCHANGE, "", Kind.FIRST_ANSWERS, second_winner),
    "stopped late": (
        *(Code.RANG_ON, Setting.EXCHANGE, SECOND, Kind.FIRST_ANSWERS),
        later(StoppedRinging, SECOND, 1.5),
    ),
    "never stopped": (
        *(Code.RANG_ON, Setting.EXCHANGE, SECOND, Kind.FIRST_ANSWERS),
        without(StoppedRinging, SECOND),
    ),
    "rings on when the caller is gone": (
        *(Code.RANG_ON, Setting.EXCHANGE, SECOND, Kind.CALLER_GIVES_UP),
        later(StoppedRinging, SECOND, 1.5),
    ),
    "missed call on the others": (
        *(Code.MISSED_CALL, Setting.EXCHANGE, SECOND, Kind.FIRST_ANSWERS),
        other(StoppedRinging, reason=""),
    ),
    "no missed call though nobody answered": (
        *(Code.FALSE_ELSEWHERE, Setting.EXCHANGE, FIRST, Kind.CALLER_GIVES_UP),
        other(StoppedRinging, reason=ELSEWHERE),
    ),
    "caller hears nothing": (
        *(Code.ONE_WAY_AUDIO, Setting.PHONE, CALLER, Kind.FIRST_ANSWERS),
        without(Heard, CALLER),
    ),
    "callee hears nothing": (
        *(Code.ONE_WAY_AUDIO, Setting.PHONE, FIRST, Kind.FIRST_ANSWERS),
        without(Heard, FIRST),
    ),
    "nobody hears anything": (Code.NO_AUDIO, Setting.PHONE, "", Kind.FIRST_ANSWERS, without(Heard)),
    "a stranger is heard": (
        *(Code.WRONG_AUDIO, Setting.EXCHANGE, CALLER, Kind.FIRST_ANSWERS),
        more(Heard(CALLER, 1003.0, "own", 640)),
    ),
    "sound is lost": (
        *(Code.LOSS, Setting.PHONE, CALLER, Kind.FIRST_ANSWERS),
        other(Ended, CALLER, lost=30),
    ),
    "callee is not hung up": (
        *(Code.NOT_HUNG_UP, Setting.EXCHANGE, FIRST, Kind.FIRST_ANSWERS),
        without(Ended, FIRST),
    ),
    "cut off": (
        *(Code.CUT_OFF, Setting.EXCHANGE, CALLER, Kind.FIRST_ANSWERS),
        other(Ended, CALLER, by=By.OTHER),
    ),
    "caller is never connected": (
        *(Code.CALLER_NOT_CONNECTED, Setting.EXCHANGE, CALLER, Kind.FIRST_ANSWERS),
        without(Answered, CALLER),
    ),
    "an answer out of the blue": (
        *(Code.ANSWERED_BY_NOBODY, Setting.EXCHANGE, CALLER, Kind.NO_ANSWER),
        more(Answered(CALLER, 1001.0, "own")),
    ),
    "nobody gets it": (Code.NO_WINNER, Setting.EXCHANGE, "", Kind.FIRST_ANSWERS, without(Answered)),
    "caller is never told": (
        *(Code.NO_RINGBACK, Setting.EXCHANGE, CALLER, Kind.NO_ANSWER),
        without(Progressed),
    ),
    "caller is told late": (
        *(Code.SLOW, Setting.EXCHANGE, CALLER, Kind.NO_ANSWER),
        later(Progressed, CALLER, 2.0),
    ),
    "caller waits for ever": (
        *(Code.NOT_TURNED_DOWN, Setting.EXCHANGE, CALLER, Kind.NO_ANSWER),
        without(TurnedDown),
    ),
    "caller has to hang up, for he is told nothing": (
        *(Code.NOT_TURNED_DOWN, Setting.EXCHANGE, CALLER, Kind.NO_ANSWER),
        lambda seen: [
            *without(TurnedDown)(seen),
            GaveUp(CALLER, seen[-1].at),
            TurnedDown(CALLER, seen[-1].at, 487),
        ],
    ),
    "caller is told otherwise": (
        *(Code.WRONG_STATUS, Setting.EXCHANGE, CALLER, Kind.NO_ANSWER),
        other(TurnedDown, status=503),
    ),
    "headers contradict each other": (
        *(Code.WRONG_NUMBER, Setting.CALLER, FIRST, Kind.FIRST_ANSWERS),
        other(Rang, FIRST, displays=TWO_WAYS),
    ),
    "who hides is seen": (
        *(Code.NOT_HIDDEN, Setting.HIDE_NUMBER, FIRST, Kind.HIDDEN),
        other(Rang, FIRST, displays=FROM),
    ),
    "a test phone breaks": (
        *(Code.PHONE_FAILED, Setting.PHONE, THIRD, Kind.FIRST_ANSWERS),
        more(Broke(THIRD, 1001.0, "out of memory")),
    ),
    "a test phone can't register": (
        *(Code.NOT_REGISTERED, Setting.PHONE, THIRD, Kind.FIRST_ANSWERS),
        without(Registered, THIRD),
    ),
    "rung a second time": (
        *(Code.RANG_AGAIN, Setting.EXCHANGE, FIRST, Kind.NO_ANSWER),
        more(Rang(FIRST, 1013.0, "again", (Display("From", "999", "Test"),))),
    ),
}


@pytest.mark.parametrize("name", OBSERVED)
def test_what_goes_wrong_is_named_with_who_saw_it(name: str):
    code, setting, phone, kind, change = OBSERVED[name]
    members = tuple(map(Member, ("101", "102", "103")))
    here = with_caller(exchange(company(strategy=TOGETHER, members=members)), ())
    scenario = next(each for each in trials(here, "600") if each.kind is kind)
    assert judge(scenario, witnessed(here, scenario)).passed
    found = judge(scenario, change(witnessed(here, scenario))).findings
    assert [(each.code, each.blames.setting, each.phone) for each in found][:1] == [(code, setting, phone)]


def test_a_phone_to_which_nothing_leads_is_named_where_it_rings_too():
    here = with_caller(exchange(company()), ())
    scenario = trials(here, "600")[0]
    stranger = line_of("105")
    seen = [*witnessed(here, scenario), Rang(stranger, 1_000.2, "strange", (Display("From", "996", "Test"),))]
    (finding,) = judge(scenario, seen).findings
    assert (finding.code, finding.phone) == (Code.STRANGER_RANG, stranger)
    assert finding.blames == Cause(Setting.EXCHANGE)
    named = proved(scenario, seen, AT).phones
    assert [each.extension for each in named] == ["101", "102", "103", "105"]


def test_whichever_of_a_shuffled_group_comes_first_a_healthy_call_is_explained():
    # Who gives up before anybody rings may have waited for 103: with 101 first it would be over at once.
    members = (Member("102", ring_time=4), Member("101", stop=True), Member("103", ring_delay=2, ring_time=4))
    group = company(strategy=HuntStrategy.RANDOM, members=members)
    here = with_caller(exchange(group, dnd=("101",)), ())
    for scenario in trials(here, "600"):
        for seed in range(12):
            assert judge(scenario, witnessed(here, scenario, seed)).findings == (), (scenario.kind, seed)


def of_kind(here: Exchange, kind: Kind, number: str = "101") -> Scenario:
    return next(each for each in trials(here, number) if each.kind is kind)


def test_a_code_that_is_not_taken_or_does_nothing_is_named():
    here = with_caller(exchange(company()), ())
    scenario = of_kind(here, Kind.DND_TAKEN_BACK)
    assert [dial.code for dial in scenario.codes] == ["*26", "#26"]
    assert judge(scenario, witnessed(here, scenario)).passed
    idle = witnessed(here, replace(scenario, codes=scenario.codes[:1]))
    last = [
        replace(each, at=each.at + 0.1, **({"number": "#26"} if isinstance(each, Dialled) else {}))
        for each in idle
        if isinstance(each, Dialled | Answered) and each.at < 1_000
    ]
    (finding,) = judge(scenario, [*idle, *last]).findings
    assert (finding.code, finding.blames) == (Code.CODE_IDLE, Cause(Setting.CODE, "#26", does=Does.DND_OFF))
    refused = [
        TurnedDown(each.phone, each.at, 403) if isinstance(each, Answered) and each.at < 1_000 else each
        for each in witnessed(here, scenario)
    ]
    (finding,) = judge(scenario, refused).findings
    assert (finding.code, finding.expected, finding.seen) == (Code.CODE_REFUSED, "*26", "403")


@pytest.mark.parametrize(
    ("change", "code", "seen"),
    [
        (lambda lit: None, Code.LAMP_WRONG, Light.DARK),
        (lambda lit: None if lit.light is Light.TALKS else lit, Code.LAMP_WRONG, Light.RINGS),
        (lambda lit: None if lit.light is Light.DARK else lit, Code.LAMP_WRONG, Light.TALKS),
        (lambda lit: replace(lit, at=lit.at + 0.8), Code.LAMP_LATE, ""),
    ],
    ids=["never lit", "answer not shown", "never dark again", "late"],
)
def test_what_a_lamp_shows_wrongly_is_found(change: Callable[[Lit], Lit | None], code: Code, seen: str):
    here = with_caller(exchange(company()), ())
    scenario = next(each for each in trials(here, "600") if each.kind is Kind.LAMP)
    changed = [change(each) if isinstance(each, Lit) else each for each in witnessed(here, scenario)]
    (finding,) = judge(scenario, [each for each in changed if each is not None]).findings
    assert (finding.code, finding.blames) == (code, Cause(Setting.LAMP, "600"))
    assert finding.seen == seen or 0.8 <= float(finding.seen) <= 1.0


def test_a_lamp_that_is_lit_for_nothing_and_one_that_may_not_be_are_found():
    here = with_caller(exchange(company()), ())
    scenario = next(each for each in trials(here, "600") if each.kind is Kind.LAMP)
    _, dark = scenario.lamps
    seen = [*witnessed(here, scenario), Lit(dark.phone, 1_000.5, dark.number, Light.RINGS)]
    (finding,) = judge(scenario, seen).findings
    assert (finding.code, finding.blames.of) == (Code.LAMP_WRONG, dark.number)
    may_not = [replace(each, status=404) if isinstance(each, Watches) else each for each in seen]
    found = judge(scenario, may_not).findings
    assert [(each.code, each.seen) for each in found] == [(Code.LAMP_REFUSED, "404")] * 2


def test_a_short_number_is_to_blame_where_nobody_rings_to_whom_it_leads():
    here = with_caller(replace(exchange(company()), short_numbers={"9": "600"}), ())
    scenario = next(each for each in trials(here, "600") if each.kind is Kind.SHORT_NUMBER)
    assert judge(scenario, witnessed(here, scenario)).passed
    short = Cause(Setting.SHORT_NUMBER, "9")
    elsewhere = replace(here, short_numbers={"9": "105"})
    found = judge(scenario, witnessed(elsewhere, scenario)).findings
    assert [(each.code, each.phone, each.blames) for each in found][:2] == [
        (Code.DID_NOT_RING, FIRST, short),
        (Code.STRANGER_RANG, line_of("105"), short),
    ]
    # Where those that it leads to ring, and wrongly, that is for their own settings to explain.
    disorder = replace(here, groups={"600": company(members=company().members[::-1])})
    assert judge(scenario, witnessed(disorder, scenario)).findings[0].code is Code.WRONG_ORDER


def test_a_loser_whose_answer_came_too_late_is_hung_up_on_and_no_second_winner():
    here = with_caller(exchange(company(strategy=TOGETHER)), ())
    scenario = next(each for each in trials(here, "600") if each.kind is Kind.RACE)
    seen = second_winner_taken_back(witnessed(here, scenario))
    verdict = judge(scenario, seen)
    assert verdict.passed
    assert verdict.winner == FIRST


def second_winner_taken_back(seen: list[Observation]) -> list[Observation]:
    (stopped,) = [each for each in seen if isinstance(each, StoppedRinging) and each.phone == THIRD]
    answered = Answered(THIRD, stopped.at, stopped.call)
    return [
        *without(StoppedRinging, THIRD)(seen),
        answered,
        Ended(THIRD, stopped.at + 0.1, stopped.call, By.OTHER),
    ]


def test_a_verdict_says_who_rang_who_won_and_how_long_the_caller_waited():
    here = with_caller(exchange(company()), ())
    scenario = next(each for each in trials(here, "600") if each.kind is Kind.LAST_ANSWERS)
    verdict = judge(scenario, witnessed(here, scenario))
    assert verdict.order == (FIRST, SECOND, THIRD)
    assert verdict.winner == THIRD
    assert verdict.post_dial_s is not None
    assert 0 < verdict.post_dial_s < 0.3
    assert verdict.passed


def test_a_call_that_was_never_made_says_nothing_of_the_exchange():
    here = with_caller(exchange(company()), ())
    scenario = trials(here, "600")[0]
    registered = [each for each in witnessed(here, scenario) if isinstance(each, Registered)]
    (finding,) = judge(scenario, registered).findings
    assert isinstance(finding, Finding)
    assert finding.code is Code.NOT_DIALLED


def test_of_a_large_random_group_some_orders_are_tried_and_not_all_are_held(monkeypatch: pytest.MonkeyPatch):
    numbers = [str(number) for number in range(110, 122)]
    lines = {line_of(number): Line(line_of(number), "telefonia-ip-plus") for number in numbers}
    extensions = {number: Extension(number, line_of(number)) for number in numbers}
    extension_of = {line_of(number): number for number in numbers}
    everybody = group("600", *numbers, strategy=HuntStrategy.RANDOM)
    alike = replace(exchange(everybody), lines=lines, extensions=extensions, extension_of=extension_of)
    here = with_caller(alike, ())
    scenario = next(each for each in trials(here, "600") if each.kind is Kind.NO_ANSWER)
    seen = without(Rang, line_of("115"))(witnessed(here, scenario))
    made = 0

    def counted(members: Iterable[str]) -> Iterator[tuple[str, ...]]:
        nonlocal made
        for order in permutations(members):
            made += 1
            assert made <= 200
            yield order

    monkeypatch.setattr(case, "permutations", counted)
    monkeypatch.setattr(case, "_MOST_ORDERS", 100)
    assert judge(scenario, seen).findings
    assert made == 100
