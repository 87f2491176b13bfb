"""Makes customers what a company file says they are: all of it or nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from db.changes import ALL, newest, touch, touched_since
from db.queries import customers as queries
from db.queries import owed as owed_queries
from db.queries.firmware import names as firmware_names
from db.schema import RolloutRow
from db.writing import writer_of
from provisioner.centrex.actor import Actor
from provisioner.centrex.company import check_whole
from provisioner.centrex.customer import Customer
from provisioner.centrex.devices import VendorLevel
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
from provisioner.operations.encryption import make_keys, wants_keys, with_keys
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.owed import SLICE, owe, settle, undisturbed
from provisioner.operations.revisions import (
    Cause,
    DeviceTexts,
    FileChange,
    refresh_customer,
    refresh_models,
)
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
from provisioner.phones.describe import Surroundings
from provisioner.phones.roles import check_customer_role, check_vendor_role
from provisioner.store.customer_writer import CustomerWriter
from provisioner.store.customers import Own, Stored, load_customer, load_own
from provisioner.store.vendors import load_vendor, save_vendor

_TRIES = 3
"How often a change is foreseen anew that others were faster than; after that it waits with the lock taken."


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

    It returns when no process serves an old file any more. The files of many phones are written after the
    data, some at a time, so that phones which ask meanwhile are not kept waiting (`operations.owed`).

    A dry run does all of it and keeps nothing, so its plan is exact. Raises `CentralkaError`: `FileErrors`
    with places for what does not fit together; then nothing is kept.
    """
    logins = None if file.vendors else [patch.login for patch in file.customers]

    def begun(session: AsyncSession) -> _Apply:
        return _Apply(installation, session, actor, utc_now(), file, staged, dry_run)

    if not dry_run:
        for _ in range(_TRIES):
            foreseen = await _foreseen(installation, begun, logins)
            if foreseen is None:
                break
            keep = partial(_Apply.keep, foreseen=foreseen)
            plan = await _carried_out(installation, logins, begun, keep, dry_run=False)
            if plan is not None:
                return plan
    plan = await _carried_out(installation, logins, begun, _Apply.run, dry_run=dry_run)
    assert plan is not None  # noqa: S101 - nothing was foreseen that could be out of date
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

    async def changed(step: _Step) -> Plan:
        stored = await load_customer(step.session, installation.vault, login)
        if stored is None:
            raise BadValue(f"there is no customer {login!r}: list it with `apply` first")
        changes = await step.save(await step.checked(stored, change(stored.customer), {}))
        if not changes:
            return Plan()
        cause = await step.record(verb, login, summary, changes)
        return step.plan(changes, await step.refresh({login}, cause))

    def begun(session: AsyncSession) -> _Step:
        return _Step(installation, session, actor, utc_now(), dry_run)

    plan = await _carried_out(installation, [login], begun, changed, dry_run=dry_run)
    assert plan is not None  # noqa: S101 - see `changed`
    return plan


async def _carried_out(
    installation: Installation,
    logins: Collection[str] | None,
    begun: Callable[[AsyncSession], _S],
    work: Callable[[_S], Awaitable[Plan | None]],
    *,
    dry_run: bool,
) -> Plan | None:
    """Does `work` in one transaction, then what it owes."""

    async def done(session: AsyncSession) -> tuple[_S, Plan | None]:
        step = begun(session)
        return step, await work(step)

    step, plan = await undisturbed(installation, logins, done, dry_run=dry_run)
    if plan is None or not step.owed:
        return plan
    written = await settle(installation, step.owed)
    return replace(
        plan,
        files=tuple(file for files in (*written.values(), plan.files) for file in files),
        rollouts=tuple(login for login, files in written.items() if any(file.staged for file in files)),
    )


async def _foreseen(
    installation: Installation, begun: Callable[[AsyncSession], _Apply], logins: Collection[str] | None
) -> _Foreseen | None:
    """A change of what many phones share, checked beside everybody else; None: it is of another kind."""
    async with installation.database.read() as moment:
        seen = await newest(moment)
        if await owed_queries.count_devices(moment, logins) <= SLICE:
            return None
        return await begun(moment).foresee(seen)


@dataclass(frozen=True, slots=True)
class _Checked:
    """What a customer shall be, without contradictions."""

    stored: Stored | None
    customer: Customer
    changes: list[Change]
    passwords: Mapping[str, str]

    @property
    def touches_files(self) -> bool:
        """Whether phones may see it."""
        old, new = self.stored.customer if self.stored else None, self.customer
        return old is None or new != replace(old, credit_limit=new.credit_limit, test_calls=new.test_calls)


def _touches_lists(old: Customer, wanted: Customer) -> bool:
    """Whether more is to be written than what the customer and its sites say themselves."""
    new = in_order(with_known_models(wanted))
    names = ("lines", "extensions", "hunt_groups", "devices")
    return any(getattr(old, name) != getattr(new, name) for name in names)


@dataclass(frozen=True, slots=True)
class _Foreseen:
    """A change that was checked, files and all, on a moment of the database, and touches no list."""

    seen: int
    "The last change before that moment."
    vendor: VendorLevel | None
    "What is said of vendors and models from now on; None: what was said before."
    customers: Mapping[int, _Checked]
    "Those that change, by their numbers."
    own: Mapping[int, Own]
    "What they say themselves as it is kept, unless somebody has touched them since."
    need_keys: frozenset[int]
    "Customers whose phones are to be encrypted for the first time."
    changes: list[Change]


class _Step:
    """One change of customers inside a transaction: save each, record it, then write the files anew."""

    def __init__(
        self,
        installation: Installation,
        session: AsyncSession,
        actor: Actor,
        now: datetime,
        dry_run: bool = False,
    ) -> None:
        self.installation = installation
        self.session = session
        self.actor = actor
        self.now = now
        self.dry_run = dry_run
        self.touched: dict[str, int] = {}
        "The rows of the customers that were changed, by login."
        self.rollouts: list[str] = []
        "The customers of whose phones some wait."
        self.owed: list[str] = []
        "The customers whose files are to be written after the transaction."

    async def checked(
        self, stored: Stored | None, wanted: Customer, passwords: Mapping[str, str]
    ) -> _Checked:
        """What differs, if all of it may be. Raises what contradicts it."""
        customer = in_order(with_known_models(wanted))
        changes = list(differences(stored.customer if stored else None, customer))
        changes += await self._new_passwords(stored, passwords)
        check_customer_role(self.actor, stored.customer if stored else None, customer)
        await self._check(customer)
        added = await firmware_names(self.session)
        refuse(firmware.customer_problems(stored.customer if stored else None, customer, added))
        return _Checked(stored, customer, changes, passwords)

    async def save(self, checked: _Checked) -> list[Change]:
        """Writes what was checked. Returns what differs."""
        if checked.changes:
            writer = self._writer()
            row = await writer.save(checked.stored, checked.customer, checked.passwords)
            self._note(checked.customer.login, row.id)
        return checked.changes

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
        """Writes the files of the customers' phones anew, or owes them where they are many."""
        in_slices = await self.in_slices(logins)
        changes: list[FileChange] = []
        owed: list[int] = []
        for login in sorted(logins):
            stored = await load_customer(self.session, self.installation.vault, login)
            if stored is None:
                continue
            around = await surroundings(self.session, self.installation, stored)
            around = await with_keys(self.session, stored, around, self.now)
            texts = self._files(stored.customer, around)
            if in_slices:
                self.owed.append(login)
                owed.append(stored.row.id)
                continue
            files = await refresh_customer(self.session, stored, around, cause, texts=texts)
            if any(file.staged for file in files):
                self.rollouts.append(login)
            changes += files
        await owe(self.session, owed, cause)
        return changes

    async def in_slices(self, logins: Collection[str] | None) -> bool:
        """Whether the files of these customers are more than one transaction may write."""
        # What a dry run says of files is true because it writes them, and its transaction is not kept.
        return not self.dry_run and await owed_queries.count_devices(self.session, logins) > SLICE

    def plan(self, changes: list[Change], files: list[FileChange]) -> Plan:
        """What was done, or in a dry run would be."""
        return Plan(tuple(changes), tuple(files), tuple(self.rollouts))

    def _writer(self) -> CustomerWriter:
        return CustomerWriter(self.session, self.installation.vault, is_secret, self.now)

    def _note(self, login: str, customer_id: int) -> None:
        self.touched[login] = customer_id
        # Also where no bytes differ yet: slices that were worked out before must not be written.
        touch(self.session, f"customer:{customer_id}")

    def _files(self, customer: Customer, around: Surroundings) -> Mapping[MacAddress, DeviceTexts]:
        return phone_files(customer, around)

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


_S = TypeVar("_S", bound=_Step)


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

    async def foresee(self, seen: int) -> _Foreseen | None:
        """What `run` would do, if that is no more than `keep` can. Asked of a moment, writes nothing."""
        vendor, changes = await self._vendors()
        new_vendor = vendor if changes else None
        customers: dict[int, _Checked] = {}
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
        return _Foreseen(seen, new_vendor, customers, own, frozenset(need_keys), changes)

    async def keep(self, foreseen: _Foreseen) -> Plan | None:
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

    async def _checked(self, patch: CustomerPatch, stored: Stored | None, wanted: Customer) -> _Checked:
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
