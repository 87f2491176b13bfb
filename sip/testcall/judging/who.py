"""Who rang, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sip.testcall.findings import Code, Finding
from sip.testcall.judging.case import Case, Pair
from sip.testcall.plan import Cause, Setting
from sip.testcall.plan_parts import phones_of


def judge_who(case: Case) -> Iterator[Finding]:
    """Those that did not ring, those that should not have, and those that did so out of turn."""
    missing = [pair for pair in case.pairs if pair.seen is None]
    disorder = _disorder(case, missing)
    if disorder is not None:
        yield disorder
        return
    answered_at, entry = case.answered_at, _missed_entry(case)
    for pair in missing:
        ring = pair.expected
        was_over = answered_at is not None and case.dialled_at + ring.begins_s > answered_at
        is_alone = ring.after is None or case.pair_of(ring.after).seen is not None
        if is_alone and not was_over:
            yield Finding(Code.DID_NOT_RING, ring.phone, "", "", entry or ring.cause)
    expected = {ring.phone for ring in case.expected.rings}
    for extra in case.extra:
        cause = case.expected.silent.get(extra.phone)
        if extra.phone in expected:
            times = sum(ring.phone == extra.phone for ring in case.expected.rings)
            seen = sum(ring.phone == extra.phone for ring in case.seen.rings)
            yield Finding(Code.RANG_AGAIN, extra.phone, str(times), str(seen), Cause(Setting.EXCHANGE))
        elif cause is not None:
            yield Finding(Code.RANG_WRONGLY, extra.phone, "", "", cause)
        else:
            yield Finding(Code.STRANGER_RANG, extra.phone, "", "", entry or Cause(Setting.EXCHANGE))


def _missed_entry(case: Case) -> Cause | None:
    """What leads to the plan, where nobody rang whom that knows: the call never came so far."""
    known = set(phones_of(case.scenario.plan))
    return case.scenario.entry if known.isdisjoint(ring.phone for ring in case.seen.rings) else None


def _disorder(case: Case, missing: list[Pair]) -> Finding | None:
    """The members of a group rang in turn, but in another order than theirs."""
    for pair in case.pairs:
        after = pair.expected.after
        before = None if after is None else case.pair_of(after)
        if pair.seen is None or before is None or pair.expected.begin_cause.setting not in _IN_TURN:
            continue
        if before.seen is not None and pair.seen.rang.at < before.seen.rang.at:
            return _wrong_order(case, pair.expected.begin_cause.of)
        if pair.seen.answered is not None and _all_left_out(case, before):
            return _wrong_order(case, pair.expected.begin_cause.of)
    strategies = {
        cause.of
        for extra in case.extra
        if (cause := case.expected.silent.get(extra.phone)) is not None and cause.setting is Setting.STRATEGY
    }
    for pair in missing:
        if pair.expected.begin_cause.of in strategies:
            return _wrong_order(case, pair.expected.begin_cause.of)
    return None


def _all_left_out(case: Case, pair: Pair) -> bool:
    """Whether this one did not ring, nor any before it, down to the first; a phone that is dead can't."""
    while pair.seen is None and pair.expected.cause.setting is not Setting.PHONE:
        if pair.expected.after is None:
            return pair is case.pairs[0]
        pair = case.pair_of(pair.expected.after)
    return False


_IN_TURN = (Setting.STRATEGY, Setting.RING_DELAY)


def _wrong_order(case: Case, group: str) -> Finding:
    expected = (ring.phone for ring in case.expected.rings)
    seen = (ring.phone for ring in case.seen.rings)
    return Finding(Code.WRONG_ORDER, "", listed(expected), listed(seen), Cause(Setting.STRATEGY, group))


def listed(phones: Iterable[str]) -> str:
    """Lines, each once, as a finding has them."""
    return ", ".join(dict.fromkeys(phones))
