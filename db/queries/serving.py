"""What a phone's request for a file needs, by one statement of plain SQL (`Database.rows`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from db.engine import Database
from db.plain import Rows

_SELECT = """
SELECT d.id, d.mac, d.model, d.firmware_seen, t.version, t.first_used_at IS NOT NULL,
    r.id, r.digest, r.content,
    k.id, k.key_sealed, n.token_sealed, o.key_sealed,
    d.service_token_sealed, d.admin_password_sealed, d.user_password_sealed, d.agent_seen,
    l.number, l.password_sealed
FROM devices d
JOIN device_tokens t ON t.device_id = d.id
JOIN device_tokens n ON n.device_id = d.id
    AND n.version = (SELECT max(v.version) FROM device_tokens v WHERE v.device_id = d.id)
LEFT JOIN encryption_keys k ON k.id = t.encryption_key_id
LEFT JOIN encryption_keys o ON o.id = n.encryption_key_id
LEFT JOIN device_files f ON f.device_id = d.id AND f.name = :file
LEFT JOIN revisions r ON r.id = f.current_revision_id
LEFT JOIN device_accounts a ON a.device_id = d.id
LEFT JOIN lines l ON l.id = a.line_id
"""
_OF_TOKEN = f"{_SELECT} WHERE t.token_hash = :hash AND t.revoked_at IS NULL"
_OF_MAC = f"""{_SELECT} WHERE d.mac = :mac AND d.released_at IS NULL
    AND t.version = n.version"""
_OPEN_WINDOWS = """
SELECT d.mac, d.id, c.expires_at FROM claims c JOIN devices d ON d.id = c.device_id WHERE c.ended_at IS NULL
"""


class Content(NamedTuple):
    """The current revision of a file."""

    revision_id: int
    digest: str
    text: str
    "With references where secrets belong."


class Serving(NamedTuple):
    """A device, one of its tokens, and one of its files."""

    device_id: int
    mac: str
    model: str
    firmware_seen: str | None
    token_version: int
    token_was_used: bool
    content: Content | None
    "None: the device has no such file."
    encryption_key_id: int | None
    "Of the key that goes with the token; None: it goes with plain files."
    encryption_key_sealed: bytes | None
    newest_token_sealed: bytes
    newest_encryption_key_sealed: bytes | None
    "Goes with that token."
    service_token_sealed: bytes
    admin_password_sealed: bytes
    user_password_sealed: bytes
    agent_seen: str | None
    line_passwords_sealed: Mapping[str, bytes]
    "Of the lines on its accounts, by number."


class OpenWindow(NamedTuple):
    """A claim that nobody has ended yet."""

    device_id: int
    expires_at: datetime
    "From then on it counts as ended."

    def is_open(self, now: datetime) -> bool:
        """Whether it has not lapsed by the clock."""
        return now < self.expires_at


async def serving_of_token(database: Database, token_hash: str, file: str) -> Serving | None:
    """The device with the live token of that hash. `file` is what `device_files.name` calls it."""
    return _serving(await database.rows(_OF_TOKEN, hash=token_hash, file=file))


async def serving_of_mac(database: Database, mac: str, file: str) -> Serving | None:
    """The device, with its newest token, unless it is released. `mac` is twelve lower-case hex digits."""
    return _serving(await database.rows(_OF_MAC, mac=mac, file=file))


async def has_service_token(database: Database, token_hash: str) -> bool:
    """Whether a device has the service token of that hash."""
    return bool(
        await database.rows("SELECT 1 FROM devices WHERE service_token_hash = :hash", hash=token_hash)
    )


async def content_of_model(database: Database, model: str, file: str) -> Content | None:
    """The current revision of a model's own file."""
    rows = await database.rows(
        "SELECT r.id, r.digest, r.content FROM device_files f"
        " JOIN revisions r ON r.id = f.current_revision_id WHERE f.model = :model AND f.name = :file",
        model=model,
        file=file,
    )
    return Content(*rows[0]) if rows else None


async def open_windows(database: Database, devices: Collection[int] | None) -> dict[str, OpenWindow]:
    """The claims that have not been ended, by MAC: those of the devices given, or all."""
    statement = _OPEN_WINDOWS
    if devices is not None:
        # Numbers of our own, as many as there are: a parameter would have to be one text for both databases.
        statement += f" AND c.device_id IN ({', '.join(str(int(each)) for each in devices)})"
    return _windows(await database.rows(statement))


async def open_window(database: Database, mac: str) -> OpenWindow | None:
    """The claim of one device that has not been ended. `mac` is twelve lower-case hex digits."""
    return _windows(await database.rows(f"{_OPEN_WINDOWS} AND d.mac = :mac", mac=mac)).get(mac)


def _windows(rows: Rows) -> dict[str, OpenWindow]:
    return {mac: OpenWindow(device_id, _moment(expires_at)) for mac, device_id, expires_at in rows}


def _moment(value: datetime | str) -> datetime:
    """A moment as plain SQL gives it: SQLite keeps text, in UTC."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value).replace(tzinfo=UTC)


def _serving(rows: Rows) -> Serving | None:
    """One row for each account of the device."""
    if not rows:
        return None
    first = rows[0]
    return Serving(
        device_id=first[0],
        mac=first[1],
        model=first[2],
        firmware_seen=first[3],
        token_version=first[4],
        token_was_used=bool(first[5]),
        content=None if first[6] is None else Content(*first[6:9]),
        encryption_key_id=first[9],
        encryption_key_sealed=first[10],
        newest_token_sealed=first[11],
        newest_encryption_key_sealed=first[12],
        service_token_sealed=first[13],
        admin_password_sealed=first[14],
        user_password_sealed=first[15],
        agent_seen=first[16],
        line_passwords_sealed={row[17]: row[18] for row in rows if row[17] is not None},
    )
