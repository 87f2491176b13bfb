"""What a person has to look at: shown until somebody says that they have, or it is in order again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import alarms as queries
from db.schema import AlarmRow
from provisioner.centrex.actor import Actor, Role
from provisioner.centrex.errors import BadValue, Forbidden
from provisioner.centrex.mac import MacAddress
from provisioner.operations import audit
from provisioner.operations.installation import Installation
from provisioner.operations.missing import no_alarm
from provisioner.operations.visible import customer_seen

Standing = queries.Standing

MOST_ALARMS = 500
"Of a page."
KEPT = 1_000
"Of those that wait for nobody any more."
STRANGE = 1_000
"Of those of a kind that wait and are about a source alone."
_CURSOR = re.compile(r"(waiting|past)-([0-9]{1,18})", re.ASCII)


class AlarmKind(StrEnum):
    """What has happened."""

    RACED = "claim-raced"
    "Two addresses asked for a phone's first file."
    FILES = "files"
    "`serve` could not write a phone's files anew, and it keeps its old ones."
    FIRMWARE = "firmware"
    "A phone says that it has a firmware for which its files can't be written."
    SCAN = "mac-scan"
    "One source asked for many MACs that are not listed."
    SPREAD_SCAN = "mac-scan-spread"
    "Many sources did so together."
    GUESSING = "sip-guessing"
    "One source guessed users or passwords of lines."
    RED = "number-red"
    "A run of test calls found a number that does not ring as it is configured. Over when it does again."

    @property
    def advice(self) -> str:
        """What to do about it."""
        return _ADVICE[self]


_ADVICE = {
    AlarmKind.RACED: "find out who the other address is, then claim the phone again: centralka devices claim",
    AlarmKind.FILES: "see what keeps its files from being written: centralka lint",
    AlarmKind.FIRMWARE: "see whether the phone is listed as what it is, and what its firmware lacks:"
    " centralka lint",
    AlarmKind.SCAN: "if the phones are yours, list them and lift the ban: centralka bans lift; if not, block"
    " the address at the firewall",
    AlarmKind.GUESSING: "if phones of yours are there, see whether their passwords are right: centralka"
    " devices resync; if not, block the address at the firewall",
    AlarmKind.RED: "look at its last test call, put right what that blames, and test it again: centralka"
    " test-call",
    AlarmKind.SPREAD_SCAN: "if the phones are yours, list them; if not, keep strangers out by a firewall",
}


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing to look at."""

    number: int
    kind: str
    text: str
    at: datetime
    mac: str | None
    "Of the phone that it is about, while that is listed."
    customer: str | None
    source: str | None
    "The address that caused it."
    about: str | None
    "The extension, group or line that it is about."
    acknowledged_at: datetime | None
    "None: it waits for somebody, unless it is over."
    over_at: datetime | None
    "When what it is about was found in order again."
    test_call: int | None
    "The newest test of that extension, group or line that went wrong, if it is kept."

    @property
    def standing(self) -> Standing:
        """How it stands."""
        if self.over_at is not None:
            return Standing.OVER
        return Standing.WAITING if self.acknowledged_at is None else Standing.SEEN


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of them; what is None or empty chooses nothing."""

    customer_id: int | None = None
    "Whose program asks; None: staff."
    customer: str | None = None
    "A login."
    standing: Standing | None = None
    kind: AlarmKind | None = None
    text: str = ""
    "Stands in what it says, its number, address, MAC or customer."


@dataclass(frozen=True, slots=True)
class Page:
    """Some of them."""

    alarms: tuple[Alarm, ...]
    next: str | None
    "Behind which the next page begins; None: this was the last."


async def list_alarms(installation: Installation, *, everything: bool = False) -> list[Alarm]:
    """Those that wait for somebody, the newest first; with `everything` the others behind them."""
    chosen = queries.Chosen(standing=None if everything else Standing.WAITING)
    async with installation.database.read() as session:
        return [_alarm(each) for each in await queries.alarms(session, chosen)]


async def alarm_page(
    installation: Installation, wanted: Wanted, cursor: str | None = None, most: int = MOST_ALARMS
) -> Page:
    """So many of them behind `cursor`: those that wait for somebody first, each the newest first.

    Raises `BadValue` for the cursor, and `NotFound` for a customer that is not there, or not to be seen.
    """
    behind = None if cursor is None else _place(cursor)
    async with installation.database.read() as session:
        customer_id = wanted.customer_id
        if wanted.customer is not None:
            customer_id = await customer_seen(session, wanted.customer, wanted.customer_id)
        chosen = queries.Chosen(customer_id, wanted.standing, wanted.kind, wanted.text)
        found = [_alarm(each) for each in await queries.alarms(session, chosen, behind, most + 1)]
    shown = tuple(found[:most])
    return Page(shown, _cursor(shown[-1]) if len(found) > most else None)


async def count_alarms(installation: Installation) -> dict[Standing, int]:
    """How many there are, by how they stand."""
    async with installation.database.read() as session:
        return await queries.how_many(session)


async def count_waiting(installation: Installation) -> int:
    """How many wait for somebody."""
    return await queries.how_many_wait(installation.database)


async def raise_alarms(session: AsyncSession, new: Iterable[AlarmRow]) -> None:
    """Adds alarms; each takes the place of the one that waits about the same thing for the same cause."""
    await queries.put(session, new, STRANGE)


def is_cursor(said: str) -> bool:
    """Whether a page can begin behind that."""
    return _CURSOR.fullmatch(said) is not None


async def acknowledge(installation: Installation, number: int | None, actor: Actor, now: datetime) -> int:
    """Notes that somebody has seen to an alarm, or with None to all that wait; returns how many waited.

    What comes again raises a new one. Raises `NotFound` where that alarm does not wait, and `Forbidden`.
    """
    if actor.role not in (Role.OPERATOR, Role.TECHNICIAN):
        raise Forbidden("alarms are for operators and technicians to acknowledge: ask one of them")
    async with installation.database.change() as session:
        seen = await queries.acknowledge(session, number, now)
        if number is not None and not seen:
            raise no_alarm(number)
        if seen:
            await queries.forget_past(session, KEPT)
            named = ", ".join(map(str, seen))
            summary = f"acknowledge alarm {named}" if len(seen) == 1 else f"acknowledge alarms {named}"
            subject = "all" if number is None else str(number)
            await audit.record(session, actor, now, "alarms.ack", subject, summary)
    return len(seen)


def _cursor(alarm: Alarm) -> str:
    return f"{'waiting' if alarm.standing is Standing.WAITING else 'past'}-{alarm.number}"


def _place(cursor: str) -> queries.Place:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise BadValue("that is no cursor: send what `next` of the page before said")
    return queries.Place(found[1] == "waiting", int(found[2]))


def _alarm(about: queries.About) -> Alarm:
    row = about.alarm
    return Alarm(
        number=row.id,
        kind=row.kind,
        text=row.text,
        at=row.at,
        mac=str(MacAddress(about.mac)) if about.mac else None,
        customer=about.customer,
        source=row.source,
        about=row.number,
        acknowledged_at=row.acknowledged_at,
        over_at=row.over_at,
        test_call=about.proof,
    )
