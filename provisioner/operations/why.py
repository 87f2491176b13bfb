"""Why did this call not ring at that extension: for any call of the log.

What rang, and what was tried and did not, stands in the call's record. Whom it never came to is looked for in
what its number led to when it was dialled (`provisioner.operations.unrung_ways`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from db.queries.call_plans import plan_of
from db.queries.chosen_lines import customer_called
from provisioner.centrex.customer import Line
from provisioner.centrex.errors import NotFound
from provisioner.centrex.exchange import Exchange
from provisioner.centrex.reach import Reach, reach_of
from provisioner.operations.calls import Call, Leg, LegEnd, show_call
from provisioner.operations.exchanges import exchange_in
from provisioner.operations.installation import Installation
from provisioner.operations.missing import no_call
from provisioner.operations.unrung import Answer, Known, Reason, answerer
from provisioner.operations.unrung_ways import Search
from sip.call.story import EndedBy

_REACH = TypeAdapter(Reach)
_SKIPPED: Final = {
    LegEnd.FULL: Reason.FULL,
    LegEnd.SITE_FULL: Reason.SITE_FULL,
    LegEnd.DECLINED: Reason.DECLINED,
    LegEnd.REFUSED: Reason.REFUSED,
    LegEnd.MOVED: Reason.MOVED,
    LegEnd.ELSEWHERE: Reason.TOO_LATE,
    LegEnd.GIVEN_UP: Reason.GIVEN_UP_AT_ONCE,
    LegEnd.NO_ANSWER: Reason.SILENT_PHONE,
}
_CALLERS: Final = {LegEnd.FULL: Reason.CALLER_FULL, LegEnd.SITE_FULL: Reason.CALLER_SITE_FULL}
"Why who calls was not even let out."


@dataclass(frozen=True, slots=True)
class Asked:
    """A call, and all that is needed to answer for any extension of its company."""

    call: Call
    exchange: Exchange
    "Of the company, as it is today."
    reach: Reach | None
    "What the number led to; None: it was a code."
    known: Known
    "Whether that is what was set then."

    def line_of(self, number: str) -> str | None:
        """The line of an extension at that time, or the line of that number; None: it has none.

        Raises `NotFound`.
        """
        then = None if self.reach is None else self.reach.exchange.extensions.get(number)
        extension = then or self.exchange.extensions.get(number)
        if extension is not None:
            return extension.line
        named = [leg.line for leg in self.call.legs if leg.extension == number]
        if named:
            return named[0]
        if (line := self.exchange.forms.whole(number)) in self.exchange.lines:
            return line
        raise NotFound(f"{self.call.customer} has no extension {number[:40]!r}: give the number of one")

    def answer(self, number: str) -> Answer:
        """Why the call did not ring there. Raises `NotFound`."""
        return why_unrung(self.call, self.reach, self.line_of(number), self.known)

    @property
    def concerned(self) -> tuple[str, ...]:
        """The extensions that the number led to, and those that it was tried at."""
        numbers = {leg.extension for leg in self.call.legs if leg.extension in self.exchange.extensions}
        then = () if self.reach is None else self.reach.exchange.extensions
        return tuple(sorted({*then, *filter(None, numbers)}))


async def ask_why(installation: Installation, call_id: UUID, customer_id: int | None = None) -> Asked:
    """What is known of a call.

    Raises `NotFound` for one that is not there, or not for that customer to see, and `StorageError`.
    """
    call = await show_call(installation, call_id, customer_id)
    async with installation.database.read() as session:
        kept = await plan_of(session, call_id)
        owner = await customer_called(session, call.customer)
    exchange = None if owner is None else await exchange_in(installation, owner)
    if exchange is None:
        raise no_call(call_id)
    then = None if kept is None else _read(kept)
    if then is not None:
        return Asked(call, exchange, then, Known.THEN)
    return Asked(call, exchange, reach_of(exchange, call.to_number), Known.TODAY)


def _read(kept: str) -> Reach | None:
    """None: it was written by a version that knew other things."""
    try:
        return _REACH.validate_json(kept)
    except ValidationError:
        return None


def why_unrung(call: Call, reach: Reach | None, line: str | None, known: Known) -> Answer:
    """Why the call did not ring at `line`, that of the extension asked about; None: it has none.

    `reach`: what the number led to; None: it was a code, or nobody knows.
    """
    if line is None:
        return Answer(Reason.NO_LINE, Known.TODAY)
    if call.end == EndedBy.SERVICE:
        return Answer(Reason.CODE, Known.RECORD)
    own = [leg for leg in call.legs if leg.line == line]
    first = call.legs[0] if call.legs else None
    if first is not None and first.line == call.line and first.reason in _CALLERS:
        return Answer(_CALLERS[LegEnd(first.reason)], Known.RECORD)
    if own:
        return _tried(call, own, reach, known)
    if reach is None:
        return Answer(Reason.UNKNOWN, Known.RECORD)
    return Search(call, reach, line, known).answer()


def _tried(call: Call, own: list[Leg], reach: Reach | None, known: Known) -> Answer:
    """Of a line that the call has come to."""
    rang = next((leg for leg in own if leg.rang_at is not None or leg.answered_at is not None), None)
    if rang is not None:
        until = rang.answered_at or rang.ended_at
        began = rang.rang_at or rang.answered_at
        seconds = None if until is None or began is None else (until - began).total_seconds()
        reason = Reason.RANG if rang.answered_at is None else Reason.ANSWERED
        of = rang.groups[-1] if rang.groups else ""
        return Answer(reason, Known.RECORD, of=of, seconds=seconds, at=began)
    leg = own[-1]
    if leg.reason is None:
        return Answer(Reason.MAY_COME, Known.RECORD)
    if leg.reason == LegEnd.UNREACHABLE:
        return Answer(Reason.SILENT_PHONE if leg.phones else Reason.NOT_REGISTERED, Known.RECORD)
    if leg.reason == LegEnd.BUSY:
        return _busy(call, leg, reach, known)
    if leg.reason in _SKIPPED:
        reason = _SKIPPED[LegEnd(leg.reason)]
        return Answer(reason, Known.RECORD, other=answerer(call), status=leg.status)
    return Answer(Reason.CUT_OFF, Known.RECORD, case=leg.reason)


def _busy(call: Call, leg: Leg, reach: Reach | None, known: Known) -> Answer:
    if leg.line == call.line:
        return Answer(Reason.CALLS_ITSELF, Known.RECORD)
    if leg.phones:
        return Answer(Reason.PHONE_BUSY, Known.RECORD, status=leg.status)
    line: Line | None = None if reach is None else reach.exchange.lines.get(leg.line or "")
    if line is None:
        return Answer(Reason.BUSY, Known.RECORD)
    if line.dnd:
        return Answer(Reason.DO_NOT_DISTURB, known)
    if not line.call_waiting:
        return Answer(Reason.NO_CALL_WAITING, known)
    return Answer(Reason.BUSY, known)
