"""Says an answer in one language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from provisioner.operations.printable import printable
from provisioner.operations.unrung import Answer, Known, Reason
from provisioner.operations.why import Asked
from provisioner.web.answers import sentences_en, sentences_pl
from provisioner.web.portal.words import Words


@dataclass(frozen=True, slots=True)
class _Language:
    """What answers are made of."""

    answers: Mapping[Reason, tuple[str, str]]
    "What was, and what is to be done."
    known: Mapping[Known, str]
    cases: Mapping[str, str]
    nobody: str
    long: str
    "Seconds that nobody has counted."


_LANGUAGES = {
    "pl": _Language(sentences_pl.ANSWERS, sentences_pl.KNOWN, sentences_pl.CASES, "nikogo", "jakiś czas"),
    "en": _Language(sentences_en.ANSWERS, sentences_en.KNOWN, sentences_en.CASES, "nobody", "some time"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """An answer in words."""

    text: str
    advice: str
    known: str
    "What it rests on."


def said(
    asked: Asked,
    number: str,
    answer: Answer,
    words: Words,
    moment: Callable[[datetime], str],
) -> Said:
    """What is answered to somebody who asks about `number`; `moment` says when something was."""
    language = _LANGUAGES[words.code]

    def became(end: str) -> str:
        return words.named("leg", end) or words.named("end", end) or end

    values = {
        "who": _named(asked, number),
        "of": answer.of,
        "other": _other(asked, answer, became),
        "case": language.cases.get(answer.case) or (became(answer.case) if answer.case else ""),
        "seconds": language.long if answer.seconds is None else f"{max(1, round(answer.seconds))} s",
        "status": "" if answer.status is None else str(answer.status),
        "at": "" if answer.at is None else moment(answer.at),
        "dialled": asked.call.to_number,
        "led_to": ", ".join(_named(asked, each) for each in answer.led_to) or language.nobody,
    }
    text, advice = (printable(each.format(**values)) for each in language.answers[answer.reason])
    return Said(text, advice, language.known[answer.known])


def _other(asked: Asked, answer: Answer, became: Callable[[str], str]) -> str:
    if answer.reason is Reason.FORWARDING_NOT_DUE:
        return became(answer.other)
    return _named(asked, answer.other)


def _named(asked: Asked, number: str) -> str:
    extension = asked.exchange.extensions.get(number)
    return number if extension is None or not extension.name else f"{number} {extension.name}"
