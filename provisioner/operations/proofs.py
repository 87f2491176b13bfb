"""What came of test calls, for people and programs: who rang when, who heard whom, and what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter

from provisioner.operations.messages import Message, messages_of
from sip.testcall.drawn import Drawn, drawn
from sip.testcall.findings import Finding
from sip.testcall.observed import Observation
from sip.testcall.scenario import Kind, Part, Scenario, Then
from sip.testcall.seen import Seen, SeenRing, seen
from sip.testcall.spoken import Spoken
from sip.testcall.verdict import TOLERANCES, judge


@dataclass(frozen=True, slots=True)
class Rung:
    """A phone that rang in a test call."""

    line: str
    extension: str
    "Empty: the line has none."
    name: str
    invited_s: float
    "When its INVITE came, in seconds since the caller dialled."
    until_s: float | None
    "When it rang no longer; None: nobody has seen that."
    ended: str | None
    "`answered`, `refused` or `stopped`; None as above."
    shown_number: str
    "Who calls, as it was told."
    shown_name: str


@dataclass(frozen=True, slots=True)
class Foretold:
    """A ring that there should have been, in seconds since the caller dialled."""

    line: str
    from_s: float
    until_s: float


@dataclass(frozen=True, slots=True)
class Talk:
    """What the two heard of each other who talked, by tones."""

    from_s: float
    "Since the caller dialled."
    until_s: float | None
    "When the caller hung up; None: it was not seen."
    caller_hears: bool
    answerer_hears: bool | None
    "None: it is a person, and only he knows."


@dataclass(frozen=True, slots=True)
class Phone:
    """One that took part, the caller aside, and bystanders of which there is nothing to say."""

    line: str
    extension: str
    "Empty: the line has none."
    name: str
    does: Then


@dataclass(frozen=True, slots=True)
class ProvedCall:
    """One call, and whether it went as is configured."""

    at: datetime
    scenario: Kind
    "What its phones did."
    dialled: str
    caller: str
    "The extension that called."
    passed: bool
    rung: tuple[Rung, ...]
    "In the order in which they rang."
    winner: str | None
    "The line that got it."
    answered_by: str | None
    "Its extension, or the line itself if it has none; None: nobody."
    status: int | None
    "With which the caller was turned down; None: it wasn't."
    post_dial_s: float | None
    "From dialling until the caller was told that it rings."
    findings: tuple[Finding, ...]
    phones: tuple[Phone, ...]
    foretold: tuple[Foretold, ...]
    "By when they should have begun."
    talk: Talk | None
    "None: nobody was connected."
    drawn: Drawn | None
    "The order that a shuffled group drew; None: nothing was drawn."
    messages: tuple[Message, ...] = ()
    "Empty also where they are not kept, or were not asked for."


@dataclass(frozen=True, slots=True)
class Begun:
    """What is told before the first call, and before each."""

    scenario: Kind
    number: int
    "Of the call, from 1."
    calls: int
    "That are to be made."


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of a run."""

    customer: str
    number: str
    speed: float
    "What ring times were divided by."
    calls: tuple[ProvedCall, ...]
    findings: tuple[Finding, ...] = ()
    "What no single call shows."
    id: int | None = None
    "By which it can be looked at later; None: it is not kept."
    live: bool = False
    "People's own phones rang."

    @property
    def passed(self) -> bool:
        """Whether all calls went as is configured."""
        return not self.findings and all(call.passed for call in self.calls)


_PROOF = TypeAdapter(Proof)


def plain(what: Begun | ProvedCall | Proof) -> dict[str, Any]:
    """As JSON takes it."""
    said = asdict(what)
    for each in (said, *said.get("calls", ())) if isinstance(what, Proof) else (said,):
        if isinstance(at := each.get("at"), datetime):
            each["at"] = at.isoformat()
    return said | {"passed": what.passed} if isinstance(what, Proof) else said


_Shown = TypeVar("_Shown", ProvedCall, Proof)


def without_messages(what: _Shown) -> _Shown:
    """The same, and no message of it: for who has not asked for them."""
    if isinstance(what, ProvedCall):
        return replace(what, messages=())
    return replace(what, calls=tuple(map(without_messages, what.calls)))


def proof_of(said: Mapping[str, Any]) -> Proof:
    """What `plain` has made plain."""
    return _PROOF.validate_python(said)


def proved(
    scenario: Scenario,
    observations: Sequence[Observation],
    at: datetime,
    late_s: float = 0.0,
    spoken: Sequence[Spoken] = (),
) -> ProvedCall:
    """What came of a call that began `at`, on a machine that was so late with what it had to do."""
    tolerances = TOLERANCES.for_people() if scenario.kind is Kind.LIVE else TOLERANCES
    verdict = judge(scenario, observations, tolerances.late_by(late_s))
    found = seen(scenario.caller.phone, observations)
    dialled = found.caller.dialled
    began = dialled.at if dialled is not None else min((each.at for each in observations), default=0.0)
    parts = {part.phone: part for part in scenario.parts}
    named = {ring.phone for ring in found.rings} | {finding.phone for finding in verdict.findings}
    return ProvedCall(
        at=at,
        scenario=scenario.kind,
        dialled=scenario.dialled,
        caller=scenario.caller.extension,
        passed=verdict.passed,
        rung=tuple(_rung(ring, parts.get(ring.phone), began) for ring in found.rings),
        winner=verdict.winner,
        answered_by=None if verdict.winner is None else _called(parts.get(verdict.winner), verdict.winner),
        status=None if found.caller.turned_down is None else found.caller.turned_down.status,
        post_dial_s=None if verdict.post_dial_s is None else round(verdict.post_dial_s, 3),
        findings=verdict.findings,
        phones=tuple(
            Phone(part.phone, part.extension, part.name, part.behaviour.then)
            for part in (*scenario.members, *scenario.bystanders)
            if part in scenario.members or part.phone in named
        ),
        foretold=tuple(
            Foretold(ring.phone, round(ring.begins_s, 3), round(ring.ends_s, 3)) for ring in verdict.foretold
        ),
        talk=_talk(scenario, found, began),
        drawn=drawn(scenario, observations),
        messages=messages_of(spoken, began),
    )


def _talk(scenario: Scenario, found: Seen, began: float) -> Talk | None:
    caller = found.caller
    if caller.answered is None:
        return None
    if scenario.kind is Kind.LIVE:
        # People's sound is no tone that could be recognised: that it comes is what is known of it.
        came = caller.ended is not None and caller.ended.packets > 0
        ended_s = None if caller.ended is None else round(caller.ended.at - began, 3)
        return Talk(round(caller.answered.at - began, 3), ended_s, came, None)
    return Talk(
        from_s=round(caller.answered.at - began, 3),
        until_s=None if caller.ended is None else round(caller.ended.at - began, 3),
        caller_hears=bool(caller.heard),
        answerer_hears=any(ring.heard for ring in found.rings),
    )


def _rung(ring: SeenRing, part: Part | None, began: float) -> Rung:
    shown = ring.rang.displays[0]
    over = ring.ended_at
    return Rung(
        line=ring.phone,
        extension="" if part is None else part.extension,
        name="" if part is None else part.name,
        invited_s=round(ring.rang.at - began, 3),
        until_s=None if over is None else round(over - began, 3),
        ended=_ended(ring),
        shown_number=shown.number,
        shown_name=shown.name,
    )


def _ended(ring: SeenRing) -> str | None:
    if ring.answered is not None:
        return "answered"
    if ring.refused is not None:
        return "refused"
    return None if ring.stopped is None else "stopped"


def _called(part: Part | None, line: str) -> str:
    return part.extension if part is not None and part.extension else line
