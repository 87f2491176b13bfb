"""What a person has to look at: shown until somebody says that they have, or it is in order again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from db.queries import alarms as queries
from db.schema import AlarmRow
from provisioner.centrex.actor import Actor, Role
from provisioner.centrex.errors import Forbidden, NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.operations import audit
from provisioner.operations.installation import Installation


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


async def list_alarms(installation: Installation, *, everything: bool = False) -> list[Alarm]:
    """Those that wait for somebody, the newest first; with `everything` also all others."""
    async with installation.database.read() as session:
        return [_alarm(*each) for each in await queries.alarms(session, waiting=not everything)]


async def acknowledge(installation: Installation, number: int | None, actor: Actor, now: datetime) -> int:
    """Notes that somebody has seen to an alarm, or with None to all that wait; returns how many waited.

    What comes again raises a new one. Raises `NotFound` where that alarm does not wait, and `Forbidden`.
    """
    if actor.role not in (Role.OPERATOR, Role.TECHNICIAN):
        raise Forbidden("alarms are for operators and technicians to acknowledge: ask one of them")
    async with installation.database.change() as session:
        seen = await queries.acknowledge(session, number, now)
        if number is not None and not seen:
            raise NotFound(f"no alarm {number} waits for anybody: centralka alarms list shows those that do")
        if seen:
            named = ", ".join(map(str, seen))
            summary = f"acknowledge alarm {named}" if len(seen) == 1 else f"acknowledge alarms {named}"
            subject = "all" if number is None else str(number)
            await audit.record(session, actor, now, "alarms.ack", subject, summary)
    return len(seen)


def _alarm(row: AlarmRow, mac: str | None, customer: str | None) -> Alarm:
    return Alarm(
        number=row.id,
        kind=row.kind,
        text=row.text,
        at=row.at,
        mac=str(MacAddress(mac)) if mac else None,
        customer=customer,
        source=row.source,
        about=row.number,
        acknowledged_at=row.acknowledged_at,
        over_at=row.over_at,
    )
