"""Sessions: in which browsers somebody is logged in. The browser has a random key; its hash is kept."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.schema import SessionRow, UserRow
from provisioner.centrex.actor import Role
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.sign_in import STAFF
from provisioner.store.fresh import fresh_token, token_hash

MOST_OF_USER = 20
"Browsers in which one user is logged in; the one that was seen longest ago gives way."
_SEEN_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """A browser in which somebody is logged in now."""

    id_hash: str
    user_id: int
    login: str
    role: Role
    language: str
    time_zone: str | None
    csrf: str
    "What each of its forms brings along."


async def begin_session(
    installation: Installation, user_id: int, source: str, old_key: str | None = None
) -> str:
    """Logs a user in and gives the browser's new key; what `old_key` opened is ended.

    A key is never given to anybody who has not just said the password, so none can be slipped in. Raises
    `StorageError`.
    """
    now, key = utc_now(), fresh_token()
    async with installation.database.append() as session:
        await _forget(session, user_id, old_key, installation, now)
        session.add(
            SessionRow(
                id_hash=token_hash(key),
                user_id=user_id,
                csrf=secrets.token_urlsafe(24),
                created_at=now,
                last_seen_at=now,
                expires_at=now + timedelta(hours=installation.settings.portal.session_hours),
                source=source,
            )
        )
        await session.execute(update(UserRow).where(UserRow.id == user_id).values(last_login_at=now))
    return key


async def session_of(installation: Installation, key: str, *, counts_as_use: bool = True) -> Session | None:
    """The session that the key opens; None: none, any more. Raises `StorageError`."""
    if not key.isascii():
        return None
    now = utc_now()
    idle_since = now - timedelta(minutes=installation.settings.portal.idle_minutes)
    query = (
        select(SessionRow, UserRow)
        .join(UserRow, UserRow.id == SessionRow.user_id)
        .where(
            SessionRow.id_hash == token_hash(key),
            SessionRow.expires_at > now,
            SessionRow.last_seen_at > idle_since,
            # Who was taken off the staff is out at once.
            UserRow.role.in_(STAFF),
        )
    )
    async with installation.database.read() as session:
        found = (await session.execute(query)).one_or_none()
    if found is None:
        return None
    row, user = found
    if counts_as_use and now - row.last_seen_at > _SEEN_NOTED_EVERY:
        async with installation.database.append() as session:
            mine = SessionRow.id_hash == row.id_hash
            await session.execute(update(SessionRow).where(mine).values(last_seen_at=now))
    return Session(
        row.id_hash, user.id, user.login, Role(user.role), user.language, user.time_zone, row.csrf
    )


async def end_session(installation: Installation, session: Session) -> None:
    """Logs out. Raises `StorageError`."""
    async with installation.database.append() as connection:
        await connection.execute(delete(SessionRow).where(SessionRow.id_hash == session.id_hash))


async def _forget(
    session: AsyncSession, user_id: int, old_key: str | None, installation: Installation, now: datetime
) -> None:
    """What has run out goes, and what would be too many."""
    idle_since = now - timedelta(minutes=installation.settings.portal.idle_minutes)
    over = (SessionRow.expires_at <= now) | (SessionRow.last_seen_at <= idle_since)
    if old_key is not None and old_key.isascii():
        over |= SessionRow.id_hash == token_hash(old_key)
    await session.execute(delete(SessionRow).where(over))
    theirs = SessionRow.user_id == user_id
    newest = (
        select(SessionRow.id_hash)
        .where(theirs)
        .order_by(SessionRow.last_seen_at.desc())
        .limit(MOST_OF_USER - 1)
    )
    kept = list(await session.scalars(newest))
    await session.execute(delete(SessionRow).where(theirs, SessionRow.id_hash.not_in(kept)))
