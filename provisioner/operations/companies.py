"""Makes customers what a company file says they are: all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import customers as queries
from db.queries.firmware import names as firmware_names
from provisioner.centrex.actor import Actor
from provisioner.centrex.company import check_whole
from provisioner.centrex.customer import Customer
from provisioner.centrex.errors import BadValue, Conflict
from provisioner.centrex.mac import MacAddress
from provisioner.centrex.merge import merge, merge_vendor
from provisioner.centrex.order import in_order
from provisioner.centrex.patch import CustomerPatch, VendorPatch
from provisioner.centrex.plan import Change, ChangeKind, differences, vendor_differences
from provisioner.centrex.problems import Contradictions, Lacking, refuse
from provisioner.files.company import CompanyFile
from provisioner.operations import audit
from provisioner.operations.context import surroundings
from provisioner.operations.dry_run import changing
from provisioner.operations.encryption import with_keys
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.revisions import Cause, FileChange, refresh_customer, refresh_models
from provisioner.operations.staging import keep_if_staged, open_rollout
from provisioner.phones import firmware
from provisioner.phones.check import (
    called_in,
    is_secret,
    patch_with_known_models,
    phone_files,
    vendor_problems,
    with_known_models,
    with_known_targets,
)
from provisioner.phones.roles import check_customer_role, check_vendor_role
from provisioner.store.customer_writer import CustomerWriter
from provisioner.store.customers import Stored, load_customer
from provisioner.store.vendors import load_vendor, save_vendor


@dataclass(frozen=True, slots=True)
class Plan:
    """What an operation changes, or in a dry run would change."""

    changes: tuple[Change, ...] = ()
    files: tuple[FileChange, ...] = field(default=())
    "The files that get new bytes, and with them the phones that are touched, at once or when released."
    rollouts: tuple[str, ...] = ()
    "The customers in whose open rollout some of these files wait, by their logins."


async def apply(
    installation: Installation,
    file: CompanyFile,
    actor: Actor,
    *,
    dry_run: bool = False,
    staged: bool = False,
) -> Plan:
    """Makes the customers and levels of the file what it says; a second time changes nothing.

    `staged` opens a rollout of each customer whose phones it would touch: they keep what they have until
    they are released. Where one is open already, what is applied waits with it.

    A dry run does all of it and keeps nothing, so its plan is exact. Raises `CentralkaError`: `FileErrors`
    with places for what does not fit together; then nothing is kept.
    """
    async with changing(installation, dry_run=dry_run) as session:
        return await _Apply(installation, session, actor, utc_now(), file, staged).run()


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
    async with changing(installation, dry_run=dry_run) as session:
        stored = await load_customer(session, installation.vault, login)
        if stored is None:
            raise BadValue(f"there is no customer {login!r}: list it with `apply` first")
        step = _Step(installation, session, actor, utc_now())
        changes = await step.save(stored, change(stored.customer), {})
        if not changes:
            return Plan()
        cause = await step.record(verb, login, summary, changes)
        return step.plan(changes, await step.refresh({login}, cause))


class _Step:
    """One change of customers inside a transaction: save each, record it, then write the files anew."""

    def __init__(
        self, installation: Installation, session: AsyncSession, actor: Actor, now: datetime
    ) -> None:
        self.installation = installation
        self.session = session
        self.actor = actor
        self.now = now
        self.touched: dict[str, int] = {}
        "The rows of the customers that were changed, by login."
        self.rollouts: list[str] = []
        "The customers of whose phones some wait."

    async def save(
        self, stored: Stored | None, wanted: Customer, passwords: Mapping[str, str]
    ) -> list[Change]:
        """Checks `wanted`, writes it, and says what differs."""
        customer = in_order(with_known_models(wanted))
        changes = list(differences(stored.customer if stored else None, customer))
        changes += await self._new_passwords(stored, passwords)
        check_customer_role(self.actor, stored.customer if stored else None, customer)
        await self._check(customer)
        added = await firmware_names(self.session)
        refuse(firmware.customer_problems(stored.customer if stored else None, customer, added))
        if changes:
            writer = CustomerWriter(self.session, self.installation.vault, is_secret, self.now)
            row = await writer.save(stored, customer, passwords)
            self.touched[customer.login] = row.id
        return changes

    async def record(self, verb: str, subject: str, summary: str, changes: list[Change]) -> Cause:
        """Writes the audit entry, of the customer if there is but one: the cause of the revisions to come."""
        ids = list(self.touched.values())
        entry = await audit.record(
            self.session,
            self.actor,
            self.now,
            verb,
            subject,
            summary,
            customer_id=ids[0] if len(ids) == 1 else None,
            changes=[str(each) for each in changes],
        )
        return Cause(self.actor, summary, self.now, entry.id)

    async def refresh(self, logins: Collection[str], cause: Cause) -> list[FileChange]:
        """Writes the files of the customers' phones anew."""
        changes: list[FileChange] = []
        for login in sorted(logins):
            stored = await load_customer(self.session, self.installation.vault, login)
            if stored is not None:
                files = await self._refresh(stored, cause)
                if any(file.staged for file in files):
                    self.rollouts.append(login)
                changes += files
        return changes

    def plan(self, changes: list[Change], files: list[FileChange]) -> Plan:
        """What was done, or in a dry run would be."""
        return Plan(tuple(changes), tuple(files), tuple(self.rollouts))

    async def _refresh(self, stored: Stored, cause: Cause) -> list[FileChange]:
        around = await surroundings(self.session, self.installation, stored)
        around = await with_keys(self.session, stored, around, self.now)
        texts = phone_files(stored.customer, around)
        return await refresh_customer(self.session, stored, around, cause, texts=texts)

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


class _Apply(_Step):
    """One run of `apply` inside its transaction."""

    def __init__(
        self,
        installation: Installation,
        session: AsyncSession,
        actor: Actor,
        now: datetime,
        file: CompanyFile,
        staged: bool,
    ) -> None:
        super().__init__(installation, session, actor, now)
        self.file = file
        self.staged = staged

    async def run(self) -> Plan:
        of_vendors = [change for patch in self.file.vendors for change in await self._vendor(patch)]
        of_customers = [change for patch in self.file.customers for change in await self._customer(patch)]
        changes = of_vendors + of_customers
        if not changes:
            return Plan()
        cause = await self.record("apply", self.file.name, f"apply {self.file.name}", changes)
        if self.staged:
            return self.plan(changes, await self._stage(cause))
        if not of_vendors:
            return self.plan(changes, await self.refresh(self.touched, cause))
        files = await self.refresh(await queries.customer_logins(self.session), cause)
        vendor = await load_vendor(self.session, self.installation.vault)
        files += await refresh_models(self.session, vendor, cause)
        return self.plan(changes, files)

    async def _stage(self, cause: Cause) -> list[FileChange]:
        opened = [
            await open_rollout(self.session, login, customer_id, cause)
            for login, customer_id in self.touched.items()
        ]
        files = await self.refresh(self.touched, cause)
        for rollout in opened:
            await keep_if_staged(self.session, rollout.id, cause.at)
        return files

    async def _customer(self, patch: CustomerPatch) -> list[Change]:
        stored = await load_customer(self.session, self.installation.vault, patch.login)
        try:
            return await self.save(stored, merge(stored.customer if stored else None, patch), patch.passwords)
        except Lacking as error:
            raise self.file.located(patch.login, Contradictions([error.problem])) from error
        except Contradictions as found:
            raise self.file.located(patch.login, found) from found

    async def _refresh(self, stored: Stored, cause: Cause) -> list[FileChange]:
        try:
            return await super()._refresh(stored, cause)
        except Contradictions as found:
            raise self.file.located(stored.customer.login, found) from found

    async def _vendor(self, patch: VendorPatch) -> list[Change]:
        vault = self.installation.vault
        old = await load_vendor(self.session, vault)
        try:
            new = with_known_targets(merge_vendor(old, patch_with_known_models(patch)))
            added = await firmware_names(self.session)
            targets = firmware.vendor_problems(old, new, added, called_in(patch))
            refuse([*vendor_problems(new, patch), *targets])
        except Contradictions as found:
            raise self.file.located_vendor(patch.vendor, found) from found
        check_vendor_role(self.actor, old, new)
        changes = list(vendor_differences(old, new))
        if changes and self.staged:
            # The first-contact files are chosen by the model's name alone, and nobody's to hold back.
            raise Conflict(
                "what is said of vendors and models reaches the phones of all customers and the files of"
                " first contact, so it can't be staged: apply it in a file of its own without --staged, or"
                " say it of the customer"
            )
        if changes:
            await save_vendor(self.session, vault, new, is_secret)
        return changes
