"""What happens with phones, as programs follow it: what they report, ask for, and register, and their calls.

Nothing is written for it: events are read from what is remembered anyway (`[memory]` bounds how far back).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from enum import StrEnum
from heapq import merge
from operator import attrgetter
from typing import Self

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import devices as device_queries
from db.queries import events as queries
from db.schema import CallEventRow, PhoneEventRow, ProofRow, ProvisioningRequestRow, RegistrationEventRow
from phone_templates.yealink.dialect import EVENTS, event_called
from provisioner.centrex.errors import BadValue
from provisioner.centrex.mac import MacAddress
from provisioner.operations.missing import no_device
from provisioner.phones.render import DeviceFile

Detail = str | bool | int | float | None
PAGE = 500
"Rows of each log that are read at a time."

_POSITION = re.compile("([0-9]{1,18})-([0-9]{1,18})" + "(?:-([0-9]{1,18})" * 3 + ")?" * 3)


class DeviceKind(StrEnum):
    """What we have seen a phone do, as opposed to what it reports."""

    FETCHED = "device.fetched"
    "It got its own file, or heard that it has it already."
    CONTACTED = "device.contacted"
    "Any other request, whatever came of it."


class LineKind(StrEnum):
    """What happened to a binding of a line."""

    REGISTERED = "line.registered"
    "There is a new one."
    MOVED = "line.moved"
    "Its phone is reached at another address."
    UNREGISTERED = "line.unregistered"
    "Its phone has said goodbye."
    EXPIRED = "line.expired"
    "Its phone did not come again in time."
    DISPLACED = "line.displaced"
    "Another one took its place."
    REVOKED = "line.revoked"
    "Its line has another password since."
    REACHABLE = "line.reachable"
    "Its phone answers us, for the first time or again."
    UNREACHABLE = "line.unreachable"
    "Its phone does not answer us any more."
    FLAPPING = "line.flapping"
    "It comes and goes too often."


class CallKind(StrEnum):
    """What happened to a call."""

    BEGAN = "call.began"
    "A line calls somebody."
    RINGING = "call.ringing"
    "A line rings."
    SKIPPED = "call.skipped"
    "A line was tried and did not ring: it was busy or away, or somebody was faster."
    STOPPED = "call.stopped"
    "A line rings no more, and has not answered."
    ANSWERED = "call.answered"
    ENDED = "call.ended"


class TestKind(StrEnum):
    """What test calls have found of a number."""

    PASSED = "test.passed"
    "It rings as it is configured."
    FAILED = "test.failed"
    "It does not."


_REPORTED = "phone."
_HAPPENED = "line."
_CALLED = "call."
PHONE_KINDS = frozenset(f"{_REPORTED}{event_called(name)}" for name in EVENTS)
"What phones report by action URL."
KINDS = PHONE_KINDS | frozenset(DeviceKind) | frozenset(LineKind) | frozenset(CallKind) | frozenset(TestKind)
FAMILIES = frozenset(kind.partition(".")[0] for kind in KINDS)


@dataclass(frozen=True, slots=True)
class Position:
    """How far somebody has read: the number of the last row of each log."""

    report: int
    request: int
    binding: int
    call: int
    proof: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """What `str` makes of a position, now or when there were fewer logs. Raises `BadValue`."""
        match = _POSITION.fullmatch(text)
        if match is None:
            raise BadValue(
                "that is no event's id: send one that you have received, or 0-0-0-0-0 for all that is kept"
            )
        # Who got an older form has read nothing of the logs that it does not name.
        return cls(*(int(each or 0) for each in match.groups()))

    def __str__(self) -> str:
        return "-".join(map(str, astuple(self)))

    def reaches(self, other: Position) -> bool:
        """Whether nothing up to `other` is left to read."""
        return all(mine >= its for mine, its in zip(astuple(self), astuple(other), strict=True))

    def up_to(self, other: Position) -> Position:
        """This position, but nowhere beyond `other`."""
        return Position(*map(min, astuple(self), astuple(other)))


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened with a phone."""

    position: Position
    "Of somebody who has read it and all before it."
    kind: str
    at: datetime
    mac: MacAddress | None
    "None: it is about a line that no listed phone is known to hold, or about a call."
    customer_id: int
    customer: str
    "The customer's login."
    source: str
    "The address that the report or request came from; of a binding, `host:port`; of a call, none."
    details: Mapping[str, Detail]
    "What the phone said of it, or what it asked for and got."


_Row = queries.Report | queries.Request | queries.OfBinding | queries.OfCall | queries.OfProof


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events somebody follows."""

    customer_id: int | None = None
    "None: every customer's."
    mac: MacAddress | None = None
    kinds: frozenset[str] = KINDS
    logged_lines: frozenset[str] | None = None
    "Calls alone that one of these lines makes or is tried for; None: all."

    def includes(self, event: Event) -> bool:
        """Whether the event is one of them."""
        return (
            self.customer_id in (None, event.customer_id)
            and self.mac in (None, event.mac)
            and event.kind in self.kinds
            and self._may_see(event)
        )

    def _may_see(self, event: Event) -> bool:
        if self.logged_lines is None or not event.kind.startswith(_CALLED):
            return True
        return not self.logged_lines.isdisjoint({event.details.get("from_line"), event.details.get("line")})


def kinds_called(names: Collection[str]) -> frozenset[str]:
    """The kinds that are named, alone or by their family (`phone`); all of them where none is named.

    Raises `BadValue`.
    """
    chosen: set[str] = set()
    for name in names:
        found = {name} & KINDS or {kind for kind in KINDS if kind.partition(".")[0] == name}
        if not found:
            raise BadValue(
                f"there is no kind of event {name!r}: ask for {' or '.join(sorted(FAMILIES))},"
                " or for one kind, such as phone.registered"
            )
        chosen |= found
    return frozenset(chosen) or KINDS


async def check_mac(session: AsyncSession, mac: MacAddress, customer_id: int | None) -> None:
    """Raises `NotFound` for a phone that is not listed, or not for that customer (None: anybody)."""
    found = await device_queries.device_by_mac(session, mac.hex)
    if found is None or customer_id not in (None, found[0].customer_id):
        raise no_device(mac)


async def page(
    session: AsyncSession, wanted: Wanted, after: Position, up_to: Position
) -> tuple[Sequence[Event], Position]:
    """The next events behind `after`, and how far they reach: `up_to`, or less where there are very many."""
    end = Position(
        await queries.page_end(session, PhoneEventRow, after.report, up_to.report, PAGE),
        await queries.page_end(session, ProvisioningRequestRow, after.request, up_to.request, PAGE),
        await queries.page_end(session, RegistrationEventRow, after.binding, up_to.binding, PAGE),
        await queries.page_end(session, CallEventRow, after.call, up_to.call, PAGE),
        await queries.page_end(session, ProofRow, after.proof, up_to.proof, PAGE),
    )
    mac = wanted.mac.hex if wanted.mac is not None else None
    reports: Sequence[queries.Report] = ()
    if wanted.kinds & PHONE_KINDS:
        span = queries.Span(after.report, end.report, wanted.customer_id, mac)
        reports = await queries.reports(session, span)
    requests: Sequence[queries.Request] = ()
    if not wanted.kinds.isdisjoint(DeviceKind):
        span = queries.Span(after.request, end.request, wanted.customer_id, mac)
        requests = await queries.requests(session, span)
    of_bindings: Sequence[queries.OfBinding] = ()
    if not wanted.kinds.isdisjoint(LineKind):
        span = queries.Span(after.binding, end.binding, wanted.customer_id, mac)
        of_bindings = await queries.of_bindings(session, span)
    of_calls: Sequence[queries.OfCall] = ()
    # They say nothing of phones.
    if mac is None and not wanted.kinds.isdisjoint(CallKind):
        span = queries.Span(after.call, end.call, wanted.customer_id, None)
        of_calls = await queries.of_calls(session, span)
    of_proofs: Sequence[queries.OfProof] = ()
    if mac is None and not wanted.kinds.isdisjoint(TestKind):
        span = queries.Span(after.proof, end.proof, wanted.customer_id, None)
        of_proofs = await queries.of_proofs(session, span)
    events = _in_order((reports, requests, of_bindings, of_calls, of_proofs), after)
    return [event for event in events if wanted.includes(event)], end


def _in_order(logs: Sequence[Sequence[_Row]], after: Position) -> Iterator[Event]:
    """Each log in the order of its numbers, which positions follow; all of them by their times."""
    position = after
    for row in merge(*logs, key=attrgetter("at")):
        details: Mapping[str, Detail]
        if isinstance(row, queries.Report):
            position = replace(position, report=row.id)
            kind, details = f"{_REPORTED}{row.event}", json.loads(row.details)
        elif isinstance(row, queries.Request):
            position = replace(position, request=row.id)
            kind, details = _kind(row), _told(row)
        elif isinstance(row, queries.OfBinding):
            position = replace(position, binding=row.id)
            kind, details = f"{_HAPPENED}{row.kind}", _bound(row)
        elif isinstance(row, queries.OfCall):
            position = replace(position, call=row.id)
            kind, details = f"{_CALLED}{row.kind}", json.loads(row.details)
        else:
            position = replace(position, proof=row.id)
            kind, details = TestKind.PASSED if row.passed else TestKind.FAILED, _proved(row)
        yield Event(
            position=position,
            kind=kind,
            at=row.at,
            mac=MacAddress(row.mac) if row.mac is not None else None,
            customer_id=row.customer_id,
            customer=row.login,
            source=row.source,
            details=details,
        )


def _kind(row: queries.Request) -> DeviceKind:
    got_it = row.of_file == DeviceFile.MAC and row.method == "GET" and row.status in (200, 304)
    return DeviceKind.FETCHED if got_it else DeviceKind.CONTACTED


def _told(row: queries.Request) -> dict[str, str | int | None]:
    """What of a request is told: never its path, whose form a stranger chooses."""
    return {
        "method": row.method,
        "file": row.file_name,
        "status": row.status,
        "reason": row.reason,
        "revision": row.revision,
    }


def _proved(row: queries.OfProof) -> dict[str, Detail]:
    return {
        "number": row.number,
        "calls": row.calls,
        "failed": row.failed,
        "turned": row.passed_before is not None and row.passed_before != row.passed,
        "red": row.reds is not None,
        "test_call": row.id,
        "test_run": row.run_id,
    }


def _bound(row: queries.OfBinding) -> dict[str, Detail]:
    return {
        "line": row.line,
        "contact": row.contact,
        "transport": row.transport,
        "user_agent": row.user_agent,
        **json.loads(row.details),
    }
