"""The verdict on a test call: what its phones have seen against what its scenario foretells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sip.testcall.findings import Code, Finding, Verdict
from sip.testcall.judging.case import Case, Tolerances, case
from sip.testcall.judging.codes import judge_codes
from sip.testcall.judging.displays import judge_displays
from sip.testcall.judging.lamps import judge_lamps
from sip.testcall.judging.sound import judge_sound
from sip.testcall.judging.times import judge_times
from sip.testcall.judging.who import judge_who
from sip.testcall.judging.winner import judge_caller, judge_winner
from sip.testcall.observed import Observation
from sip.testcall.plan import Cause, Setting
from sip.testcall.scenario import Scenario, Then
from sip.testcall.seen import Seen, seen

TOLERANCES = Tolerances()


def judge(
    scenario: Scenario, observations: Sequence[Observation], tolerances: Tolerances = TOLERANCES
) -> Verdict:
    """Whether the call went as it should. What explains other things comes first among its findings."""
    found = seen(scenario.caller.phone, observations)
    broken = tuple(_broken(scenario, found))
    if broken or found.caller.dialled is None:
        # What is seen of phones that don't work says nothing about the exchange.
        return Verdict(broken)
    judged = case(scenario, found, tolerances)
    progressed = found.caller.progressed
    talked = judged.talked
    return Verdict(
        tuple(judge_codes(judged, lambda each: tuple(_findings(each)))),
        post_dial_s=None if progressed is None else progressed.at - judged.dialled_at,
        order=tuple(dict.fromkeys(ring.phone for ring in found.rings)),
        winner=talked[0].phone if talked else None,
        foretold=judged.expected.rings,
    )


def _broken(scenario: Scenario, found: Seen) -> Iterator[Finding]:
    for broke in found.broke:
        yield Finding(Code.PHONE_FAILED, broke.phone, "", broke.what, Cause(Setting.PHONE, broke.phone))
    for part in scenario.parts:
        is_there = part.behaviour.then is not Then.UNREGISTERED
        if is_there and part.phone not in found.registered:
            yield Finding(Code.NOT_REGISTERED, part.phone, "", "", Cause(Setting.PHONE, part.phone))
    if found.caller.dialled is None:
        caller = scenario.caller.phone
        yield Finding(Code.NOT_DIALLED, caller, "", "", Cause(Setting.PHONE, caller))


def _findings(judged: Case) -> Iterator[Finding]:
    refused = (ring.refused for ring in judged.seen.rings if ring.refused is not None)
    if sent_on := [each for each in refused if 300 <= each.status < 400]:
        for each in sent_on:
            yield Finding(Code.SENT_ON, each.phone, "", str(each.status), Cause(Setting.PHONE, each.phone))
        return
    who = list(judge_who(judged))
    yield from who
    if any(finding.code is Code.WRONG_ORDER for finding in who):
        # All times follow from that.
        yield from judge_displays(judged)
        return
    yield from judge_winner(judged)
    yield from judge_times(judged)
    yield from judge_displays(judged)
    yield from judge_caller(judged)
    yield from judge_sound(judged)
    yield from judge_lamps(judged)
