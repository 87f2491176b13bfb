"""Scans for MACs: noticed, slowed, banned and reported.

A *miss* is a distinct MAC that is not listed, asked for as `<mac>.cfg` without a token. Misses are counted in
the database, for each source (`operations.sources`) over a day: a scanner gains nothing by coming to another
worker or machine, by waiting for a restart, or by taking hours. They are counted after the answer, when its
trace is written; the answer itself takes as long for a listed MAC as for any other.

A ban must not tell which MACs are listed. Were it to come at the twentieth unlisted MAC, a scanner could ask
for nineteen made-up ones, and then for one that it wants to know about. So chance decides at every miss, from
half of `[security] scan_misses` on, and at all of it for certain. Slowing, which a scanner sees, has a chance
of its own, between a quarter and a half; the ban that follows it looks exactly like it. What remains: whoever
spends several fresh sources on one MAC can learn by repetition, with the certainty of his choice, whether it
is listed. It costs each of these sources five misses or more, which are noticed when they are many together
(`scan_misses_everywhere`), and a listed MAC opens nothing outside its window.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import SystemRandom

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.changes import touch
from db.queries import scans as queries
from db.schema import AlarmRow, BanRow, MissRow
from db.writing import Writer, writer_of
from provisioner.centrex.actor import SYSTEM
from provisioner.operations.alarms import AlarmKind, raise_alarms
from provisioner.operations.bans import SCOPE, Verdict
from provisioner.operations.installation import Installation
from provisioner.operations.sources import counted_source, is_within
from provisioner.settings import Security

MISS_WINDOW = timedelta(days=1)
"How long a miss counts for its source."
ALARM_WINDOW = timedelta(hours=1)
"How long misses count for all sources together; what goes on is reported once in it."
REMEMBERED = timedelta(days=1)
"How long after a ban the next one is longer."

_LONGEST_BAN = timedelta(days=1)
_MOST_ALARMS = 20
"About single sources in `ALARM_WINDOW`; the alarm about many sources speaks of more."
_MOST_MISSES = 100_000
_MOST_BANS = 10_000
_AT_ONCE = 100
"Sources that are judged in one change: other changes wait for it."

_SPREAD_TEXT = (
    "Many MACs that are not listed are asked for from many addresses: a scan from all of them, or many phones"
    " that are not listed yet. Only addresses with many misses of their own are banned: centralka bans list."
    " If the phones are yours, list them; if not, keep strangers out by a firewall"
)

Draw = Callable[[], float]
"A number from 0 up to, but not including, 1, by chance."
_draw: Draw = SystemRandom().random


@dataclass(frozen=True, slots=True)
class Miss:
    """One MAC that is not listed, asked for without a token."""

    address: str
    "Of the peer."
    mac: str
    "Twelve lower-case hex digits."
    at: datetime


@dataclass(frozen=True, slots=True)
class Noticed:
    """What `judge` has to see to."""

    verdicts: dict[str, Verdict]
    "By source."
    spread: bool
    "All sources together have made too many."


async def note_misses(
    writer: Writer, misses: Sequence[Miss], security: Security, now: datetime, draw: Draw = _draw
) -> Noticed | None:
    """Counts misses, as the last thing that a transaction does.

    What is returned is for `judge`, when the transaction is kept; None: nothing has to be done.
    """
    asked = _by_source(misses) if security.scan_misses else {}
    if not asked:
        return None
    await queries.lock_misses(writer)
    await queries.forget_misses(writer, now - MISS_WINDOW, _MOST_MISSES)
    await queries.forget_listed(writer, asked)
    held = await queries.verdicts_of(writer, asked, now)
    known = await queries.misses_of(writer, asked)
    rows: list[tuple[str, str, datetime]] = []
    verdicts: dict[str, Verdict] = {}
    for source, macs in asked.items():
        # Whoever is banned already has nothing to lose, and shall not fill the table.
        if held.get(source) == Verdict.BANNED:
            continue
        before = known.get(source, set())
        room = max(0, security.scan_misses - len(before))
        fresh = [mac for mac in macs if mac not in before][:room]
        rows += [(source, mac, macs[mac]) for mac in fresh]
        if is_within(source, security.spared()):
            # It is reported when it has made as many misses as are counted, not again at each request.
            verdict = Verdict.BANNED if fresh and len(fresh) == room else Verdict.FREE
        else:
            verdict = decide(len(before), len(before) + len(fresh), security.scan_misses, draw)
        if verdict not in (Verdict.FREE, held.get(source)):
            verdicts[source] = verdict
    await queries.add_misses(writer, rows)
    spread = bool(rows) and await _is_spread(writer, security, now)
    return Noticed(verdicts, spread) if verdicts or spread else None


def decide(before: int, after: int, most: int, draw: Draw = _draw) -> Verdict:
    """What a source gets whose misses have risen from `before` to `after`; a ban at `most` for certain."""
    if _struck(before, after, (most + 1) // 2, most, draw):
        return Verdict.BANNED
    first = most // 4 + 1
    if _struck(before, after, first, max(first, most // 2), draw):
        return Verdict.SLOWED
    return Verdict.FREE


def _struck(before: int, after: int, first: int, last: int, draw: Draw) -> bool:
    """Whether a limit was reached that lies anywhere from `first` to `last`, each with the same chance.

    The limit is not drawn beforehand and kept. At each step the chance is that of its being here when it was
    not before.
    """
    steps = range(max(before + 1, first), min(after, last) + 1)
    return after >= last or any(draw() * (last - step + 1) < 1 for step in steps)


async def judge(installation: Installation, noticed: Noticed, now: datetime) -> None:
    """Slows, bans and reports what `note_misses` noticed; in every process when it returns."""
    sources = sorted(noticed.verdicts)
    for start in range(0, len(sources), _AT_ONCE):
        verdicts = {source: noticed.verdicts[source] for source in sources[start : start + _AT_ONCE]}
        async with installation.database.change() as session:
            await _Court(session, installation.settings.security, now).judge(verdicts)
    if noticed.spread:
        async with installation.database.change() as session:
            await _report_spread(session, now)


class _Court:
    """One change in which sources are judged."""

    def __init__(self, session: AsyncSession, security: Security, now: datetime) -> None:
        self._session = session
        self._security = security
        self._now = now

    async def judge(self, verdicts: dict[str, Verdict]) -> None:
        writer = await writer_of(self._session)
        await queries.lock_misses(writer)
        query = select(BanRow).where(BanRow.source.in_(verdicts))
        rows = {row.source: row for row in await self._session.scalars(query)}
        misses = await queries.misses_of(writer, verdicts)
        reported = await queries.alarmed_sources(writer, AlarmKind.SCAN, self._now - ALARM_WINDOW)
        banned = []
        for source, verdict in verdicts.items():
            before, count = rows.get(source), len(misses.get(source, ()))
            if is_within(source, self._security.spared()):
                if source not in reported:
                    await self._report(source, _spared_text(source, count), reported)
                continue
            # Another worker may have been faster.
            held = before.verdict if before is not None and before.until > self._now else Verdict.FREE
            if held in (Verdict.BANNED, verdict):
                continue
            row = self._sentenced(before or BanRow(source=source), verdict, count)
            self._session.add(row)
            touch(self._session, SCOPE)
            if verdict is Verdict.BANNED:
                banned.append(source)
                await self._report(source, _banned_text(row), reported)
        await self._session.execute(delete(MissRow).where(MissRow.source.in_(banned)))
        await self._session.flush()
        await queries.forget_bans(self._session, self._now - REMEMBERED, _MOST_BANS)
        if len(reported) > _MOST_ALARMS:
            await _report_spread(self._session, self._now)

    def _sentenced(self, row: BanRow, verdict: Verdict, misses: int) -> BanRow:
        """The row of a source, new or of an earlier verdict, with this one."""
        is_remembered = row.until is not None and row.until > self._now - REMEMBERED
        row.times = (row.times if is_remembered else 0) + (verdict is Verdict.BANNED)
        lasting = timedelta(minutes=self._security.ban_minutes) * 2 ** min(max(row.times - 1, 0), 16)
        row.since, row.until = self._now, self._now + min(lasting, _LONGEST_BAN)
        row.verdict, row.misses, row.actor = verdict, misses, SYSTEM.name
        return row

    async def _report(self, source: str, text: str, reported: list[str | None]) -> None:
        """One alarm, unless there are so many that nobody would read them."""
        reported.append(source)
        if len(reported) <= _MOST_ALARMS:
            alarm = AlarmRow(kind=AlarmKind.SCAN, text=text, source=source, at=self._now)
            await raise_alarms(self._session, [alarm])


def _by_source(misses: Sequence[Miss]) -> dict[str, dict[str, datetime]]:
    """When each MAC was asked for first, by source."""
    asked: defaultdict[str, dict[str, datetime]] = defaultdict(dict)
    for miss in misses:
        asked[counted_source(miss.address)].setdefault(miss.mac, miss.at)
    return asked


async def _is_spread(writer: Writer, security: Security, now: datetime) -> bool:
    """Whether many sources together have made so many misses that it has to be reported, and was not yet."""
    since = now - ALARM_WINDOW
    if not await queries.has_misses(writer, since, security.scan_misses_everywhere):
        return False
    return not await queries.alarmed_sources(writer, AlarmKind.SPREAD_SCAN, since)


async def _report_spread(session: AsyncSession, now: datetime) -> None:
    await session.flush()
    if await queries.alarmed_sources(await writer_of(session), AlarmKind.SPREAD_SCAN, now - ALARM_WINDOW):
        return
    await raise_alarms(session, [AlarmRow(kind=AlarmKind.SPREAD_SCAN, text=_SPREAD_TEXT, at=now)])


def _banned_text(row: BanRow) -> str:
    return (
        f"{row.source} asked for {row.misses} MACs that are not listed, and is banned until"
        f" {row.until:%Y-%m-%d %H:%M:%S} UTC. Phones there that have a token are served; without one it gets"
        " nothing, not even for phones with an open window. If the phones are yours, list them, then:"
        f" centralka bans lift {row.source}. If not, block the address at the firewall"
    )


def _spared_text(source: str, misses: int) -> str:
    return (
        f"{misses} MACs that are not listed were asked for from {source}. It is in [security] never_banned,"
        " so nothing was done: if it is a proxy, look into its log for who it was, and block them there"
    )
