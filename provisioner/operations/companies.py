"""Makes customers what a company file says they are: all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import customers as queries
from phone_templates.errors import PhoneTemplatesError
from provisioner.centrex.actor import Actor
from provisioner.centrex.company import check_whole
from provisioner.centrex.customer import Customer
from provisioner.centrex.devices import VendorLevel
from provisioner.centrex.errors import BadValue, CentralkaError
from provisioner.centrex.mac import MacAddress
from provisioner.centrex.merge import merge, merge_vendor
from provisioner.centrex.order import in_order
from provisioner.centrex.plan import Change, ChangeKind, differences, vendor_differences
from provisioner.centrex.problems import Contradictions, refuse
from provisioner.files.company import CompanyFile
from provisioner.operations import audit
from provisioner.operations.context import all_customers, surroundings
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.revisions import Cause, FileChange, refresh_customer, refresh_models
from provisioner.phones.check import (
    check_role,
    check_vendor_settings,
    is_secret,
    phone_problems,
    vendor_with_known_models,
    with_known_models,
)
from provisioner.store.customers import CustomerWriter, Stored, load_customer
from provisioner.store.vendors import load_vendor, save_vendor


@dataclass(frozen=True, slots=True)
class Plan:
    """What an operation changes, or in a dry run would change."""

    changes: tuple[Change, ...] = ()
    files: tuple[FileChange, ...] = field(default=())
    "The files that get new bytes, and with them the phones that are touched."


class _DryRun(Exception):
    """Ends a transaction whose changes are not wanted."""


async def apply(
    installation: Installation, file: CompanyFile, actor: Actor, *, dry_run: bool = False
) -> Plan:
    """Makes the customers and levels of the file what it says; a second time changes nothing.

    A dry run does all of it and keeps nothing, so its plan is exact. Raises `CentralkaError`: `FileErrors`
    with places for what does not fit together; then nothing is kept.
    """
    plan = Plan()
    with suppress(_DryRun):
        async with installation.database.change() as session:
            plan = await _Apply(installation, session, actor, utc_now(), file).run()
            if dry_run:
                raise _DryRun
    return plan


async def change_customer(
    installation: Installation,
    login: str,
    change: Callable[[Customer], Customer],
    actor: Actor,
    verb: str,
    summary: str,
    *,
    dry_run: bool = False,
) -> Plan:
    """Changes one customer by a pure function, with all the checks of `apply`.

    Raises `BadValue` for an unknown login and what `apply` raises, without places.
    """
    plan = Plan()
    with suppress(_DryRun):
        async with installation.database.change() as session:
            stored = await load_customer(session, installation.vault, login)
            if stored is None:
                raise BadValue(f"there is no customer {login!r}: list it with `apply` first")
            step = _Step(installation, session, actor, utc_now())
            changes = await step.save(stored, change(stored.customer), {})
            files = await step.finish(verb, login, summary, changes, {login})
            plan = Plan(tuple(changes), tuple(files))
            if dry_run:
                raise _DryRun
    return plan


class _Step:
    """One change of customers inside a transaction: save each, then finish."""

    def __init__(
        self, installation: Installation, session: AsyncSession, actor: Actor, now: datetime
    ) -> None:
        self.installation = installation
        self.session = session
        self.actor = actor
        self.now = now

    async def save(
        self, stored: Stored | None, wanted: Customer, passwords: Mapping[str, str]
    ) -> list[Change]:
        """Checks `wanted`, writes it, and says what differs."""
        customer = in_order(with_known_models(wanted))
        changes = list(differences(stored.customer if stored else None, customer))
        changes += await self._new_passwords(stored, passwords)
        self._check_roles(stored.customer if stored else None, customer)
        await self._check(customer)
        if changes:
            writer = CustomerWriter(self.session, self.installation.vault, is_secret, self.now)
            await writer.save(stored, customer, passwords)
        return changes

    async def finish(
        self, verb: str, subject: str, summary: str, changes: list[Change], logins: set[str]
    ) -> list[FileChange]:
        """Writes the audit entry and the revisions that the changes make."""
        if not changes:
            return []
        entry = await audit.record(
            self.session,
            self.actor,
            self.now,
            verb,
            subject,
            summary,
            changes=[str(each) for each in changes],
        )
        cause = Cause(self.actor, summary, self.now, entry.id)
        files: list[FileChange] = []
        async for stored in all_customers(self.session, self.installation):
            if stored.row.login in logins:
                around = await surroundings(self.session, self.installation, stored)
                refuse(phone_problems(stored.customer, around))
                files += await refresh_customer(self.session, stored, around, cause)
        return files

    async def _check(self, customer: Customer) -> None:
        lines = await queries.owners_of_lines(self.session, [line.number for line in customer.lines])
        macs = await queries.owners_of_macs(self.session, [device.mac.hex for device in customer.devices])
        check_whole(
            customer,
            lines,
            {MacAddress(mac): login for mac, login in macs.items()},
            tuple(await queries.products(self.session)),
            self.installation.settings.numbering.emergency_numbers,
        )

    async def _new_passwords(self, stored: Stored | None, passwords: Mapping[str, str]) -> list[Change]:
        """Given passwords of lines that are there and have another one. Their values are nobody's to read."""
        vault = self.installation.vault
        return [
            Change(ChangeKind.CHANGE, f"line {line.number}", "a new password")
            for line in (stored.row.lines if stored else ())
            if line.number in passwords and passwords[line.number] != vault.open(line.password_sealed)
        ]

    def _check_roles(self, old: Customer | None, new: Customer) -> None:
        check_role(self.actor, old.settings if old else {}, new.settings)
        sites = {site.name: site.settings for site in old.sites} if old else {}
        for site in new.sites:
            check_role(self.actor, sites.get(site.name, {}), site.settings)
        devices = {device.mac: device.settings for device in old.devices} if old else {}
        for device in new.devices:
            check_role(self.actor, devices.get(device.mac, {}), device.settings)


class _Apply(_Step):
    """One run of `apply` inside its transaction."""

    def __init__(
        self,
        installation: Installation,
        session: AsyncSession,
        actor: Actor,
        now: datetime,
        file: CompanyFile,
    ) -> None:
        super().__init__(installation, session, actor, now)
        self.file = file

    async def run(self) -> Plan:
        changes = await self._vendors()
        touched_all = bool(changes)
        logins: set[str] = set()
        for patch in self.file.customers:
            stored = await load_customer(self.session, self.installation.vault, patch.login)
            try:
                own = await self.save(
                    stored, merge(stored.customer if stored else None, patch), patch.passwords
                )
            except Contradictions as found:
                raise self.file.located(patch.login, found) from found
            changes += own
            if own:
                logins.add(patch.login)
        if touched_all:
            logins |= set(await queries.customer_logins(self.session))
        try:
            files = await self.finish("apply", self.file.name, f"apply {self.file.name}", changes, logins)
        except Contradictions as found:
            raise self._located_anywhere(found) from found
        if touched_all:
            vendor = await load_vendor(self.session, self.installation.vault)
            cause = Cause(self.actor, f"apply {self.file.name}", self.now)
            files += await refresh_models(self.session, vendor, cause)
        return Plan(tuple(changes), tuple(files))

    def _located_anywhere(self, found: Contradictions) -> CentralkaError:
        """Problems of phones, at the place of the customer that names the device."""
        for patch in self.file.customers:
            macs = {str(device.mac) for device in patch.devices}
            names = {problem.subject.name for problem in found.problems}
            if names & (macs | {patch.login} | {site.name for site in patch.sites}):
                return self.file.located(patch.login, found)
        return found

    async def _vendors(self) -> list[Change]:
        vault = self.installation.vault
        changes: list[Change] = []
        for patch in self.file.vendors:
            old = await load_vendor(self.session, vault)
            new = self._known(merge_vendor(old, patch))
            check_role(self.actor, old.settings, new.settings)
            difference = vendor_differences(old, new)
            if difference:
                await save_vendor(self.session, vault, new, is_secret)
                changes += difference
        return changes

    def _known(self, vendor: VendorLevel) -> VendorLevel:
        try:
            known = vendor_with_known_models(vendor)
        except PhoneTemplatesError as error:
            raise BadValue(f"{self.file.name}: vendors: {error}") from error
        check_vendor_settings(known)
        return known
