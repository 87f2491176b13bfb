"""Rows of a customer as the domain has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import customers as queries
from db.schema import (
    CustomerRow,
    DeviceKeyRow,
    DeviceRow,
    HuntGroupRow,
    SettingRow,
)
from db.vault import Vault
from provisioner.centrex.customer import (
    CallerPresentation,
    Centrex,
    Customer,
    Extension,
    FeatureCodes,
    HuntGroup,
    HuntStrategy,
    Member,
    Park,
    Site,
    SpeedDial,
    SpeedDialEntry,
)
from provisioner.centrex.devices import Device, DeviceAccount, Key, KeyType
from provisioner.centrex.mac import MacAddress
from provisioner.centrex.order import in_order
from provisioner.store.lines import line_of
from provisioner.store.options import Said, read_level
from provisioner.store.schedules import proof_schedule_of


@dataclass(frozen=True, slots=True)
class Stored:
    """A customer as it is kept: its rows, and what they mean."""

    row: CustomerRow
    settings: Sequence[SettingRow]
    customer: Customer
    vault: Vault = field(repr=False)
    "What its secrets are sealed with."


@dataclass(frozen=True, slots=True)
class Own:
    """What a customer and its sites say themselves. Lines, extensions, groups and devices are not loaded."""

    row: CustomerRow
    settings: Sequence[SettingRow]


async def load_customer(session: AsyncSession, vault: Vault, login: str) -> Stored | None:
    """The customer with that login, or None. What the session held before is written and let go."""
    await _start_afresh(session)
    return await _stored(session, vault, await queries.whole_customer(session, login))


async def load_customer_by_id(session: AsyncSession, vault: Vault, customer_id: int) -> Stored | None:
    """The customer of that row, or None. What the session held before is written and let go."""
    await _start_afresh(session)
    return await _stored(session, vault, await queries.whole_customer_by_id(session, customer_id))


async def load_part(
    session: AsyncSession, vault: Vault, customer_id: int, macs: Collection[MacAddress]
) -> Stored | None:
    """The customer of that row with these devices, and all that their files depend on; or None.

    Lines, extensions and devices of others are left out, so nothing of it may be saved. What the session
    held before is written and let go.
    """
    await _start_afresh(session)
    row = await queries.part_of_customer(session, customer_id, [mac.hex for mac in macs])
    return await _stored(session, vault, row, [device.id for device in row.devices] if row else ())


async def load_own(session: AsyncSession, customer_id: int) -> Own:
    """The customer of that row without its lists. What the session held before is written and let go."""
    await _start_afresh(session)
    row = await queries.own_of_customer(session, customer_id)
    return Own(row, await queries.settings_of_customer(session, row, ()))


async def _start_afresh(session: AsyncSession) -> None:
    # Rows that the session holds keep their collections as they were loaded; a customer is read whole.
    await session.flush()
    session.expunge_all()


async def _stored(
    session: AsyncSession,
    vault: Vault,
    row: CustomerRow | None,
    device_ids: Collection[int] | None = None,
) -> Stored | None:
    if row is None:
        return None
    settings = await queries.settings_of_customer(session, row, device_ids)
    return Stored(row, settings, in_order(_customer(row, settings, vault)), vault)


def _customer(row: CustomerRow, settings: Sequence[SettingRow], vault: Vault) -> Customer:
    by_site = settings_by(settings, "site_id")
    by_device = settings_by(settings, "device_id")
    own = read_level([each for each in settings if each.level == "customer"], vault)
    return Customer(
        login=row.login,
        name=row.name,
        language=row.language,
        time_zone=row.time_zone,
        currency=row.currency,
        credit_limit=row.credit_limit,
        centrex=_centrex(row),
        test_calls=proof_schedule_of(row.proof_schedule),
        sites=tuple(
            Site(site.name, site.max_concurrent_calls, said.phone, said.settings)
            for site in row.sites
            for said in (read_level(by_site[site.id], vault),)
        ),
        lines=tuple(line_of(line) for line in row.lines),
        extensions=tuple(
            Extension(each.number, each.line.number if each.line else None, each.name, each.published)
            for each in row.extensions
        ),
        hunt_groups=tuple(group_of(group) for group in row.hunt_groups),
        devices=tuple(_device(device, read_level(by_device[device.id], vault)) for device in row.devices),
        phone=own.phone,
        settings=own.settings,
    )


def settings_by(settings: Sequence[SettingRow], column: str) -> Mapping[int, list[SettingRow]]:
    """The settings by their subject: `column` is the one that names it, such as `device_id`."""
    grouped: dict[int, list[SettingRow]] = defaultdict(list)
    for row in settings:
        if (owner := getattr(row, column)) is not None:
            grouped[owner].append(row)
    return grouped


def _centrex(row: CustomerRow) -> Centrex:
    park = None
    if row.park_prefix is not None and row.park_retrieve_prefix is not None:
        park = Park(row.park_prefix, row.park_retrieve_prefix, row.park_return_after_s)
    entries = tuple(SpeedDialEntry(each.number, each.target, each.description) for each in row.speed_dials)
    return Centrex(
        extension_length=row.extension_length,
        intercom_prefix=row.intercom_prefix,
        pickup_prefix=row.pickup_prefix,
        park=park,
        distinctive_ring=row.distinctive_ring,
        speed_dial=SpeedDial(row.speed_dial_max_length, entries),
        codes=FeatureCodes(**{each.name: each.code for each in row.feature_codes}),
    )


def group_of(row: HuntGroupRow) -> HuntGroup:
    """A hunt group with its members in their order."""
    members = tuple(
        Member(
            extension=each.extension.number if each.extension else None,
            group=each.member_group.number if each.member_group else None,
            ring_delay=each.ring_delay_s,
            ring_time=each.ring_time_s,
            stop=each.stop,
            skip_forwarding=each.skip_forwarding,
            logged_in=each.logged_in,
        )
        for each in row.members
    )
    return HuntGroup(
        number=row.number,
        name=row.name,
        strategy=HuntStrategy(row.strategy),
        caller_presentation=CallerPresentation(row.caller_presentation),
        pickup_allowed=row.pickup_allowed,
        members=members,
        overflow=row.overflow,
    )


def _device(row: DeviceRow, said: Said) -> Device:
    return Device(
        mac=MacAddress(row.mac),
        model=row.model,
        site=row.site.name if row.site else None,
        name=row.name,
        accounts=tuple(DeviceAccount(each.account, each.line.number, each.label) for each in row.accounts),
        keys=tuple(_key(each) for each in row.keys),
        modules=row.modules,
        firmware_seen=row.firmware_seen,
        phone=said.phone,
        settings=said.settings,
    )


def _key(row: DeviceKeyRow) -> Key:
    return Key(
        type=KeyType(row.type),
        value=row.value,
        label=row.label,
        account=row.account,
        key=row.key if row.bank in ("line", "module") else None,
        memory=row.key if row.bank == "memory" else None,
        module=row.module,
    )
