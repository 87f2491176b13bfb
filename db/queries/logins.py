"""What a phone may log in with, by one statement of plain SQL (`Database.rows`)."""

from __future__ import annotations

from db.engine import Database

_LIVE = """
SELECT t.token_sealed FROM device_tokens t JOIN devices d ON d.id = t.device_id
WHERE d.mac = :mac AND t.revoked_at IS NULL
ORDER BY CASE WHEN t.first_used_at IS NULL THEN 1 ELSE 0 END, t.version DESC
LIMIT :most
"""


async def live_tokens(database: Database, mac: str, most: int) -> list[bytes]:
    """The sealed live device tokens of a MAC: the one in use first, then the newest; `most` at the most."""
    return [row[0] for row in await database.rows(_LIVE, mac=mac, most=most)]
