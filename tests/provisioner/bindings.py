"""Bindings and what happened to them, put where the registrar would have put them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from db.schema import DeviceRow, LineRow, RegistrationEventRow, RegistrationRow
from db.tail import announce
from provisioner.centrex.mac import MacAddress
from provisioner.operations.installation import Installation

AGENT = "Yealink SIP-T46S 66.86.0.15 00:15:65:00:00:01"
SOURCE = "127.0.0.7:5060"
HOUR = timedelta(hours=1)


def now() -> datetime:
    return datetime.now(UTC)


def contact_of(line: str, source: str = SOURCE) -> str:
    return f"sip:{line}@{source}"


async def bind(
    installation: Installation, line: str, mac: MacAddress | None = None, **values: Any
) -> RegistrationRow:
    """A binding of a line, which some phone holds; for an hour from now unless said otherwise."""
    at = now()
    async with installation.database.append() as session:
        line_id = await session.scalar(select(LineRow.id).where(LineRow.number == line))
        defaults = {
            "contact": contact_of(line),
            "call_id": "a",
            "cseq": 1,
            "user_agent": AGENT,
            "transport": "udp",
            "source": SOURCE,
            "local_address": "127.0.0.1:5060",
            "registered_at": at,
            "refreshed_at": at,
            "expires_at": at + HOUR,
        }
        device_id = await _device_id(session, mac)
        row = RegistrationRow(line_id=line_id, device_id=device_id, **(defaults | values))
        session.add(row)
    return row


async def unbind(installation: Installation, line: str) -> None:
    """All bindings of a line go."""
    async with installation.database.append() as session:
        line_id = await session.scalar(select(LineRow.id).where(LineRow.number == line))
        await session.execute(delete(RegistrationRow).where(RegistrationRow.line_id == line_id))


async def happened(
    installation: Installation,
    kind: str,
    line: str,
    mac: MacAddress | None = None,
    *,
    at: datetime | None = None,
    **details: Any,
) -> None:
    """Something has happened to a binding of a line, and those who follow hear of it."""
    async with installation.database.append() as session:
        await announce(session)
        line_id = await session.scalar(select(LineRow.id).where(LineRow.number == line))
        session.add(
            RegistrationEventRow(
                line_id=line_id,
                device_id=await _device_id(session, mac),
                at=at or now(),
                kind=kind,
                contact=contact_of(line),
                source=SOURCE,
                transport="udp",
                user_agent=AGENT,
                details=json.dumps(details),
            )
        )


async def _device_id(session: Any, mac: MacAddress | None) -> int | None:
    if mac is None:
        return None
    return await session.scalar(select(DeviceRow.id).where(DeviceRow.mac == mac.hex))
