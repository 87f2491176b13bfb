"""Findings in whole sentences: what is wrong, and what is to blame for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from provisioner.centrex.trial_caller import CALLER_LINE
from provisioner.operations.printable import printable
from provisioner.operations.proofs import Proof, ProvedCall
from provisioner.web.call_report.meanings import meaning_of
from provisioner.web.call_report.words import Words
from sip.testcall.findings import Code, Finding
from sip.testcall.plan import Cause

_STATUS = re.compile(r"[1-6][0-9]{2}")
_POINT = re.compile(r"(?<=[0-9])\.(?=[0-9])")
_TIMES = frozenset(
    {Code.NOT_TOGETHER, Code.TOO_EARLY, Code.TOO_LATE, Code.TOO_SHORT, Code.TOO_LONG, Code.RANG_ON}
    | {Code.SLOW, Code.CUT_OFF, Code.LAMP_LATE}
)
_RINGS = frozenset({Code.WRONG_RING})
_LAMPS = frozenset({Code.LAMP_WRONG, Code.LAMP_LATE})
_ANSWERS = frozenset({Code.WRONG_STATUS, Code.CODE_REFUSED, Code.LAMP_REFUSED})
"What they have seen is the status of an answer, and so is what the first should have."
_PHONES = frozenset(
    {Code.WRONG_ORDER, Code.NO_WINNER, Code.WRONG_WINNER, Code.TWO_WINNERS, Code.ONE_WAY_AUDIO}
    | {Code.WRONG_AUDIO}
)
"Whose values are lines."


@dataclass(frozen=True, slots=True)
class Sentence:
    """One finding, for people."""

    text: str
    blames: str


class Sentences:
    """Says findings in one language, and calls phones as people know them."""

    def __init__(self, words: Words, names: Mapping[str, str]) -> None:
        """`names`: how people call each line."""
        self._words = words
        self._names = names

    def of(self, finding: Finding) -> Sentence:
        """The whole sentence, and what it blames."""
        who = self.phone(finding.phone)
        expected, seen = self._value(finding, finding.expected), self._value(finding, finding.seen)
        text = self._words.findings[finding.code].format(who=who, expected=expected, seen=seen)
        return Sentence(printable(text), self.blamed(finding.blames))

    def blamed(self, cause: Cause) -> str:
        """What is to blame."""
        of = self.phone(cause.of) if cause.of in self._names else cause.of
        blamed = self._words.blames[cause.setting].format(of=of, member=cause.member)
        return blamed if cause.does is None else f"{blamed} ({self._words.does[cause.does]})"

    def phone(self, line: str) -> str:
        """How people call it."""
        return self._names.get(line, line)

    def _value(self, finding: Finding, value: str) -> str:
        words = self._words
        if finding.code in _RINGS:
            return words.inside if value else words.usual
        if not value:
            return words.nothing
        if value in _statuses(finding) and _STATUS.fullmatch(value):
            meaning = words.meanings[meaning_of(int(value))].rstrip(".")
            return words.status.format(meaning=meaning, status=value)
        if finding.code in _LAMPS and value in words.lights:
            return words.lights[value]
        if finding.code in _PHONES:
            return ", ".join(self.phone(each) for each in value.split(", "))
        return _POINT.sub(words.comma, value) if finding.code in _TIMES else value


def _statuses(finding: Finding) -> tuple[str, ...]:
    if finding.code not in _ANSWERS:
        return ()
    return (finding.seen, finding.expected) if finding.code is Code.WRONG_STATUS else (finding.seen,)


def for_call(call: ProvedCall, words: Words) -> Sentences:
    """Calls the phones of a call as people know them."""
    names = {
        each.line: " ".join(filter(None, (each.extension or each.line, each.name))) for each in call.phones
    }
    return Sentences(words, {**names, CALLER_LINE: words.caller})


def scenario_of(call: ProvedCall, words: Words) -> str:
    """What the phones of a call did."""
    single = words.single.get(call.scenario) if len(call.phones) == 1 else None
    return single or words.scenarios[call.scenario]


def sentences_of(proved: ProvedCall | Proof, words: Words) -> tuple[Sentence, ...]:
    """What is said of a call, or of all together that no single one shows."""
    said = for_call(proved, words) if isinstance(proved, ProvedCall) else Sentences(words, {})
    return tuple(said.of(finding) for finding in proved.findings)
