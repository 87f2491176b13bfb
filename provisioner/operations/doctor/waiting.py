"""What waits for a person: windows, bans, alarms, staged changes, keys that have grown old."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.alarms import waiting_by_kind
from db.queries.encryption import customers_by_newest_key
from db.queries.rollouts import rollouts_opened_before
from db.schema import AlarmRow, BanRow, ClaimRow, DeviceRow
from provisioner.centrex.mac import MacAddress
from provisioner.operations.alarms import AlarmKind
from provisioner.operations.bans import Verdict
from provisioner.operations.doctor.check import Check, hint, ok, some, warning

_LONG_STAGED = timedelta(days=7)
_OLD_KEY = timedelta(days=365)


async def check_claims(session: AsyncSession, now: datetime) -> AsyncIterator[Check]:
    """Windows that are open now."""
    query = (
        select(DeviceRow.mac)
        .join(ClaimRow, ClaimRow.device_id == DeviceRow.id)
        .where(ClaimRow.ended_at.is_(None), ClaimRow.expires_at > now)
        .order_by(DeviceRow.mac)
    )
    macs = [str(MacAddress(mac)) for mac in await session.scalars(query)]
    if macs:
        yield warning(
            "claims",
            f"{len(macs)} phones may fetch their first file by MAC now: {some(macs)}",
            "plug them in, or close the windows: centralka devices release MAC",
        )
    else:
        yield ok("claims", "no window is open")


async def check_alarms(session: AsyncSession) -> AsyncIterator[Check]:
    """Alarms that nobody has seen to, kind by kind."""
    kinds = await waiting_by_kind(session)
    for kind in kinds:
        newest = await session.get_one(AlarmRow, kind.newest)
        which = newest.id if kind.how_many == 1 else "NUMBER"
        yield warning(
            "alarms",
            f"{kind.how_many} alarms ({kind.kind}) wait for somebody; the newest, number {newest.id} of"
            f" {newest.at:%Y-%m-%d %H:%M} UTC: {newest.text}",
            f"{_advice(kind.kind)}; then: centralka alarms ack {which}",
        )
    if not kinds:
        yield ok("alarms", "no alarm waits for anybody")


def _advice(kind: str) -> str:
    """A newer version may have known more kinds."""
    return AlarmKind(kind).advice if kind in set(AlarmKind) else "see to them: centralka alarms list"


async def check_bans(session: AsyncSession, now: datetime) -> AsyncIterator[Check]:
    """Addresses from which no phone can come for the first time."""
    held = BanRow.verdict == Verdict.BANNED, BanRow.until > now
    sources = list(await session.scalars(select(BanRow.source).where(*held).order_by(BanRow.source)))
    if sources:
        yield warning(
            "bans",
            f"{len(sources)} addresses get nothing without a token: {some(sources)}",
            "see why: centralka bans list; where the phones are yours: centralka bans lift SOURCE",
        )
    else:
        yield ok("bans", "no address is banned")


async def check_rollouts(session: AsyncSession, now: datetime) -> AsyncIterator[Check]:
    """Staged changes that most of a company may have forgotten: its phones keep what they had."""
    forgotten = await rollouts_opened_before(session, now - _LONG_STAGED)
    for login, rollout, waiting in forgotten:
        yield warning(
            "rollouts",
            f"a change of {login} is staged since {rollout.opened_at:%Y-%m-%d} ({rollout.cause}):"
            f" {waiting} phones keep what they had before it",
            f"see how far it came: centralka rollout show {login}; then go on: centralka rollout release"
            f" {login}, or take it back: centralka rollout back {login}",
        )
    if not forgotten:
        yield ok("rollouts", f"no change has been staged for more than {_LONG_STAGED.days} days")


async def check_encryption_keys(session: AsyncSession, now: datetime) -> AsyncIterator[Check]:
    """AES keys that have been the same for long. They go on working, so it is a hint."""
    made = await customers_by_newest_key(session)
    old = [login for login, at in made if at < now - _OLD_KEY]
    if old:
        yield hint(
            "encryption-keys",
            f"the AES keys of {len(old)} customers are older than a year: {some(old)}",
            "make new ones when it suits: centralka encryption rotate LOGIN",
        )
    elif made:
        yield ok("encryption-keys", f"the AES keys of {len(made)} customers are younger than a year")
    else:
        yield ok("encryption-keys", "no customer has AES keys")
