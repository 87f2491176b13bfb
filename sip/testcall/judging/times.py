"""When each phone began to ring, and when it was over."""

from __future__ import annotations

from collections.abc import Iterator

from sip.testcall.findings import Code, Finding
from sip.testcall.judging.case import Case, Pair
from sip.testcall.plan import Cause, Setting
from sip.testcall.seen import SeenRing
from sip.testcall.taken import Ends

_ELSEWHERE = "cause=200"
"As the Reason of RFC 3326 says that another has answered: phones log no missed call then."


def judge_times(case: Case) -> Iterator[Finding]:
    """Of each ring that was expected and seen."""
    for pair in case.pairs:
        if pair.seen is not None:
            off_s = _off_s(case, pair, pair.seen)
            yield from _begin(case, pair, off_s)
            yield from _end(case, pair, pair.seen, off_s)


def _off_s(case: Case, pair: Pair, seen: SeenRing) -> float:
    """By how much it began to ring too late."""
    ring = pair.expected
    before = None if ring.after is None else case.pair_of(ring.after).seen
    ended_at = None if before is None else before.ended_at
    since = case.dialled_at if ring.after is None else ended_at
    # Where nobody has seen what it follows, that is what there is to be said.
    return 0.0 if since is None else seen.rang.at - since - ring.delay_s


def _begin(case: Case, pair: Pair, off_s: float) -> Iterator[Finding]:
    ring = pair.expected
    if -case.tolerances.early_s <= off_s <= case.tolerances.late_s:
        return
    if ring.begin_cause.setting is Setting.STRATEGY and ring.begin_cause.member and not ring.delay_s:
        code = Code.NOT_TOGETHER
    else:
        code = Code.TOO_EARLY if off_s < 0 else Code.TOO_LATE
    yield Finding(code, ring.phone, _seconds(ring.delay_s), _seconds(ring.delay_s + off_s), ring.begin_cause)


def _end(case: Case, pair: Pair, seen: SeenRing, off_s: float) -> Iterator[Finding]:
    ring, tolerances = pair.expected, case.tolerances
    phone, answered_at = ring.phone, case.answered_at
    ended_at, began_at = seen.ended_at, seen.rang.at
    exchange = Cause(Setting.EXCHANGE)
    over_at = None
    if ring.ends is Ends.GIVEN_UP and case.seen.caller.gave_up is not None:
        over_at = case.seen.caller.gave_up.at
    elif ring.ends in (Ends.ELSEWHERE, Ends.ANSWERED) and seen.answered is None:
        over_at = answered_at
    if over_at is not None:
        if ended_at is None or ended_at - over_at > tolerances.stop_s:
            late = "" if ended_at is None else _seconds(ended_at - over_at)
            yield Finding(Code.RANG_ON, phone, _seconds(0.0), late, exchange)
        elif over_at - ended_at > tolerances.length_s:
            lasted = _seconds(ended_at - began_at)
            yield Finding(Code.TOO_SHORT, phone, _seconds(ring.lasts_s), lasted, ring.end_cause)
    elif ring.ends is Ends.TIME_OVER and (answered_at is None or ended_at is None or ended_at < answered_at):
        yield from _time_over(case, pair, seen, off_s)
    yield from _told(case, pair, seen)


def _time_over(case: Case, pair: Pair, seen: SeenRing, off_s: float) -> Iterator[Finding]:
    ring = pair.expected
    if seen.ended_at is None:
        yield Finding(Code.RANG_ON, ring.phone, _seconds(ring.lasts_s), "", ring.end_cause)
        return
    lasted_s = seen.ended_at - seen.rang.at
    longer_s = lasted_s - ring.lasts_s
    # One that began too early, and ended when it should, is wrong once.
    if min(abs(longer_s), abs(longer_s + off_s)) > case.tolerances.length_s:
        code = Code.TOO_SHORT if lasted_s < ring.lasts_s else Code.TOO_LONG
        yield Finding(code, ring.phone, _seconds(ring.lasts_s), _seconds(lasted_s), ring.end_cause)


def _told(case: Case, pair: Pair, seen: SeenRing) -> Iterator[Finding]:
    """Why it was told to ring no longer: what its list of missed calls goes by."""
    if seen.stopped is None:
        return
    is_told = _ELSEWHERE in seen.stopped.reason.replace(" ", "").lower()
    answered_at = case.answered_at
    is_so = answered_at is not None and answered_at <= seen.stopped.at
    ends, exchange = pair.expected.ends, Cause(Setting.EXCHANGE)
    if is_so and not is_told and ends in (Ends.ELSEWHERE, Ends.ANSWERED):
        yield Finding(Code.MISSED_CALL, seen.phone, _ELSEWHERE, seen.stopped.reason, exchange)
    elif is_told and not is_so:
        yield Finding(Code.FALSE_ELSEWHERE, seen.phone, "", seen.stopped.reason, exchange)


def _seconds(length: float) -> str:
    return f"{round(length, 1) + 0.0:.1f}"
