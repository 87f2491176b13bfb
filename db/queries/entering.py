"""What is written when a phone comes in: it takes its window, or uses its token for the first time."""

from __future__ import annotations

from datetime import datetime

from db.writing import Writer

_TAKEN = """
UPDATE claims SET source = ?, delivered_at = ? WHERE device_id = ? AND token_version = ? AND ended_at IS NULL
    AND source IS NULL AND expires_at > ? RETURNING id
"""
_HELD = """
SELECT id FROM claims WHERE device_id = ? AND token_version = ? AND ended_at IS NULL AND source = ?
    AND expires_at > ?
"""
_USED = """
UPDATE device_tokens SET first_used_at = ? WHERE device_id = ? AND version = ? AND first_used_at IS NULL
    AND revoked_at IS NULL RETURNING version
"""
_CLOSED = """
UPDATE claims SET ended_at = ?, end_reason = CASE WHEN expires_at > ? THEN 'used' ELSE 'lapsed' END
    WHERE device_id = ? AND token_version = ? AND ended_at IS NULL
"""
_REVOKED = """
UPDATE device_tokens SET revoked_at = ? WHERE device_id = ? AND version < ? AND revoked_at IS NULL
"""
_SAYS_FIRMWARE = "kind = 'option' AND name = 'firmware'"
_FIRMWARE = f"""
UPDATE devices SET firmware_seen = ?, agent_seen = coalesce(?, agent_seen) WHERE id = ?
    AND NOT EXISTS (SELECT 1 FROM settings WHERE vendor > '' AND {_SAYS_FIRMWARE})
    AND NOT EXISTS (SELECT 1 FROM settings WHERE model = devices.model AND {_SAYS_FIRMWARE})
    AND NOT EXISTS (SELECT 1 FROM settings WHERE customer_id = devices.customer_id AND {_SAYS_FIRMWARE})
    AND NOT EXISTS (SELECT 1 FROM settings WHERE site_id = devices.site_id AND {_SAYS_FIRMWARE})
    AND NOT EXISTS (SELECT 1 FROM settings WHERE device_id = devices.id AND {_SAYS_FIRMWARE})
RETURNING id
"""  # noqa: S608 - ours


async def take_window(writer: Writer, device_id: int, token_version: int, source: str, at: datetime) -> bool:
    """Gives `source` the open window that hands out this token. False: it is not there, or another's."""
    if await writer.rows(_TAKEN, (source, at, device_id, token_version, at)):
        return True
    return bool(await writer.rows(_HELD, (device_id, token_version, source, at)))


async def use_token(writer: Writer, device_id: int, version: int, at: datetime) -> bool:
    """The first use of a token: its window closes, and older tokens end. False: it is not its first."""
    if not await writer.rows(_USED, (at, device_id, version)):
        return False
    await writer.rows(_CLOSED, (at, at, device_id, version))
    await writer.rows(_REVOKED, (at, device_id, version))
    return True


async def note_agent(writer: Writer, device_id: int, agent: str) -> None:
    """What a phone says that it is."""
    await writer.rows("UPDATE devices SET agent_seen = ? WHERE id = ?", (agent, device_id))


async def note_firmware(writer: Writer, device_id: int, firmware: str, agent: str | None) -> bool:
    """What a phone runs. False: somebody has said which firmware it shall have, or it is not there."""
    return bool(await writer.rows(_FIRMWARE, (firmware, agent, device_id)))
