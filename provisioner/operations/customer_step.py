"""One change of customers in a transaction: what is checked, saved and recorded, and the files after it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db.changes import touch
from db.queries import customers as queries
from db.queries import owed as owed_queries
from db.queries.firmware import names as firmware_names
from provisioner.centrex.actor import Actor
from provisioner.centrex.company import check_whole
from provisioner.centrex.customer import Customer
from provisioner.centrex.mac import MacAddress
from provisioner.centrex.order import in_order
from provisioner.centrex.plan import Change, ChangeKind, differences
from provisioner.centrex.problems import refuse
from provisioner.operations import audit
from provisioner.operations.context import surroundings
from provisioner.operations.encryption import with_keys
from provisioner.operations.installation import Installation
from provisioner.operations.owed import SLICE, owe
from provisioner.operations.revisions import (
    Cause,
    DeviceTexts,
    FileChange,
    refresh_customer,
)
from provisioner.phones import firmware
from provisioner.phones.check import (
    is_secret,
    phone_files,
    with_known_models,
)
from provisioner.phones.describe import Surroundings
from provisioner.phones.roles import check_customer_role
from provisioner.store.customer_writer import CustomerWriter
from provisioner.store.customers import Stored, load_customer


@dataclass(frozen=True, slots=True)
class Plan:
    """What an operation changes, or in a dry run would change."""

    changes: tuple[Change, ...] = ()
    files: tuple[FileChange, ...] = field(default=())
    "The files that get new bytes, and with them the phones that are touched, at once or when released."
    rollouts: tuple[str, ...] = ()
    "The customers in whose open rollout some of these files wait, by their logins."


@dataclass(frozen=True, slots=True)
class Checked:
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


class Step:
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

    async def checked(self, stored: Stored | None, wanted: Customer, passwords: Mapping[str, str]) -> Checked:
        """What differs, if all of it may be. Raises what contradicts it."""
        customer = in_order(with_known_models(wanted))
        changes = list(differences(stored.customer if stored else None, customer))
        changes += await self._new_passwords(stored, passwords)
        check_customer_role(self.actor, stored.customer if stored else None, customer)
        await self._check(customer)
        added = await firmware_names(self.session)
        refuse(firmware.customer_problems(stored.customer if stored else None, customer, added))
        return Checked(stored, customer, changes, passwords)

    async def save(self, checked: Checked) -> list[Change]:
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
