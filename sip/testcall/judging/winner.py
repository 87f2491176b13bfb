"""Who got the call, and what the caller was told."""

from __future__ import annotations

from collections.abc import Iterator

from sip.testcall.findings import Code, Finding
from sip.testcall.judging.case import Case
from sip.testcall.judging.who import listed
from sip.testcall.observed import By
from sip.testcall.plan import Cause, Setting

_EXCHANGE = Cause(Setting.EXCHANGE)


def judge_winner(case: Case) -> Iterator[Finding]:
    """Exactly one of those who may, or nobody; and the caller knows."""
    talked = [ring.phone for ring in case.talked]
    winners = case.expected.winners
    expected = listed(sorted(winners))
    if len(set(talked)) > 1:
        yield Finding(Code.TWO_WINNERS, "", expected, listed(talked), _EXCHANGE)
    elif talked and talked[0] not in winners:
        yield Finding(Code.WRONG_WINNER, talked[0], expected, talked[0], _EXCHANGE)
    elif winners and not talked:
        yield Finding(Code.NO_WINNER, "", expected, "", _EXCHANGE)
    yield from _connected(case, bool(talked))
    if not winners and not talked:
        yield from _turned_down(case)


def judge_caller(case: Case) -> Iterator[Finding]:
    """Whether it was told that somebody rings, and in time."""
    caller, rings = case.seen.caller, case.seen.rings
    if not rings:
        return
    first = rings[0]
    told = caller.progressed or caller.answered
    if told is None:
        yield Finding(Code.NO_RINGBACK, case.scenario.caller.phone, "", "", _EXCHANGE)
    elif (late_s := told.at - first.rang.at) > case.tolerances.told_s:
        yield Finding(Code.SLOW, case.scenario.caller.phone, "0.0", f"{late_s:.1f}", _EXCHANGE)


def _connected(case: Case, is_taken: bool) -> Iterator[Finding]:
    caller, phone = case.seen.caller, case.scenario.caller.phone
    if is_taken and caller.answered is None:
        yield Finding(Code.CALLER_NOT_CONNECTED, phone, "", "", _EXCHANGE)
    elif caller.answered is not None and not is_taken:
        yield Finding(Code.ANSWERED_BY_NOBODY, phone, "", "", _EXCHANGE)
    hung_up = any(ring.ended is not None and ring.ended.by is By.ITSELF for ring in case.talked)
    if caller.ended is not None and caller.ended.by is By.OTHER and not hung_up:
        lasted_s = caller.ended.at - (caller.answered.at if caller.answered else case.dialled_at)
        expected, seen = f"{case.scenario.talks_s:.1f}", f"{lasted_s:.1f}"
        yield Finding(Code.CUT_OFF, phone, expected, seen, _EXCHANGE)
    elif caller.ended is not None:
        for ring in case.talked:
            if ring.ended is None:
                yield Finding(Code.NOT_HUNG_UP, ring.phone, "", "", _EXCHANGE)


def _turned_down(case: Case) -> Iterator[Finding]:
    caller, status = case.seen.caller, case.expected.status
    if status is None:
        return
    phone = case.scenario.caller.phone
    if caller.turned_down is None or caller.gave_up is not None:
        # Where he had to give up, his call was over by that alone.
        if caller.answered is None:
            yield Finding(Code.NOT_TURNED_DOWN, phone, str(status), "", _EXCHANGE)
    elif caller.turned_down.status != status:
        yield Finding(Code.WRONG_STATUS, phone, str(status), str(caller.turned_down.status), _EXCHANGE)
