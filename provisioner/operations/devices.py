"""Devices as a technician sees them: how far each came, its exact bytes, what changed, and the way back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import devices as queries
from db.queries import revisions as revision_queries
from db.queries.customers import customer_logins
from db.queries.firmware import says as says_of_firmware
from db.queries.registered import proved_devices
from db.queries.rollouts import FileNumbers, file_numbers
from db.schema import AlarmRow, ClaimRow, DeviceRow, ProvisioningRequestRow
from phone_templates.yealink.models import find_model
from provisioner.centrex.actor import Actor
from provisioner.centrex.mac import MacAddress
from provisioner.centrex.problems import Contradictions
from provisioner.files.device_rows import at_rows, merge_rows
from provisioner.files.devices_csv import CsvDevices
from provisioner.operations.companies import change_customer
from provisioner.operations.context import phones_of
from provisioner.operations.customer_step import Plan
from provisioner.operations.device_files import selected
from provisioner.operations.firmware_aims import Aim, aim_of, aims
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.ladder import Ladder, Rung
from provisioner.operations.missing import no_customer
from provisioner.operations.phone_events import Event, newest_events
from provisioner.operations.registered import LIVE, Registration, State, sight
from provisioner.operations.registered_lines import states_of_devices
from provisioner.operations.registrations import Wanted, page
from provisioner.operations.resyncs import Resync, newest_resyncs
from provisioner.phones.render import DeviceFile, device_file_name

_SHOWN_REQUESTS = 20


@dataclass(frozen=True, slots=True)
class Window:
    """The newest claim of a device."""

    opened_at: datetime
    expires_at: datetime
    source: str | None
    state: str
    "`open`, or how it ended."


@dataclass(frozen=True, slots=True)
class Summary:
    """One line of the list of devices."""

    mac: str
    model: str
    name: str
    customer: str
    site: str | None
    rung: Rung
    "How far it came: the highest of the next."
    rungs: tuple[Rung, ...]
    "All that hold."
    contacted_at: datetime | None
    contacted_from: str | None
    firmware: str | None
    "What it said last that it runs."
    firmware_target: Aim | None
    "None: nothing is said of it."
    revision: int | None
    "Of its own file, which it gets now."
    fetched_revision: int | None
    "Which of them it got last."
    staged_revision: int | None
    "What it gets when a rollout reaches it."
    held_revision: int | None
    "What it was rolled back to and stays at."


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the phone."""

    at: datetime
    source: str
    user_agent: str
    method: str
    path: str
    status: int
    reason: str
    revision: int | None


@dataclass(frozen=True, slots=True)
class FileState:
    """One file of a device."""

    name: str
    revision: int
    changed_at: datetime
    actor: str
    cause: str
    held: int | None
    "The revision that it was rolled back to and stays at."
    staged: int | None
    "The revision that waits until a rollout reaches the phone."


@dataclass(frozen=True, slots=True)
class Details:
    """Everything about one device, in one place."""

    summary: Summary
    accounts: tuple[str, ...]
    fetched_at: datetime | None
    fetched_revision: int | None
    window: Window | None
    token: str
    "`never used`, or since when it works."
    files: tuple[FileState, ...]
    requests: tuple[Request, ...]
    events: tuple[Event, ...]
    "What it reported, the latest first."
    alarms: tuple[str, ...]
    resyncs: tuple[Resync, ...]
    "What it was told, the latest first."
    registrations: tuple[Registration, ...]
    "Its lines: what it holds of them now, or held."


async def list_devices(installation: Installation, login: str | None = None) -> list[Summary]:
    """All devices, or one customer's, by MAC. Raises `NotFound` for an unknown login."""
    async with installation.database.read() as session:
        if login is not None and login not in await customer_logins(session):
            raise no_customer(login)
        numbers = {
            each.device_id: each for each in await file_numbers(session) if each.name == DeviceFile.MAC
        }
        fetched = await revision_queries.fetched_numbers(session)
        states = await states_of_devices(session, sight(installation))
        proved = await proved_devices(session)
        summaries = [
            _summary(
                device,
                owner,
                numbers.get(device.id),
                fetched.get(device.id),
                states.get(device.id, ()),
                device.id in proved,
            )
            for device, owner in await queries.all_devices(session, login)
        ]
        targets = await _firmware_targets(session, installation, login)
        return [replace(each, firmware_target=targets.get(each.mac)) for each in summaries]


async def show_device(installation: Installation, mac: MacAddress) -> Details:
    """One device, whole. Raises `NotFound`."""
    async with installation.database.read() as session:
        device, login = await selected(session, mac)
        model = find_model(device.model)
        files = []
        numbers = {each.name: each for each in await file_numbers(session, device_id=device.id)}
        for file in DeviceFile:
            row = await revision_queries.file_of_device(session, device.id, file)
            if row is None or row.current_revision is None:
                continue
            now = row.current_revision
            files.append(
                FileState(
                    name=device_file_name(file, mac.hex, model),
                    revision=now.number,
                    changed_at=now.created_at,
                    actor=now.actor,
                    cause=now.cause,
                    held=numbers[file].held,
                    staged=numbers[file].staged,
                )
            )
        past = await _numbers(session, device)
        fetched = past.get(device.fetched_revision_id or 0)
        claim = await queries.last_claim(session, device.id)
        used = device.tokens[-1].first_used_at if device.tokens else None
        registrations = (await page(session, Wanted(mac=mac), sight(installation))).rows
        states = {each.state for each in registrations}
        is_proved = any(each.line.proved_at is not None for each in device.accounts)
        found = Details(
            summary=_summary(device, login, numbers.get(DeviceFile.MAC), fetched, states, is_proved),
            accounts=tuple(f"account {each.account}: line {each.line.number}" for each in device.accounts),
            fetched_at=device.fetched_at,
            fetched_revision=fetched,
            window=_window(claim) if claim else None,
            token="never used" if used is None else f"works since {used:%Y-%m-%d %H:%M:%S} UTC",
            files=tuple(files),
            requests=tuple(await _requests(session, device, past)),
            events=tuple(await newest_events(session, device.id)),
            alarms=tuple(await _alarms(session, device)),
            resyncs=tuple(await newest_resyncs(session, device.id)),
            registrations=registrations,
        )
        target = await _firmware_target(session, installation, device)
        return replace(found, summary=replace(found.summary, firmware_target=target))


async def import_devices(
    installation: Installation, login: str, rows: CsvDevices, actor: Actor, *, dry_run: bool = False
) -> Plan:
    """Makes a customer's devices from the rows of a spreadsheet: all rows or none.

    Raises `FileErrors` that name the rows that can't be, and `BadValue` for an unknown login.
    """
    try:
        return await change_customer(
            installation,
            login,
            lambda customer: merge_rows(customer, rows),
            actor,
            "devices.import",
            f"import {rows.name}",
            dry_run=dry_run,
        )
    except Contradictions as found:
        raise at_rows(rows, found) from found


async def _firmware_target(
    session: AsyncSession, installation: Installation, device: DeviceRow
) -> Aim | None:
    """Asked last: loading the customer lets the session's rows go."""
    mac, seen = MacAddress(device.mac), device.firmware_seen
    stored, around = await phones_of(session, installation, device.customer_id, {mac})
    mine = next(each for each in stored.customer.devices if each.mac == mac)
    return aim_of(replace(mine, firmware_seen=seen), stored.customer, around.vendor)


async def _firmware_targets(
    session: AsyncSession, installation: Installation, login: str | None
) -> dict[str, Aim]:
    """By MAC, of all phones or a customer's. Customers are read whole, so only where any level says it."""
    if not await says_of_firmware(session):
        return {}
    return {str(device.mac): aim async for device, aim in aims(session, installation, login)}


def _summary(
    device: DeviceRow,
    login: str,
    own: FileNumbers | None,
    fetched: int | None,
    states: Collection[State],
    is_proved: bool,
) -> Summary:
    ladder = Ladder(
        has_contacted=device.contacted_at is not None,
        has_fetched=device.fetched_at is not None,
        is_current=own is not None and device.fetched_revision_id == own.current_id,
        is_registered=not LIVE.isdisjoint(states),
        is_reachable=State.REACHABLE in states,
        is_proven=is_proved,
    )
    return Summary(
        mac=str(MacAddress(device.mac)),
        model=device.model,
        name=device.name,
        customer=login,
        site=device.site.name if device.site else None,
        rung=ladder.rung,
        rungs=ladder.steps,
        contacted_at=device.contacted_at,
        contacted_from=device.contacted_from,
        firmware=device.firmware_seen,
        firmware_target=None,
        revision=own.current if own else None,
        fetched_revision=fetched,
        staged_revision=own.staged if own else None,
        held_revision=own.held if own else None,
    )


def _window(claim: ClaimRow) -> Window:
    state = claim.end_reason or ("open" if claim.expires_at > utc_now() else "lapsed")
    return Window(claim.opened_at, claim.expires_at, claim.source, state)


async def _numbers(session: AsyncSession, device: DeviceRow) -> dict[int, int]:
    """Numbers of the device's revisions by their rows."""
    numbers: dict[int, int] = {}
    for file in DeviceFile:
        row = await revision_queries.file_of_device(session, device.id, file)
        if row is not None:
            numbers |= {each.id: each.number for each in await revision_queries.history(session, row.id)}
    return numbers


async def _requests(session: AsyncSession, device: DeviceRow, numbers: dict[int, int]) -> list[Request]:
    query = (
        select(ProvisioningRequestRow)
        .where(ProvisioningRequestRow.device_id == device.id)
        .order_by(ProvisioningRequestRow.id.desc())
        .limit(_SHOWN_REQUESTS)
    )
    return [
        Request(
            at=row.at,
            source=row.source,
            user_agent=row.user_agent,
            method=row.method,
            path=row.path,
            status=row.status,
            reason=row.reason,
            revision=numbers.get(row.revision_id or 0),
        )
        for row in (await session.scalars(query)).all()
    ]


async def _alarms(session: AsyncSession, device: DeviceRow) -> Sequence[str]:
    query = (
        select(AlarmRow.text)
        .where(AlarmRow.device_id == device.id, AlarmRow.acknowledged_at.is_(None))
        .order_by(AlarmRow.id)
    )
    return (await session.scalars(query)).all()
