"""The report of test calls as a page that needs nothing beside it: it can be kept, printed and sent."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cache
from importlib.resources import files

import jinja2

from provisioner.operations.proofs import Proof, ProvedCall
from provisioner.web.call_report.drawing import WIDTH, Drawing, Timeline
from provisioner.web.call_report.ladder import Ladder, ladder
from provisioner.web.call_report.sentences import Sentence, for_call, scenario_of, sentences_of
from provisioner.web.call_report.words import Words

_PACKAGE = "provisioner.web.call_report"


@dataclass(frozen=True, slots=True)
class Findings:
    """What one thing is to blame for in a call."""

    texts: tuple[str, ...]
    blames: str


@dataclass(frozen=True, slots=True)
class AtFault:
    """What is to blame for something in some of the calls."""

    blames: str
    calls: tuple[int, ...]
    "Their numbers on the page, from 1."


@dataclass(frozen=True, slots=True)
class CallView:
    """One call, as the page shows it."""

    name: str
    passed: bool
    findings: tuple[Findings, ...]
    timeline: Timeline
    ladder: Ladder | None


@dataclass(frozen=True, slots=True)
class ReportView:
    """The report."""

    words: Words
    number: str
    speed: str
    "Empty: nothing was divided."
    how: str
    "How this came about."
    made: str
    "When; empty where no call was made."
    passed: bool
    right: int
    wrong: int
    sentences: tuple[Sentence, ...]
    "What no single call shows."
    at_fault: tuple[AtFault, ...]
    "In the calls; what most of them suffer from comes first."
    calls: tuple[CallView, ...]
    width: int


@dataclass(frozen=True, slots=True)
class PageView:
    """A page with the report and nothing else."""

    words: Words
    number: str
    icon: str
    style: str
    body: str
    "As HTML."


def page(proof: Proof, words: Words) -> str:
    """The HTML of a page of its own."""
    static = files("provisioner.web.portal") / "static"
    view = PageView(
        words=words,
        number=proof.number,
        icon=b64encode((static / "icon.svg").read_bytes()).decode(),
        style=(static / "report.css").read_text("utf-8"),
        body=body(proof, words),
    )
    return _templates().get_template("report.html").render(view=view)


def body(proof: Proof, words: Words, zone: tzinfo = UTC) -> str:
    """The report itself, for a page that has its style (`report.css`). `zone` is that of who reads it."""
    right = sum(call.passed for call in proof.calls)
    calls = tuple(_call(call, words) for call in proof.calls)
    view = ReportView(
        words=words,
        number=proof.number,
        speed="" if proof.speed == 1 else f"{proof.speed:g}".replace(".", words.comma),
        how=(words.how_live if proof.live else words.how).format(customer=proof.customer),
        made=words.made.format(at=_written(proof.calls[0].at, zone)) if proof.calls else "",
        passed=proof.passed,
        right=right,
        wrong=len(proof.calls) - right,
        sentences=sentences_of(proof, words),
        at_fault=_at_fault(calls),
        calls=calls,
        width=WIDTH,
    )
    return _templates().get_template("report_body.html").render(view=view)


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _call(call: ProvedCall, words: Words) -> CallView:
    sentences = for_call(call, words)
    return CallView(
        name=scenario_of(call, words),
        passed=call.passed,
        findings=_findings(sentences_of(call, words)),
        timeline=Drawing(call, words, sentences).timeline(),
        ladder=ladder(call, words, sentences),
    )


def _findings(sentences: Sequence[Sentence]) -> tuple[Findings, ...]:
    """By what they blame."""
    blamed = dict.fromkeys(sentence.blames for sentence in sentences)
    return tuple(
        Findings(tuple(sentence.text for sentence in sentences if sentence.blames == each), each)
        for each in blamed
    )


def _at_fault(calls: Sequence[CallView]) -> tuple[AtFault, ...]:
    suffered: dict[str, list[int]] = {}
    for number, call in enumerate(calls, 1):
        for each in call.findings:
            suffered.setdefault(each.blames, []).append(number)
    most_first = sorted(suffered.items(), key=lambda item: -len(item[1]))
    return tuple(AtFault(blames, tuple(numbers)) for blames, numbers in most_first)


def _written(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
