"""Alarms that were raised, for tests of who sees them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from db.schema import AlarmRow, CustomerRow, DeviceRow
from provisioner.centrex.mac import MacAddress
from provisioner.operations.alarms import AlarmKind
from provisioner.operations.installation import Installation, utc_now


async def raised(
    installation: Installation,
    kind: AlarmKind | str,
    *,
    customer: str | None = None,
    mac: MacAddress | None = None,
    over_at: datetime | None = None,
    **values: str,
) -> int:
    """The number of a new one."""
    async with installation.database.append() as session:
        owner = await session.scalar(select(CustomerRow.id).where(CustomerRow.login == customer))
        device = None
        if mac is not None:
            device = await session.scalar(select(DeviceRow.id).where(DeviceRow.mac == mac.hex))
        row = AlarmRow(
            kind=kind,
            customer_id=owner,
            device_id=device,
            at=utc_now(),
            over_at=over_at,
            **{"text": f"because of {kind}", **values},
        )
        session.add(row)
        await session.flush()
        return row.id
