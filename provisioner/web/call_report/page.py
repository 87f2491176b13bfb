"""The report of test calls as a page that needs nothing beside it: it can be kept, printed and sent."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
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
class CallView:
    """One call, as the page shows it."""

    name: str
    passed: bool
    at: str
    sentences: tuple[Sentence, ...]
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
    began: str
    passed: bool
    right: int
    wrong: int
    sentences: tuple[Sentence, ...]
    "What no single call shows."
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


def body(proof: Proof, words: Words) -> str:
    """The report itself, for a page that has its style (`report.css`)."""
    right = sum(call.passed for call in proof.calls)
    view = ReportView(
        words=words,
        number=proof.number,
        speed="" if proof.speed == 1 else f"{proof.speed:g}".replace(".", words.comma),
        how=(words.how_live if proof.live else words.how).format(customer=proof.customer),
        began=_written(proof.calls[0].at) if proof.calls else "",
        passed=proof.passed,
        right=right,
        wrong=len(proof.calls) - right,
        sentences=sentences_of(proof, words),
        calls=tuple(_call(call, words) for call in proof.calls),
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
        at=_written(call.at),
        sentences=sentences_of(call, words),
        timeline=Drawing(call, words, sentences).timeline(),
        ladder=ladder(call, words, sentences),
    )


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
