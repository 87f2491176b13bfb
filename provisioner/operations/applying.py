"""One run of `apply` inside its transaction: step by step, or what was foreseen beside everybody else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db.changes import ALL, touch, touched_since
from db.queries import customers as queries
from db.queries import owed as owed_queries
from db.queries.firmware import names as firmware_names
from db.schema import RolloutRow
from db.writing import writer_of
from provisioner.centrex.actor import Actor
from provisioner.centrex.customer import Customer
from provisioner.centrex.devices import VendorLevel
from provisioner.centrex.errors import Conflict
from provisioner.centrex.mac import MacAddress
from provisioner.centrex.merge import merge, merge_vendor
from provisioner.centrex.order import in_order
from provisioner.centrex.patch import CustomerPatch, VendorPatch
from provisioner.centrex.plan import Change, vendor_differences
from provisioner.centrex.problems import Contradictions, Lacking, refuse
from provisioner.files.company import CompanyFile
from provisioner.operations.context import surroundings
from provisioner.operations.customer_step import Checked, Plan, Step
from provisioner.operations.encryption import make_keys, wants_keys
from provisioner.operations.installation import Installation
from provisioner.operations.owed import owe
from provisioner.operations.revisions import (
    Cause,
    DeviceTexts,
    FileChange,
    refresh_models,
)
from provisioner.operations.staging import keep_if_staged, open_rollout
from provisioner.phones import firmware
from provisioner.phones.check import (
    called_in,
    is_secret,
    patch_with_known_models,
    vendor_problems,
    with_known_models,
    with_known_targets,
)
from provisioner.phones.describe import Surroundings
from provisioner.phones.roles import check_vendor_role
from provisioner.store.customers import Own, Stored, load_customer, load_own
from provisioner.store.vendors import load_vendor, save_vendor


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A change that was checked, files and all, on a moment of the database, and touches no list."""

    seen: int
    "The last change before that moment."
    vendor: VendorLevel | None
    "What is said of vendors and models from now on; None: what was said before."
    customers: Mapping[int, Checked]
    "Those that change, by their numbers."
    own: Mapping[int, Own]
    "What they say themselves as it is kept, unless somebody has touched them since."
    need_keys: frozenset[int]
    "Customers whose phones are to be encrypted for the first time."
    changes: list[Change]


class Apply(Step):
    """One run of `apply` inside its transaction."""

    def __init__(
        self,
        installation: Installation,
        session: AsyncSession,
        actor: Actor,
        now: datetime,
        file: CompanyFile,
        staged: bool,
        dry_run: bool,
    ) -> None:
        super().__init__(installation, session, actor, now, dry_run)
        self.file = file
        self.staged = staged

    async def run(self) -> Plan:
        """Checks and saves one after the other: what one customer lets go of, the next one may take."""
        listed_below = await owed_queries.newest_device(self.session) + 1
        vendor, of_vendors = await self._vendors()
        if of_vendors:
            await self._save_vendor(vendor)
        changes = list(of_vendors)
        for patch in self.file.customers:
            changes += await self._saved(patch)
        if not changes:
            return Plan()
        cause = await self.record("apply", self.file.name, f"apply {self.file.name}", changes)
        below = listed_below if await self.in_slices(self.touched) else None
        opened = await self._open_rollouts(cause, below, self.touched) if self.staged else []
        logins = await queries.customer_logins(self.session) if of_vendors else self.touched
        files = await self.refresh(logins, cause)
        if not self.owed:
            for rollout in opened:
                await keep_if_staged(self.session, rollout.id, cause.at)
        if of_vendors:
            files += await refresh_models(self.session, vendor, cause)
        return self.plan(changes, files)

    async def foresee(self, seen: int) -> Foreseen | None:
        """What `run` would do, if that is no more than `keep` can. Asked of a moment, writes nothing."""
        vendor, changes = await self._vendors()
        new_vendor = vendor if changes else None
        customers: dict[int, Checked] = {}
        need_keys: set[int] = set()
        for patch in self.file.customers:
            stored, wanted = await self._merged(patch)
            if stored is None or _touches_lists(stored.customer, wanted):
                return None
            if await self._new_passwords(stored, patch.passwords):
                return None
            checked = await self._checked(patch, stored, wanted)
            changes += checked.changes
            if checked.changes:
                customers[stored.row.id] = checked
        names = {checked.customer.login: checked.customer for checked in customers.values()}
        for login in await queries.customer_logins(self.session) if new_vendor else sorted(names):
            stored = await load_customer(self.session, self.installation.vault, login)
            if stored is None:
                continue
            customer = names.get(login, stored.customer)
            around = await surroundings(self.session, self.installation, stored)
            around = replace(around, vendor=vendor)
            self._files(customer, around)
            if not around.encryption_keys and wants_keys(customer, around):
                need_keys.add(stored.row.id)
        own = {each: await load_own(self.session, each) for each in customers}
        return Foreseen(seen, new_vendor, customers, own, frozenset(need_keys), changes)

    async def keep(self, foreseen: Foreseen) -> Plan | None:
        """Saves what was foreseen, without a look at phones. None: it is out of date."""
        if not foreseen.changes:
            return Plan()
        touched = await touched_since(await writer_of(self.session), foreseen.seen)
        mine = {f"customer:{each}" for each in foreseen.customers}
        if ALL in touched or any(
            scope.startswith("customer:") if foreseen.vendor else scope in mine for scope in touched
        ):
            return None
        listed_below = await owed_queries.newest_device(self.session) + 1
        owed = {each for each, checked in foreseen.customers.items() if checked.touches_files}
        if foreseen.vendor is not None:
            await self._save_vendor(foreseen.vendor)
            owed.update(await owed_queries.customers_with_devices(self.session))
        for customer_id, checked in foreseen.customers.items():
            own = foreseen.own[customer_id]
            self.session.add_all((own.row, *own.settings))
            await self._writer().save_own(own, checked.customer)
            self._note(checked.customer.login, customer_id)
        for customer_id in sorted(foreseen.need_keys):
            await make_keys(self.session, self.installation.vault, customer_id, self.now)
        cause = await self.record("apply", self.file.name, f"apply {self.file.name}", foreseen.changes)
        if self.staged:
            waiting = [login for login, each in self.touched.items() if each in owed]
            await self._open_rollouts(cause, listed_below, waiting)
        await owe(self.session, owed, cause)
        owing = await owed_queries.owing(self.session, None)
        self.owed = [login for customer_id, login in owing if customer_id in owed]
        files: list[FileChange] = []
        if foreseen.vendor is not None:
            files = await refresh_models(self.session, foreseen.vendor, cause)
        return self.plan(foreseen.changes, files)

    async def _open_rollouts(
        self, cause: Cause, below: int | None, logins: Collection[str]
    ) -> list[RolloutRow]:
        return [
            await open_rollout(self.session, login, self.touched[login], cause, below) for login in logins
        ]

    async def _saved(self, patch: CustomerPatch) -> list[Change]:
        return await self.save(await self._checked(patch, *await self._merged(patch)))

    async def _merged(self, patch: CustomerPatch) -> tuple[Stored | None, Customer]:
        stored = await load_customer(self.session, self.installation.vault, patch.login)
        try:
            return stored, merge(stored.customer if stored else None, patch)
        except Lacking as error:
            raise self.file.located(patch.login, Contradictions([error.problem])) from error
        except Contradictions as found:
            raise self.file.located(patch.login, found) from found

    async def _checked(self, patch: CustomerPatch, stored: Stored | None, wanted: Customer) -> Checked:
        try:
            return await self.checked(stored, wanted, patch.passwords)
        except Contradictions as found:
            raise self.file.located(patch.login, found) from found

    def _files(self, customer: Customer, around: Surroundings) -> Mapping[MacAddress, DeviceTexts]:
        try:
            return super()._files(customer, around)
        except Contradictions as found:
            raise self.file.located(customer.login, found) from found

    async def _vendors(self) -> tuple[VendorLevel, list[Change]]:
        """What is said of vendors and models from now on, and what differs."""
        level = await load_vendor(self.session, self.installation.vault)
        changes: list[Change] = []
        for patch in self.file.vendors:
            old, level = level, await self._vendor(patch, level)
            changes += vendor_differences(old, level)
        if changes and self.staged:
            # The first-contact files are chosen by the model's name alone, and nobody's to hold back.
            raise Conflict(
                "what is said of vendors and models reaches the phones of all customers and the files of"
                " first contact, so it can't be staged: apply it in a file of its own without --staged, or"
                " say it of the customer"
            )
        return level, changes

    async def _vendor(self, patch: VendorPatch, old: VendorLevel) -> VendorLevel:
        try:
            new = with_known_targets(merge_vendor(old, patch_with_known_models(patch)))
            added = await firmware_names(self.session)
            targets = firmware.vendor_problems(old, new, added, called_in(patch))
            refuse([*vendor_problems(new, patch), *targets])
        except Contradictions as found:
            raise self.file.located_vendor(patch.vendor, found) from found
        check_vendor_role(self.actor, old, new)
        return new

    async def _save_vendor(self, vendor: VendorLevel) -> None:
        await save_vendor(self.session, self.installation.vault, vendor, is_secret)
        touch(self.session, ALL)


def _touches_lists(old: Customer, wanted: Customer) -> bool:
    """Whether more is to be written than what the customer and its sites say themselves."""
    new = in_order(with_known_models(wanted))
    names = ("lines", "extensions", "hunt_groups", "devices")
    return any(getattr(old, name) != getattr(new, name) for name in names)
