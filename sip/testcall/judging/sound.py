"""Whether the two who talk hear each other, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sip.testcall.findings import Code, Finding
from sip.testcall.judging.case import Case
from sip.testcall.observed import Ended, Heard
from sip.testcall.plan import Cause, Setting

_SAME_HZ = 10


def judge_sound(case: Case) -> Iterator[Finding]:
    """Of the caller, and of who got the call."""
    caller, talked = case.seen.caller, case.talked
    if caller.answered is None or len(talked) != 1:
        return
    (ring,) = talked
    if any(part.phone == ring.phone and not part.hz for part in case.scenario.members):
        # What people say nobody knows; but where they talk, something is to come of it.
        if caller.ended is not None and not caller.ended.packets:
            phone = case.scenario.caller.phone
            yield Finding(Code.ONE_WAY_AUDIO, phone, ring.phone, "", Cause(Setting.PHONE, ring.phone))
        return
    hz = {part.phone: part.hz for part in case.scenario.parts}
    calling, called = case.scenario.caller.phone, ring.phone
    hears = _hears(caller.heard, hz[called])
    is_heard = _hears(ring.heard, hz[calling])
    if not hears and not is_heard:
        yield Finding(Code.NO_AUDIO, "", "", "", Cause(Setting.PHONE, called))
    elif not hears:
        yield Finding(Code.ONE_WAY_AUDIO, calling, called, _heard(caller.heard), Cause(Setting.PHONE, called))
    elif not is_heard:
        yield Finding(Code.ONE_WAY_AUDIO, called, calling, _heard(ring.heard), Cause(Setting.PHONE, calling))
    for phone, heard, other in ((calling, caller.heard, called), (called, ring.heard, calling)):
        strange = [each for each in heard if abs(each.hz - hz[other]) > _SAME_HZ]
        if strange:
            whose = next((who for who, of in hz.items() if abs(of - strange[0].hz) <= _SAME_HZ), "")
            yield Finding(Code.WRONG_AUDIO, phone, other, whose or _heard(strange), Cause(Setting.EXCHANGE))
    for phone, ended in ((calling, caller.ended), (called, ring.ended)):
        yield from _lost(case, phone, ended)


def _lost(case: Case, phone: str, ended: Ended | None) -> Iterator[Finding]:
    if ended is None or not ended.packets:
        return
    lost = ended.lost / (ended.packets + ended.lost)
    if lost > case.tolerances.lost:
        allowed = f"{case.tolerances.lost:.0%}"
        yield Finding(Code.LOSS, phone, allowed, f"{lost:.0%}", Cause(Setting.PHONE, phone))


def _hears(heard: Sequence[Heard], hz: int) -> bool:
    return any(abs(each.hz - hz) <= _SAME_HZ for each in heard)


def _heard(heard: Sequence[Heard]) -> str:
    return ", ".join(f"{each.hz} Hz" for each in heard)
