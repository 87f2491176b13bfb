"""Lint of what is stored, or of what a company file would make of it. Nothing is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import customers as queries
from db.queries.firmware import times_fetched
from phone_templates.catalogue import Generation
from phone_templates.yealink.models import known_model
from provisioner.centrex.addresses import PublicAddresses
from provisioner.centrex.customer import Customer
from provisioner.centrex.devices import VendorLevel
from provisioner.centrex.mac import MacAddress
from provisioner.centrex.merge import merge, merge_vendor
from provisioner.centrex.order import in_order
from provisioner.centrex.patch import VendorPatch
from provisioner.centrex.problems import Contradictions, Kind, Lacking, Problem, Subject
from provisioner.files.company import CompanyFile, read_company_file
from provisioner.files.errors import FileErrors
from provisioner.operations.addresses import leads_to_old_tls, public_addresses
from provisioner.operations.context import all_customers
from provisioner.operations.firmware_check import firmware_states
from provisioner.operations.installation import Installation
from provisioner.phones.check import (
    patch_with_known_models,
    vendor_problems,
    with_known_models,
    with_known_targets,
)
from provisioner.phones.describe import Surroundings
from provisioner.phones.lint import lint_company, lint_wide
from provisioner.phones.lint.case import Company, Elsewhere, FirmwareState, Wide, company_case
from provisioner.phones.lint.finding import Finding, Found, Severity, worst_first
from provisioner.phones.lint.refusals import refused
from provisioner.store.customers import Stored, load_customer
from provisioner.store.vendors import load_vendor


async def lint_stored(installation: Installation) -> list[Finding]:
    """What would not work of all that is stored: the worst first, always in the same order."""
    async with installation.database.read() as session:
        run = await _Run.begin(session, installation)
        found: list[Found] = []
        async for stored in all_customers(session, installation):
            found += await run.company(stored.customer, stored, {})
        found += run.wide()
    return worst_first(found)


async def lint_file(installation: Installation, data: bytes, name: str) -> list[Finding]:
    """What would not work once the company file `data` were applied; also all that `apply` would refuse.

    Says nothing of customers that the file does not touch.
    """
    try:
        file = read_company_file(data, name)
    except FileErrors as error:
        return _of_unreadable(error)
    async with installation.database.read() as session:
        run = await _Run.begin(session, installation)
        found = [each for patch in file.vendors for each in run.vendor_patch(patch)]
        for patch in file.customers:
            stored = await load_customer(session, installation.vault, patch.login)
            try:
                wanted = merge(stored.customer if stored else None, patch)
            except Lacking as error:
                found.append(refused(error.problem, patch.login))
                continue
            found += await run.company(in_order(with_known_models(wanted)), stored, patch.passwords)
        if file.vendors:
            # What is said of a vendor reaches the phones of all the others, too.
            named = {patch.login for patch in file.customers}
            async for stored in all_customers(session, installation):
                if stored.customer.login not in named:
                    found += await run.company(stored.customer, stored, {})
            found += run.wide()
    return worst_first(_placed(file, found))


_Name = TypeVar("_Name")


@dataclass(slots=True)
class _Run:
    """One look at customers, one after the other, as `apply` would take them."""

    session: AsyncSession
    installation: Installation
    vendor: VendorLevel
    public: PublicAddresses
    products: tuple[str, ...]
    firmware: Mapping[str, FirmwareState]
    lines: dict[str, str]
    "Lines of the customers that were looked at, and whose they would be."
    macs: dict[MacAddress, str]
    seen: set[str]
    "The logins of these customers."
    kinds: set[tuple[str, Generation]]
    "The models and generations of their phones."

    @classmethod
    async def begin(cls, session: AsyncSession, installation: Installation) -> _Run:
        """Reads what all customers share."""
        return cls(
            session,
            installation,
            vendor=await load_vendor(session, installation.vault),
            public=await public_addresses(session, installation.settings),
            products=tuple(await queries.products(session)),
            firmware=await firmware_states(session, installation),
            lines={},
            macs={},
            seen=set(),
            kinds=set(),
        )

    def vendor_patch(self, patch: VendorPatch) -> Iterator[Found]:
        """Takes over what a file says of a vendor; gives what it would be refused for."""
        try:
            known = patch_with_known_models(patch)
        except Contradictions as error:
            yield from (refused(problem, None) for problem in error.problems)
            return
        self.vendor = with_known_targets(merge_vendor(self.vendor, known))
        yield from (refused(problem, None) for problem in vendor_problems(self.vendor, patch))

    async def company(
        self, customer: Customer, stored: Stored | None, passwords: Mapping[str, str]
    ) -> list[Found]:
        """What would not work of one customer; `passwords` are those that a file gives to lines."""
        around = Surroundings(self.vendor, self.public, versions={})
        company = company_case(customer, around, await self._elsewhere(customer, stored, passwords))
        self._remember(company)
        return lint_company(company)

    def wide(self) -> list[Found]:
        """What would not work of what is said of the vendor, once all customers were looked at."""
        return lint_wide(Wide(self.vendor, frozenset(self.kinds)))

    async def _elsewhere(
        self, customer: Customer, stored: Stored | None, given: Mapping[str, str]
    ) -> Elsewhere:
        lines = await queries.owners_of_lines(self.session, [line.number for line in customer.lines])
        macs = await queries.owners_of_macs(self.session, [device.mac.hex for device in customer.devices])
        owners_of_macs = {MacAddress(mac): login for mac, login in macs.items()}
        vault = self.installation.vault
        device_rows = stored.row.devices if stored else []
        line_rows = stored.row.lines if stored else []
        passwords = {line.number: vault.open(line.password_sealed) for line in line_rows} | dict(given)
        wanted = {line.number for line in customer.lines}
        fetched = await times_fetched(self.session, stored.row.id) if stored else {}
        return Elsewhere(
            firmware=self.firmware,
            times_fetched={MacAddress(mac): times for mac, times in fetched.items()},
            media_files=await asyncio.to_thread(_files_in, self.installation.media_dir(customer.login)),
            passwords={number: passwords[number] for number in wanted & passwords.keys()},
            agents={MacAddress(row.mac): row.agent_seen for row in device_rows if row.agent_seen},
            taken_lines=self._others(lines) | self.lines,
            taken_macs=self._others(owners_of_macs) | self.macs,
            speaks_old_tls=leads_to_old_tls(self.installation.settings, self.public.provisioning_url),
            products=self.products,
            emergency_numbers=self.installation.settings.numbering.emergency_numbers,
        )

    def _others(self, owners: Mapping[_Name, str]) -> dict[_Name, str]:
        """Without what customers that were looked at have now: they may give it up."""
        return {name: login for name, login in owners.items() if login not in self.seen}

    def _remember(self, company: Company) -> None:
        customer = company.customer
        self.seen.add(customer.login)
        for line in customer.lines:
            self.lines.setdefault(line.number, customer.login)
        for device in customer.devices:
            self.macs.setdefault(device.mac, customer.login)
        self.kinds |= {(phone.model.name, phone.generation) for phone in company.phones}


def _files_in(folder: Path) -> frozenset[str]:
    """The names of the files in a folder, which need not be there."""
    if not folder.is_dir():
        return frozenset()
    return frozenset(path.name for path in folder.iterdir() if path.is_file())


def _of_unreadable(error: FileErrors) -> list[Finding]:
    """A file of which nothing can be understood as a company, before its errors are corrected."""
    return [
        Finding(
            error.code,
            Severity.ERROR,
            None,
            None,
            f"{item.path}: {item.message}" if item.path else item.message,
            "correct it: lint looks at the company when the file can be read",
            item.line,
        )
        for item in error.items
    ]


def _placed(file: CompanyFile, found: Iterable[Found]) -> Iterator[Found]:
    """The findings with the lines of the file that they are about, where it says these things."""
    vendors = {patch.vendor for patch in file.vendors}
    models = {
        name: (patch.vendor, level.model)
        for patch in file.vendors
        for level in patch.models
        for name in (level.model, _own_name(level.model))
    }
    logins = {patch.login for patch in file.customers}
    for each in found:
        finding = each.finding
        subject = finding.subject
        if subject is None:
            yield each
            continue
        problem = Problem(subject, finding.message, each.key)
        errors: FileErrors | None = None
        if finding.customer in logins:
            errors = file.located(finding.customer, Contradictions([problem]))
        elif subject.kind is Kind.VENDOR and subject.name in vendors:
            errors = file.located_vendor(subject.name, Contradictions([problem]))
        elif subject.kind is Kind.MODEL and subject.name in models:
            vendor, written = models[subject.name]
            as_written = replace(problem, subject=Subject(Kind.MODEL, written))
            errors = file.located_vendor(vendor, Contradictions([as_written]))
        yield replace(each, finding=replace(finding, line=errors.items[0].line)) if errors else each


def _own_name(model: str) -> str:
    known = known_model(model)
    return known.name if known else model
