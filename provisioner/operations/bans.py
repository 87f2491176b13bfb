"""Sources that are answered slowly, or get nothing without a token; and what a process knows of them.

A ban is for what is asked for by MAC alone (`/<mac>.cfg`): then the source gets the same closed answer as
everybody outside a window, and nothing is looked up, so that a window that is open for a phone there can't be
used either until the ban ends or is lifted. Who shows a token or a certificate is served as if nothing were.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select

from db.changes import ALL, touch
from db.errors import StorageError
from db.queries import scans as queries
from db.schema import AlarmRow, BanRow, MissRow
from db.writing import writer_of
from provisioner.centrex.actor import Actor
from provisioner.centrex.errors import BadValue, NotFound
from provisioner.operations import audit
from provisioner.operations.alarms import AlarmKind
from provisioner.operations.installation import Installation
from provisioner.operations.sources import counted_source, is_within, parse_source

logger = logging.getLogger(__name__)

SCOPE = "bans"
"What a change of bans touches (`db.changes`)."
_PATIENCE_S = 2.0
_RETRY_S = 1.0
_LONGEST = timedelta(days=366)


class Verdict(StrEnum):
    """What a source without a token gets."""

    FREE = "free"
    SLOWED = "slowed"
    "What everybody gets, later."
    BANNED = "banned"
    "The closed answer, later."


@dataclass(frozen=True, slots=True)
class Ban:
    """One source that is slowed or banned now."""

    source: str
    verdict: Verdict
    since: datetime
    until: datetime
    misses: int
    "How many unlisted MACs it had asked for."
    times: int
    "How many bans it has had lately, this one included."
    actor: str
    "Who did it."


async def list_bans(installation: Installation, now: datetime) -> list[Ban]:
    """All that hold, the newest first."""
    query = select(BanRow).where(BanRow.until > now).order_by(BanRow.since.desc(), BanRow.source)
    async with installation.database.read() as session:
        return [_ban(row) for row in await session.scalars(query)]


async def add_ban(
    installation: Installation, source: str, minutes: int | None, actor: Actor, now: datetime
) -> Ban:
    """Bans a source for so long; None: as long as a first ban lasts.

    Raises `BadValue` for what is no source, and for one that is never banned.
    """
    source = parse_source(source)
    security = installation.settings.security
    if is_within(source, security.spared()):
        raise BadValue(f"{source} is in [security] never_banned: take it out there first")
    lasting = timedelta(minutes=security.ban_minutes if minutes is None else minutes)
    if not timedelta() < lasting <= _LONGEST:
        raise BadValue(f"a ban lasts 1 to {_LONGEST // timedelta(minutes=1)} minutes")
    async with installation.database.change() as session:
        row = BanRow(source=source, verdict=Verdict.BANNED, since=now, until=now + lasting, actor=actor.name)
        before = await session.get(BanRow, source)
        row.misses, row.times = (before.misses, before.times) if before else (0, 0)
        ban = _ban(await session.merge(row))
        summary = f"ban {source} until {ban.until:%Y-%m-%d %H:%M:%S} UTC"
        await audit.record(session, actor, now, "bans.add", source, summary)
        touch(session, SCOPE)
    return ban


async def lift_ban(installation: Installation, source: str, actor: Actor, now: datetime) -> str:
    """Forgets what a source did, and sees to the alarms about it, also when the ban has ended by itself.

    Returns the source as it is counted. Raises `BadValue` for what is no source, and `NotFound` for one of
    which nothing is known.
    """
    source = parse_source(source)
    async with installation.database.change() as session:
        await queries.lock_misses(await writer_of(session))
        about_it = AlarmRow.kind == AlarmKind.SCAN, AlarmRow.source == source
        row = await session.get(BanRow, source)
        waiting = select(AlarmRow).where(*about_it, AlarmRow.acknowledged_at.is_(None))
        alarms = (await session.scalars(waiting)).all()
        if row is None and not alarms:
            raise NotFound(f"{source} is not banned: centralka bans list shows who is")
        if row is not None:
            await session.delete(row)
        for alarm in alarms:
            alarm.acknowledged_at = now
        await session.execute(delete(MissRow).where(MissRow.source == source))
        await audit.record(session, actor, now, "bans.lift", source, f"lift the ban of {source}")
        touch(session, SCOPE)
    return source


def _ban(row: BanRow) -> Ban:
    verdict = Verdict(row.verdict)
    return Ban(row.source, verdict, row.since, row.until, row.misses, row.times, row.actor)


class Bans:
    """What one process knows. News of it comes from `db.freshness`, through `hear`."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._known: dict[str, tuple[Verdict, datetime]] = {}
        "What holds until when, by source."
        self._is_old = True
        self._looking = asyncio.Lock()
        self._next_look = 0.0

    def hear(self, scopes: Sequence[str]) -> None:
        """Takes news; it is read when somebody is asked about next."""
        if SCOPE in scopes or ALL in scopes:
            self._is_old = True

    async def of(self, address: str, now: datetime) -> Verdict:
        """What the peer at `address` gets. While the database can't be asked, what was known last."""
        if self._is_old and asyncio.get_running_loop().time() >= self._next_look:
            await self._look()
        # Mostly nobody is banned: then nothing is parsed.
        if not self._known or (found := self._known.get(counted_source(address))) is None:
            return Verdict.FREE
        verdict, until = found
        return verdict if now < until else Verdict.FREE

    async def _look(self) -> None:
        """Reads all bans; whoever comes meanwhile waits for it, but nobody for long."""
        async with self._looking:
            clock = asyncio.get_running_loop().time()
            if not self._is_old or clock < self._next_look:
                return
            self._is_old = False
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    self._known = await self._read()
            except BaseException as error:
                self._is_old = True
                if not isinstance(error, StorageError | TimeoutError):
                    raise
                self._next_look = clock + _RETRY_S
                logger.warning("bans not read error=%r", error)

    async def _read(self) -> dict[str, tuple[Verdict, datetime]]:
        query = select(BanRow.source, BanRow.verdict, BanRow.until)
        async with self._installation.database.read() as session:
            rows = (await session.execute(query)).all()
        # The setting may be newer than the ban.
        spared = self._installation.settings.security.spared()
        return {
            source: (Verdict(verdict), until)
            for source, verdict, until in rows
            if not is_within(source, spared)
        }
