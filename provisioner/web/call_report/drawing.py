"""The timeline of a test call: who rang, from when to when, drawn along the time of the whole call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from provisioner.centrex.trial_caller import CALLER_LINE
from provisioner.operations.proofs import Foretold, Phone, ProvedCall, Rung
from provisioner.web.call_report.sentences import Sentences
from provisioner.web.call_report.words import Words
from sip.testcall.scenario import Then

WIDTH = 240
"Units of a row: as long as the call took."
_LEAST = 1.5
"What was shorter is still seen."
_STEPS = (0.5, 1, 2, 5, 10, 15, 30, 60, 120)
_MOST_TICKS = 8
_END = 0.95
"Of the scale, from which on a text would stick out of it."


@dataclass(frozen=True, slots=True)
class Bar:
    """A span of a row."""

    x: str
    width: str
    was: str
    "As a class."
    title: str


@dataclass(frozen=True, slots=True)
class Row:
    """A phone, drawn from left to right."""

    who: str
    detail: str
    "What its display showed, or what the caller dialled."
    bars: tuple[Bar, ...]
    foretold: tuple[Bar, ...]
    text: str
    "What became of it, in words."
    is_wrong: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """A moment on the scale."""

    x: str
    text: str
    is_end: bool
    "At the end of the scale: its text would stick out."


@dataclass(frozen=True, slots=True)
class Timeline:
    """One call."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]


class Drawing:
    """Draws one call."""

    def __init__(self, call: ProvedCall, words: Words, sentences: Sentences) -> None:
        self._call = call
        self._words = words
        self._sentences = sentences
        self._wrong = {finding.phone for finding in call.findings}
        ends = [each.until_s or each.invited_s for each in call.rung]
        ends += [each.until_s for each in call.foretold]
        if call.talk is not None:
            ends.append(call.talk.until_s or call.talk.from_s)
        self._whole_s = max(1.0, *ends, call.post_dial_s or 0.0)

    def timeline(self) -> Timeline:
        """The caller first, then the phones in the order in which they rang, then those that did not."""
        rang = [rung.line for rung in self._call.rung]
        phones = sorted(
            self._call.phones, key=lambda phone: rang.index(phone.line) if phone.line in rang else len(rang)
        )
        return Timeline((self._caller(), *(self._phone(phone) for phone in phones)), tuple(self._ticks()))

    def length(self, seconds: float) -> str:
        """A time as the language writes it."""
        return f"{seconds:.1f}".replace(".", self._words.comma)

    def _caller(self) -> Row:
        call, words = self._call, self._words
        until_s = call.talk.from_s if call.talk is not None else self._last_s()
        told = [] if call.post_dial_s is None else [words.told.format(length=self.length(call.post_dial_s))]
        bars = [self._bar(0.0, until_s, "waits", words.waits.format(length=self.length(until_s)))]
        if call.talk is not None:
            told.append(self._heard())
            bars.append(self._talk())
        elif call.status is not None:
            told.append(self._told(call.status))
        is_wrong = CALLER_LINE in self._wrong
        dialled = words.dialled.format(caller=call.caller, number=call.dialled)
        return Row(words.caller, dialled, tuple(bars), (), ", ".join(told), is_wrong)

    def _phone(self, phone: Phone) -> Row:
        rung = [each for each in self._call.rung if each.line == phone.line]
        foretold = [each for each in self._call.foretold if each.line == phone.line]
        is_wrong = phone.line in self._wrong
        return Row(
            who=self._sentences.phone(phone.line),
            detail=self._displayed(rung),
            bars=tuple(bar for each in rung for bar in self._rang(each, is_wrong=is_wrong)),
            foretold=tuple(self._foretold(each) for each in foretold),
            text="; ".join(self._became(each) for each in rung) or self._silence(phone),
            is_wrong=is_wrong,
        )

    def _rang(self, rung: Rung, *, is_wrong: bool) -> Iterator[Bar]:
        until_s = self._whole_s if rung.until_s is None else rung.until_s
        was = "wrong" if is_wrong else "answered" if rung.ended == "answered" else "rang"
        yield self._bar(rung.invited_s, until_s, was, self._became(rung))
        if rung.ended == "answered" and rung.line == self._call.winner and self._call.talk is not None:
            yield self._talk()

    def _talk(self) -> Bar:
        talk = self._call.talk
        assert talk is not None  # noqa: S101 - asked only where they talk
        until_s = self._whole_s if talk.until_s is None else talk.until_s
        return self._bar(talk.from_s, until_s, "talk", self._heard())

    def _foretold(self, ring: Foretold) -> Bar:
        title = f"{self._words.legend_foretold}: {self.length(ring.from_s)}–{self.length(ring.until_s)} s"
        return self._bar(ring.from_s, ring.until_s, "foretold", title)

    def _became(self, rung: Rung) -> str:
        words = self._words
        if rung.until_s is None:
            return words.rings_on
        lasted = words.rang.format(length=self.length(rung.until_s - rung.invited_s))
        became = {"answered": words.answered, "refused": words.refused}.get(rung.ended or "")
        return f"{lasted}, {became}" if became else lasted

    def _silence(self, phone: Phone) -> str:
        words = self._words
        said = {Then.UNREGISTERED: words.absent, Then.ENGAGED: words.engaged, Then.DEAD: words.dead}
        return said.get(phone.does, words.silent)

    def _displayed(self, rung: Sequence[Rung]) -> str:
        if not rung:
            return ""
        number, name = rung[0].shown_number, rung[0].shown_name
        if number.lower() == "anonymous":
            number, name = self._words.anonymous, "" if name.lower() == "anonymous" else name
        return self._words.shown.format(who=" ".join(filter(None, (number, name))))

    def _heard(self) -> str:
        words, talk = self._words, self._call.talk
        assert talk is not None  # noqa: S101 - asked only where they talk
        if talk.answerer_hears is None:
            heard = words.hears_person if talk.caller_hears else words.hears_no_person
        elif talk.caller_hears and talk.answerer_hears:
            heard = words.hears_both
        elif talk.answerer_hears:
            heard = words.hears_caller_only
        else:
            heard = words.hears_answerer_only if talk.caller_hears else words.hears_none
        if talk.until_s is None:
            return heard
        return f"{words.talked.format(length=self.length(talk.until_s - talk.from_s))}, {heard}"

    def _told(self, status: int) -> str:
        words = self._words
        said = {487: words.gave_up, 486: words.found_busy, 600: words.found_busy, 603: words.found_declined}
        return said.get(status, words.turned_down)

    def _last_s(self) -> float:
        return max((each.until_s or each.invited_s for each in self._call.rung), default=self._whole_s)

    def _bar(self, from_s: float, until_s: float, was: str, title: str) -> Bar:
        width = max(_LEAST, (until_s - from_s) / self._whole_s * WIDTH)
        x = min(max(0.0, from_s / self._whole_s * WIDTH), WIDTH - _LEAST)
        return Bar(f"{x:.1f}", f"{min(width, WIDTH - x):.1f}", was, title)

    def _ticks(self) -> Iterator[Tick]:
        step = next((each for each in _STEPS if self._whole_s / each <= _MOST_TICKS), 300)
        for number in range(int(self._whole_s / step) + 1):
            at_s = number * step
            text = f"{at_s:g}".replace(".", self._words.comma)
            share = at_s / self._whole_s
            yield Tick(f"{share * 100:.1f}", self._words.seconds.format(length=text), share > _END)
