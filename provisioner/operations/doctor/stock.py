"""The phones of the stock, and what is stored of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.inspection import unopenable_secrets
from db.schema import AuditRow, DeviceRow
from db.vault import Vault
from provisioner.centrex.mac import MacAddress
from provisioner.operations.doctor.check import Check, Health, failure, ok, some, warning
from provisioner.phones.lint.finding import Finding, Severity

_LONG = timedelta(days=30)
_LEEWAY = timedelta(minutes=2)
_HEALTH = {Severity.ERROR: Health.FAILURE, Severity.WARNING: Health.WARNING, Severity.HINT: Health.OK}
_UNREACHABLE = ("old-tls-provisioning", "old-tls-sip", "old-tls-possible", "old-roots")
"What lint calls phones that can't reach what they are told, or may not."


async def phones_listed(session: AsyncSession) -> int:
    """How many phones there are."""
    return await session.scalar(select(func.count()).select_from(DeviceRow)) or 0


async def check_secrets(session: AsyncSession, vault: Vault) -> AsyncIterator[Check]:
    """Whether the key file opens every secret."""
    count, spoilt = await unopenable_secrets(session, vault)
    for table, number in spoilt.items():
        yield failure(
            "secrets",
            f"{number} secrets in {table} can't be opened with the keys at hand",
            "put the key file back that belongs to this database",
        )
    if not spoilt:
        yield ok("secrets", f"the key opens all of {count} secrets")


async def check_history(session: AsyncSession, now: datetime) -> AsyncIterator[Check]:
    """Whether the clock is later than what was stored."""
    newest = await session.scalar(select(func.max(AuditRow.at)))
    if newest is not None and newest > now + _LEEWAY:
        yield failure(
            "clock",
            f"the clock says {now:%Y-%m-%d %H:%M} UTC, but a change was made at {newest:%Y-%m-%d %H:%M}",
            "set the clock, on this machine or on the other that shares the database",
        )


async def check_silent(session: AsyncSession, now: datetime) -> AsyncIterator[Check]:
    """Phones that were not seen for long."""
    since = now - _LONG
    silent = await _macs(session, DeviceRow.contacted_at < since)
    never = await _macs(session, DeviceRow.contacted_at.is_(None), DeviceRow.created_at < since)
    if silent:
        yield warning(
            "silent-phones",
            f"{len(silent)} phones were not seen for {_LONG.days} days: {some(silent)}",
            "see whether they are still in use, and take off the list those that are not",
        )
    if never:
        yield warning(
            "silent-phones",
            f"{len(never)} phones were listed over {_LONG.days} days ago and never seen: {some(never)}",
            "claim them and plug them in, or take them off the list",
        )
    if not silent and not never:
        yield ok("silent-phones", f"no phone has been silent for {_LONG.days} days")


def check_reach(findings: list[Finding]) -> Iterator[Check]:
    """Phones that can't reach what they are told, as lint knows them; and how much else it found."""
    found_any = False
    for code in _UNREACHABLE:
        found = [finding for finding in findings if finding.code == code]
        if found:
            found_any = True
            names = [finding.subject.name if finding.subject else "" for finding in found]
            health = _HEALTH[found[0].severity]
            message = f"{len(found)} phones ({some(names)}): {found[0].message}"
            yield Check("reach", health, message, found[0].advice)
    if not found_any:
        yield ok("reach", "every phone's firmware can speak to what it is told")
    errors = sum(1 for each in findings if each.severity is Severity.ERROR and each.code not in _UNREACHABLE)
    if errors:
        yield warning("lint", f"{errors} things would not work on phones", "see which: centralka lint")
    else:
        yield ok("lint", "lint finds no error")


async def _macs(session: AsyncSession, *conditions: object) -> list[str]:
    query = select(DeviceRow.mac).where(*conditions).order_by(DeviceRow.mac)  # type: ignore[arg-type]
    return [str(MacAddress(mac)) for mac in await session.scalars(query)]
