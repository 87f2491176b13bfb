"""What a phone may log in with, by one statement of plain SQL (`Database.rows`)."""

from __future__ import annotations

from db.engine import Database

_LIVE = """
SELECT d.mac, t.token_sealed FROM devices d JOIN device_tokens t ON t.device_id = d.id
WHERE d.id = coalesce((SELECT n.id FROM devices n WHERE n.mac = :mac), :stand_in) AND t.revoked_at IS NULL
ORDER BY CASE WHEN t.first_used_at IS NULL THEN 1 ELSE 0 END, t.version DESC
LIMIT :most
"""


async def live_tokens(database: Database, mac: str, stand_in: int, most: int) -> list[tuple[str, bytes]]:
    """The sealed live device tokens of a MAC: the one in use first, then the newest; `most` at the most.

    Each with the MAC that it is of: where there is no such device, they are those of the device `stand_in`,
    so that both are as much work.
    """
    rows = await database.rows(_LIVE, mac=mac, stand_in=stand_in, most=most)
    return [(row[0], row[1]) for row in rows]


async def some_device_ids(database: Database, most: int) -> list[int]:
    """Devices that may stand in for others."""
    return [row[0] for row in await database.rows("SELECT id FROM devices LIMIT :most", most=most)]
