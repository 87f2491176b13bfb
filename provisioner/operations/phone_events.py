"""What phones report by action URL: `/SERVICETOKEN/action/EVENT?mac=…`, as our own files tell them to."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.tracing import PhoneEvent
from db.schema import DeviceRow, PhoneEventRow
from phone_templates.yealink.dialect import event_called
from provisioner.centrex.errors import BadValue
from provisioner.centrex.mac import MacAddress
from provisioner.operations.asking import Answer, Ask, Reason, Reported
from provisioner.operations.printable import printable

ACTION = "action/"
"Begins the path of every event."

_LONGEST_VALUE = 512
_MOST_VALUES = 16
_VALUE_NAME = re.compile(r"[A-Za-z_]{1,32}")
_SHOWN = 20


def answer_event(ask: Ask, device: DeviceRow) -> Answer:
    """Decides a report under the service token of `device`: an empty answer, or the closed one."""
    event = event_called(ask.path.removeprefix(ACTION))
    if event is None:
        return Answer(Reason.NO_SUCH_EVENT, device_id=device.id)
    said = dict(ask.query[:_MOST_VALUES])
    mac = _mac(said.pop("mac", ""))
    if mac not in (None, device.mac):
        return Answer(Reason.OTHER_DEVICE, device_id=device.id, mac=mac)
    details = {
        name: printable(value.replace(ask.token or "\0", "…"))[:_LONGEST_VALUE]
        for name, value in said.items()
        if value and _VALUE_NAME.fullmatch(name)
    }
    reported = Reported(event, details) if ask.counts_as_fetch else None
    return Answer(Reason.EVENT, content=b"", device_id=device.id, mac=mac, reported=reported)


def _mac(said: str) -> str | None:
    """The MAC address that a report names, if it is one: a phone may leave `$mac` as it stands."""
    try:
        return MacAddress.parse(said).hex
    except BadValue:
        return None


def event_row(at: datetime, ask: Ask, device_id: int, reported: Reported) -> PhoneEvent:
    """The event as it is kept."""
    return PhoneEvent(
        at=at,
        device_id=device_id,
        event=reported.event,
        source=ask.source,
        details=json.dumps(dict(reported.details), ensure_ascii=False),
    )


@dataclass(frozen=True, slots=True)
class Event:
    """One event that a phone reported."""

    at: datetime
    event: str
    source: str
    details: Mapping[str, str]
    "What the phone said of it: `account`, `remote` …"


async def newest_events(session: AsyncSession, device_id: int) -> Sequence[Event]:
    """The newest events of a device, the latest first."""
    query = (
        select(PhoneEventRow)
        .where(PhoneEventRow.device_id == device_id)
        .order_by(PhoneEventRow.id.desc())
        .limit(_SHOWN)
    )
    return [
        Event(row.at, row.event, row.source, json.loads(row.details)) for row in await session.scalars(query)
    ]
