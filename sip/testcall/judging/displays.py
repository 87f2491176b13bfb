"""What each phone that rang was told: who calls, and how to ring."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sip.testcall.findings import Code, Finding
from sip.testcall.judging.case import Case, Pair
from sip.testcall.observed import Display, Rang
from sip.testcall.plan import Cause, Setting, Shown

_NOBODY = frozenset({"", "anonymous"})
"What stands in place of a number that is not to be seen, and of a name (RFC 3323)."
_INFO = re.compile(r';\s*info\s*=\s*"?([^";,\s]+)')


def judge_displays(case: Case) -> Iterator[Finding]:
    """Of each ring that was expected and seen; what is said in several headers must be the same in each."""
    for pair in case.pairs:
        if pair.seen is not None:
            yield from _display(pair, pair.seen.rang)
            yield from _alert(pair, pair.seen.rang)


def _display(pair: Pair, rang: Rang) -> Iterator[Finding]:
    shown = pair.expected.shown
    found: dict[Code, Finding] = {}
    for display in rang.displays:
        for finding in _one(pair.expected.phone, shown, display):
            found.setdefault(finding.code, finding)
    yield from found.values()


def _one(phone: str, shown: Shown, display: Display) -> Iterator[Finding]:
    cause = shown.cause
    if not shown.number:
        if display.number.lower() not in _NOBODY:
            yield Finding(Code.NOT_HIDDEN, phone, "", display.number, _hiding(cause))
        elif (shown.name or display.name.lower() not in _NOBODY) and display.name != shown.name:
            code = Code.WRONG_NAME if shown.name else Code.NOT_HIDDEN
            yield Finding(code, phone, shown.name, display.name, cause if shown.name else _hiding(cause))
        return
    if display.number != shown.number:
        spared = (each.cause for each in shown.spared if each.number == display.number)
        yield Finding(Code.WRONG_NUMBER, phone, shown.number, display.number, next(spared, cause))
    if display.name != shown.name:
        spared = (each.cause for each in shown.spared if each.name == display.name)
        yield Finding(Code.WRONG_NAME, phone, shown.name, display.name, next(spared, cause))


def _hiding(cause: Cause) -> Cause:
    """Also where a group is named in place of the caller, it is he who hides."""
    return cause if cause.setting is Setting.HIDE_NUMBER else Cause(Setting.HIDE_NUMBER)


def _alert(pair: Pair, rang: Rang) -> Iterator[Finding]:
    said = _INFO.search(rang.alert)
    seen = said.group(1) if said is not None else rang.alert
    expected = pair.expected.shown.alert
    if seen != expected:
        yield Finding(Code.WRONG_RING, pair.expected.phone, expected, seen, Cause(Setting.DISTINCTIVE_RING))
