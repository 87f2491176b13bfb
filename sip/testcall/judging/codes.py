"""Whether the codes that were dialled before a call were taken, and have done what they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sip.testcall.findings import Code, Finding
from sip.testcall.judging.case import Case, case

_WHO = frozenset({Code.DID_NOT_RING, Code.RANG_WRONGLY, Code.STRANGER_RANG})


def judge_codes(judged: Case, findings: Callable[[Case], Sequence[Finding]]) -> Sequence[Finding]:
    """The findings of a call, where codes were dialled before it with those in mind."""
    scenario = judged.scenario
    if not scenario.codes:
        return findings(judged)
    last = scenario.codes[-1]
    for dial, seen in zip(scenario.codes, judged.seen.codes, strict=False):
        if not seen.is_taken:
            status = "" if seen.status is None else str(seen.status)
            return [Finding(Code.CODE_REFUSED, dial.phone, dial.code, status, dial.cause)]
    found = findings(judged)
    if found and scenario.unheeded is not None:
        without = replace(scenario, plan=scenario.unheeded, codes=(), unheeded=None)
        if not findings(case(without, judged.seen, judged.tolerances)):
            return [Finding(Code.CODE_IDLE, last.phone, last.code, "", last.cause)]
    return [replace(each, blames=last.cause) if each.code in _WHO else each for each in found]
