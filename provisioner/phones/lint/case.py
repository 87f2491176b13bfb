"""What rules look at: a company with all that its phones depend on, and one phone of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from phone_templates.catalogue import Generation
from phone_templates.errors import PhoneTemplatesError
from phone_templates.spec import Phone
from phone_templates.yealink.models import Model
from phone_templates.yealink.parameters import catalogue
from provisioner.centrex.customer import Customer
from provisioner.centrex.devices import Device, PhoneOptions, VendorLevel
from provisioner.centrex.errors import CentralkaError
from provisioner.centrex.features import PRODUCTS
from provisioner.centrex.mac import MacAddress
from provisioner.centrex.numbering import POLISH_EMERGENCY_NUMBERS
from provisioner.centrex.problems import Kind, Subject
from provisioner.phones.describe import Surroundings, describe, generation_of
from provisioner.phones.levels import Level, effective_options, levels_of


class FirmwareState(Enum):
    """How a firmware file is found."""

    GOOD = auto()
    DAMAGED = auto()
    "It was added, and is not there or not the same any more."
    NOT_ADDED = auto()


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What the company's surroundings hold: files, other customers, what phones said."""

    firmware: Mapping[str, FirmwareState] = field(default_factory=dict)
    "By name."
    times_fetched: Mapping[MacAddress, int] = field(default_factory=dict)
    "How often each phone fetched its file as it is now."
    media_files: frozenset[str] = frozenset()
    "The customer's own."
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)
    "SIP passwords by line, as far as they are there."
    agents: Mapping[MacAddress, str] = field(default_factory=dict)
    "What each phone called itself last."
    taken_lines: Mapping[str, str] = field(default_factory=dict)
    "Which login has which line."
    taken_macs: Mapping[MacAddress, str] = field(default_factory=dict)
    speaks_old_tls: bool = False
    "Whether the provisioning URL leads to a listener for phones of TLS 1.0."
    products: Collection[str] = tuple(PRODUCTS)
    emergency_numbers: frozenset[str] = POLISH_EMERGENCY_NUMBERS


@dataclass(frozen=True, slots=True)
class Numbers:
    """What there is to dial in a company, gathered once for all its phones."""

    internal: frozenset[str]
    "Extensions, hunt groups and short numbers: what is dialled without a code."
    lines: frozenset[str]
    line_of: Mapping[str, str | None]
    "The line of each extension; None while it has none."

    @classmethod
    def of(cls, customer: Customer) -> Numbers:
        """The numbers of a company."""
        groups = (group.number for group in customer.hunt_groups)
        short = (entry.number for entry in customer.centrex.speed_dial.entries)
        line_of = {extension.number: extension.line for extension in customer.extensions}
        return cls(
            frozenset((*line_of, *groups, *short)), frozenset(line.number for line in customer.lines), line_of
        )


@dataclass(frozen=True, slots=True)
class Company:
    """A customer as it is, or as a file would make it."""

    customer: Customer
    around: Surroundings
    elsewhere: Elsewhere
    phones: tuple[PhoneCase, ...] = ()
    "Those of its phones whose model is known and whose files can be written."


@dataclass(frozen=True, slots=True)
class RawSetting:
    """A parameter as one level says it."""

    name: str
    value: str
    level: Subject


@dataclass(frozen=True, slots=True)
class PhoneCase:
    """One phone with all that it inherits."""

    device: Device
    customer: Customer
    numbers: Numbers
    around: Surroundings
    elsewhere: Elsewhere
    model: Model
    generation: Generation
    levels: tuple[Level, ...]
    options: PhoneOptions
    raw: tuple[RawSetting, ...]
    "The parameters that reach the phone, the nearest level's word for each, by name."
    spec: Phone | None
    "Its description without the raw parameters and impossible accounts; None where there can't be any."

    @property
    def subject(self) -> Subject:
        """The device."""
        return Subject(Kind.DEVICE, str(self.device.mac))

    @property
    def minor(self) -> int | None:
        """The second number of its firmware version, where that is known."""
        numbers = firmware_version(self.device.firmware_seen or "")
        return numbers[1] if numbers else None

    def level_subject(self, level: Level) -> Subject:
        """The thing of the company that is the level."""
        match level.subject.partition(":")[0]:
            case "vendor":
                return Subject(Kind.VENDOR, self.around.vendor.vendor)
            case "model":
                return Subject(Kind.MODEL, self.model.name)
            case "customer":
                return Subject(Kind.CUSTOMER, self.customer.login)
            case "site":
                return Subject(Kind.SITE, self.device.site or "")
        return self.subject


def firmware_version(text: str) -> tuple[int, ...]:
    """The numbers of a version such as 66.86.0.15; empty for what is none."""
    parts = text.strip().split(".")
    if len(parts) < 2 or not all(part.isascii() and part.isdecimal() and len(part) <= 4 for part in parts):
        return ()
    return tuple(map(int, parts))


def company_case(customer: Customer, around: Surroundings, elsewhere: Elsewhere) -> Company:
    """The company, its phones understood as far as they can be."""
    company = Company(customer, around, elsewhere)
    return replace(company, phones=tuple(_phones(company)))


def _phones(company: Company) -> Iterator[PhoneCase]:
    numbers = Numbers.of(company.customer)
    for device in company.customer.devices:
        try:
            model, generation = generation_of(device)
        except PhoneTemplatesError:
            continue  # what is wrong is said by the rule about unknown models
        levels = levels_of(device, company.customer, company.around.vendor)
        case = PhoneCase(
            device,
            company.customer,
            numbers,
            company.around,
            company.elsewhere,
            model,
            generation,
            levels,
            effective_options(levels),
            raw=(),
            spec=None,
        )
        yield replace(case, raw=_raw(case), spec=_spec(case))


def _raw(case: PhoneCase) -> tuple[RawSetting, ...]:
    said: dict[str, RawSetting] = {}
    for level in case.levels:
        for name, value in level.settings.items():
            try:
                checked = catalogue().check(name, value, case.generation, case.model)
            except PhoneTemplatesError:
                continue
            said[name] = RawSetting(name, checked, case.level_subject(level))
    return tuple(said[name] for name in sorted(said))


def _spec(case: PhoneCase) -> Phone | None:
    most = case.model.accounts_for(case.generation)
    sound = replace(
        case.device,
        settings={},
        accounts=tuple(
            account
            for account in case.device.accounts
            if account.line in case.numbers.lines and 1 <= account.account <= most
        ),
    )
    try:
        return replace(describe(sound, case.customer, case.around), settings={})
    except (CentralkaError, PhoneTemplatesError, ValueError):
        return None  # the phone's files can't be written either, and that is a rule of its own


@dataclass(frozen=True, slots=True)
class Wide:
    """What is said of a vendor and its models, and which phones there are to hear it."""

    vendor: VendorLevel
    kinds: frozenset[tuple[str, Generation]]
    "The models and generations of all listed phones."
