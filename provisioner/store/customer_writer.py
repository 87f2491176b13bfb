"""Makes the rows of a customer what the domain says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from db.changes import touch
from db.queries import customers as queries
from db.queries.registrations import end_bindings
from db.schema import (
    CustomerRow,
    DeviceAccountRow,
    DeviceKeyRow,
    DeviceRow,
    ExtensionRow,
    FeatureCodeRow,
    HuntGroupMemberRow,
    HuntGroupRow,
    LineRow,
    SettingRow,
    SiteRow,
    SpeedDialRow,
)
from db.vault import Vault
from db.writing import writer_of
from provisioner.centrex.customer import Customer, FeatureCodes
from provisioner.centrex.devices import Device, Key
from provisioner.store.customers import Own, Stored, group_of, settings_by
from provisioner.store.device_tokens import new_device_token
from provisioner.store.fresh import fresh_password, fresh_token, token_hash
from provisioner.store.lines import set_services
from provisioner.store.options import IsSecret, Said, write_level
from provisioner.store.schedules import proof_schedule_row

Row = TypeVar("Row")
Name = TypeVar("Name", str, int)


@dataclass(slots=True)
class CustomerWriter:
    """Makes the rows of one customer what the domain says, inside the caller's transaction."""

    session: AsyncSession
    vault: Vault
    is_secret: IsSecret
    now: datetime

    async def save(
        self, stored: Stored | None, customer: Customer, passwords: Mapping[str, str]
    ) -> CustomerRow:
        """Writes `customer` over what is `stored`. `passwords` are the lines' that were given.

        New lines and devices get random secrets; a password that is what it was keeps its version.
        """
        row = stored.row if stored else await self._new(customer)
        settings = stored.settings if stored else ()
        self._own(row, customer)
        sites = await self._sites(row, customer)
        # What refers to lines, extensions and groups lets go of them before they may go.
        self._let_devices_go(row, customer)
        self._let_members_go(row, customer)
        await self.session.flush()
        lines = await self._lines(row, customer, sites, passwords)
        extensions = await self._extensions(row, customer, lines)
        await self._groups(row, customer, extensions)
        self._short_numbers(row, customer)
        devices = self._devices(row, customer, sites, lines)
        await self.session.flush()
        self._settings(row, settings, customer, sites, devices)
        await self.session.flush()
        return row

    async def save_own(self, own: Own, customer: Customer) -> None:
        """Writes what `customer` and its sites say themselves; its lists are what they are."""
        self._own(own.row, customer)
        sites = await self._sites(own.row, customer)
        self._short_numbers(own.row, customer)
        await self.session.flush()
        self._own_settings(own.row, own.settings, customer, sites)
        await self.session.flush()

    async def _new(self, customer: Customer) -> CustomerRow:
        row = CustomerRow(login=customer.login, name=customer.name, created_at=self.now)
        for empty in (
            "sites",
            "lines",
            "extensions",
            "hunt_groups",
            "speed_dials",
            "feature_codes",
            "devices",
        ):
            setattr(row, empty, [])
        self.session.add(row)
        return row

    def _own(self, row: CustomerRow, customer: Customer) -> None:
        centrex = customer.centrex
        row.name = customer.name
        row.language = customer.language
        row.time_zone = customer.time_zone
        row.currency = customer.currency
        row.credit_limit = customer.credit_limit
        row.extension_length = centrex.extension_length
        row.intercom_prefix = centrex.intercom_prefix
        row.pickup_prefix = centrex.pickup_prefix
        row.park_prefix = centrex.park.prefix if centrex.park else None
        row.park_retrieve_prefix = centrex.park.retrieve_prefix if centrex.park else None
        row.park_return_after_s = centrex.park.return_after if centrex.park else 60
        row.distinctive_ring = centrex.distinctive_ring
        row.speed_dial_max_length = centrex.speed_dial.max_length
        row.proof_schedule = proof_schedule_row(row.proof_schedule, customer.test_calls)

    def _let_devices_go(self, row: CustomerRow, customer: Customer) -> None:
        """Takes out the devices that go, and the accounts that don't stay on their line."""
        kept = {device.mac.hex: device for device in customer.devices}
        for device in list(row.devices):
            if device.mac not in kept:
                row.devices.remove(device)
                touch(self.session, f"device:{device.id}")
                continue
            wanted = {account.account: account.line for account in kept[device.mac].accounts}
            for account in list(device.accounts):
                if wanted.get(account.account) != account.line.number:
                    device.accounts.remove(account)

    def _let_members_go(self, row: CustomerRow, customer: Customer) -> None:
        """Takes the members out of the groups that change."""
        kept = {group.number: group.members for group in customer.hunt_groups}
        for group in row.hunt_groups:
            if kept.get(group.number) != group_of(group).members:
                group.members.clear()

    async def _sites(self, row: CustomerRow, customer: Customer) -> dict[str, SiteRow]:
        names = [site.name for site in customer.sites]
        sites = _matched(row.sites, lambda site: site.name, names, lambda name: SiteRow(name=name))
        for site in customer.sites:
            sites[site.name].max_concurrent_calls = site.concurrent_calls
        await self.session.flush()
        return sites

    async def _lines(
        self,
        row: CustomerRow,
        customer: Customer,
        sites: Mapping[str, SiteRow],
        passwords: Mapping[str, str],
    ) -> dict[str, LineRow]:
        def new(number: str) -> LineRow:
            return LineRow(
                number=number,
                password_sealed=self.vault.seal(passwords.get(number) or fresh_password()),
                password_version=1,
                created_at=self.now,
                forwardings=[],
            )

        products = await queries.products(self.session)
        numbers = [line.number for line in customer.lines]
        for gone in {line.number for line in row.lines}.difference(numbers):
            touch(self.session, f"line:{gone}")
        lines = _matched(row.lines, lambda line: line.number, numbers, new)
        for line in customer.lines:
            line_row = lines[line.number]
            given = passwords.get(line.number)
            if given and given != self.vault.open(line_row.password_sealed):
                await set_line_password(self.session, line_row, self.vault, given, self.now)
            line_row.product = products[line.product]
            line_row.site = sites[line.site] if line.site else None
            set_services(line_row, line)
        await self.session.flush()
        return lines

    async def _extensions(
        self, row: CustomerRow, customer: Customer, lines: Mapping[str, LineRow]
    ) -> dict[str, ExtensionRow]:
        numbers = [extension.number for extension in customer.extensions]
        extensions = _matched(
            row.extensions, lambda each: each.number, numbers, lambda number: ExtensionRow(number=number)
        )
        for extension in customer.extensions:
            extension_row = extensions[extension.number]
            extension_row.line = lines[extension.line] if extension.line else None
            extension_row.name = extension.name
            extension_row.published = extension.published
        await self.session.flush()
        return extensions

    async def _groups(
        self,
        row: CustomerRow,
        customer: Customer,
        extensions: Mapping[str, ExtensionRow],
    ) -> None:
        numbers = [group.number for group in customer.hunt_groups]
        there = _matched(
            row.hunt_groups,
            lambda each: each.number,
            numbers,
            lambda number: HuntGroupRow(number=number, members=[]),
        )
        for group in customer.hunt_groups:
            group_row = there[group.number]
            group_row.name = group.name
            group_row.strategy = group.strategy
            group_row.caller_presentation = group.caller_presentation
            group_row.pickup_allowed = group.pickup_allowed
            group_row.overflow = group.overflow
        await self.session.flush()
        for group in customer.hunt_groups:
            if not there[group.number].members:
                there[group.number].members.extend(
                    HuntGroupMemberRow(
                        position=position,
                        extension=extensions[member.extension] if member.extension else None,
                        member_group=there[member.group] if member.group else None,
                        ring_delay_s=member.ring_delay,
                        ring_time_s=member.ring_time,
                        stop=member.stop,
                        skip_forwarding=member.skip_forwarding,
                        logged_in=member.logged_in,
                    )
                    for position, member in enumerate(group.members, start=1)
                )
        await self.session.flush()

    def _short_numbers(self, row: CustomerRow, customer: Customer) -> None:
        entries = {entry.number: entry for entry in customer.centrex.speed_dial.entries}
        there = _matched(
            row.speed_dials, lambda each: each.number, entries, lambda number: SpeedDialRow(number=number)
        )
        for number, entry in entries.items():
            there[number].target = entry.target
            there[number].description = entry.description
        changed = {
            field.name: code
            for field in fields(FeatureCodes)
            if (code := getattr(customer.centrex.codes, field.name)) != field.default
        }
        codes = _matched(
            row.feature_codes, lambda each: each.name, changed, lambda name: FeatureCodeRow(name=name)
        )
        for name, code in changed.items():
            codes[name].code = code

    def _devices(
        self,
        row: CustomerRow,
        customer: Customer,
        sites: Mapping[str, SiteRow],
        lines: Mapping[str, LineRow],
    ) -> dict[str, DeviceRow]:
        there = {device.mac: device for device in row.devices}
        for device in customer.devices:
            if device.mac.hex not in there:
                there[device.mac.hex] = self._new_device(device)
                row.devices.append(there[device.mac.hex])
            device_row = there[device.mac.hex]
            device_row.model = device.model
            device_row.name = device.name
            device_row.modules = device.modules
            device_row.site = sites[device.site] if device.site else None
            self._accounts(device_row, device, lines)
            self._keys(device_row, device)
        return there

    def _new_device(self, device: Device) -> DeviceRow:
        service = fresh_token()
        return DeviceRow(
            mac=device.mac.hex,
            tokens=[new_device_token(self.session, self.vault, 1, self.now)],
            service_token_sealed=self.vault.seal(service),
            service_token_hash=token_hash(service),
            service_token_version=1,
            admin_password_sealed=self.vault.seal(fresh_password(14)),
            admin_password_version=1,
            user_password_sealed=self.vault.seal(fresh_password(14)),
            user_password_version=1,
            created_at=self.now,
            accounts=[],
            keys=[],
        )

    def _accounts(self, row: DeviceRow, device: Device, lines: Mapping[str, LineRow]) -> None:
        numbers = [account.account for account in device.accounts]
        there = _matched(
            row.accounts, lambda each: each.account, numbers, lambda number: DeviceAccountRow(account=number)
        )
        for account in device.accounts:
            there[account.account].line = lines[account.line]
            there[account.account].label = account.label

    def _keys(self, row: DeviceRow, device: Device) -> None:
        positions = range(1, len(device.keys) + 1)
        there = _matched(
            row.keys, lambda each: each.position, positions, lambda position: DeviceKeyRow(position=position)
        )
        for position, key in enumerate(device.keys, start=1):
            key_row = there[position]
            key_row.type = key.type
            key_row.value = key.value
            key_row.label = key.label
            key_row.account = key.account
            key_row.bank = _bank(key)
            key_row.key = key.memory if key.memory is not None else key.key
            key_row.module = key.module

    def _settings(
        self,
        row: CustomerRow,
        there: Sequence[SettingRow],
        customer: Customer,
        sites: Mapping[str, SiteRow],
        devices: Mapping[str, DeviceRow],
    ) -> None:
        self._own_settings(row, there, customer, sites)
        by_device = settings_by(there, "device_id")
        for device in customer.devices:
            device_id = devices[device.mac.hex].id
            said = Said(device.phone, device.settings)
            self._level(by_device[device_id], said, level="device", device_id=device_id)

    def _own_settings(
        self,
        row: CustomerRow,
        there: Sequence[SettingRow],
        customer: Customer,
        sites: Mapping[str, SiteRow],
    ) -> None:
        by_site = settings_by(there, "site_id")
        own = [each for each in there if each.level == "customer"]
        self._level(own, Said(customer.phone, customer.settings), level="customer", customer_id=row.id)
        for site in customer.sites:
            site_id = sites[site.name].id
            self._level(by_site[site_id], Said(site.phone, site.settings), level="site", site_id=site_id)

    def _level(self, there: Sequence[SettingRow], said: Said, **subject: object) -> None:
        write_level(self.session, self.vault, there, said, self.is_secret, **subject)


def _matched(
    rows: list[Row], named: Callable[[Row], Name], wanted: Iterable[Name], make: Callable[[Name], Row]
) -> dict[Name, Row]:
    """Makes a list of rows those that are wanted: the others go, what is missing is made. By their names."""
    names = dict.fromkeys(wanted)
    for row in list(rows):
        if named(row) not in names:
            rows.remove(row)
    there = {named(row): row for row in rows}
    for name in names:
        if name not in there:
            there[name] = make(name)
            rows.append(there[name])
    return there


def _bank(key: Key) -> str | None:
    if key.module is not None:
        return "module"
    if key.memory is not None:
        return "memory"
    return "line" if key.key is not None else None


async def set_line_password(
    session: AsyncSession, row: LineRow, vault: Vault, password: str, now: datetime
) -> None:
    """Gives the line a password; every file that holds it becomes another, and the old one opens nothing.

    Whoever has registered with the old one is not registered any more.
    """
    row.password_sealed = vault.seal(password)
    row.password_version += 1
    row.ha1_sealed = None
    touch(session, f"line:{row.number}")
    await end_bindings(await writer_of(session), row.id, now)
