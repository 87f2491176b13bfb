"""A customer and its exchange: lines, extensions, hunt groups, codes. Plain data, no rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from provisioner.centrex.devices import Device, PhoneOptions


class HuntStrategy(StrEnum):
    """In which order the members of a hunt group ring."""

    ORDER = "order"
    RANDOM = "random"
    SIMULTANEOUS = "simultaneous"
    LEAST_USED = "least_used"


class CallerPresentation(StrEnum):
    """What a member's display shows of the caller."""

    KEEP = "keep"
    GROUP = "group"
    GROUP_NAME = "group_name"


@dataclass(frozen=True, slots=True)
class Site:
    """A location of a customer; devices stand in it, and lines belong to it."""

    name: str
    concurrent_calls: int | None = None
    "In how many calls its lines may be at once, together; None: in any number."
    phone: PhoneOptions = field(default_factory=PhoneOptions)
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Forwarding:
    """Where the calls of a line go instead."""

    to: str
    enabled: bool = True
    "Turned off, the number is kept."
    after: int = 20
    "Seconds of ringing; read where nobody answers."


@dataclass(frozen=True, slots=True)
class Forwardings:
    """The forwardings of a line, each for its own case; None: never set."""

    always: Forwarding | None = None
    busy: Forwarding | None = None
    "Also where the call is turned down, and where the line isn't to be disturbed."
    no_answer: Forwarding | None = None
    unreachable: Forwarding | None = None
    "Nothing is registered, or it doesn't answer at all."


@dataclass(frozen=True, slots=True)
class Line:
    """One AOR `sip:NUMBER@HOST` with credentials. Its password is never here, only its version."""

    number: str
    "E.164 without +."
    product: str
    site: str | None = None
    forwarding: Forwardings = field(default_factory=Forwardings)
    dnd: bool = False
    "Not to be disturbed: who calls it finds it busy."
    call_waiting: bool = True
    "A second call rings while the first goes on."


@dataclass(frozen=True, slots=True)
class Extension:
    """A short number inside the company."""

    number: str
    line: str | None = None
    "The line that rings; None while it is not assigned."
    name: str = ""
    published: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a hunt group: an extension or another group."""

    extension: str | None = None
    group: str | None = None
    ring_delay: int = 0
    "Seconds before this member rings."
    ring_time: int = 15
    "Seconds it rings."
    stop: bool = False
    "No member after it is tried."
    skip_forwarding: bool = False
    "Its own forwarding is not followed."
    logged_in: bool = True
    "Logged out it isn't rung for this group."


@dataclass(frozen=True, slots=True)
class HuntGroup:
    """A dialable number that rings its members by a strategy."""

    number: str
    name: str = ""
    strategy: HuntStrategy = HuntStrategy.ORDER
    caller_presentation: CallerPresentation = CallerPresentation.KEEP
    pickup_allowed: bool = False
    members: tuple[Member, ...] = ()
    overflow: str | None = None


@dataclass(frozen=True, slots=True)
class Park:
    """Call park: park with `prefix`, fetch with `retrieve_prefix`."""

    prefix: str = "*70"
    retrieve_prefix: str = "*71"
    return_after: int = 60
    "Seconds until a parked call rings the parker again."


@dataclass(frozen=True, slots=True)
class SpeedDialEntry:
    """A short number and where it leads; an empty target dials it as it is."""

    number: str
    target: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class SpeedDial:
    """The customer's short numbers."""

    max_length: int = 3
    entries: tuple[SpeedDialEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class FeatureCodes:
    """Codes that turn a service on and off. What a code takes (a number, a closing #) follows it."""

    hide_number: str = "*67"
    show_number: str = "*68"
    forward_always_on: str = "*21*"
    forward_always_off: str = "#21#"
    forward_busy_on: str = "*22*"
    forward_busy_off: str = "#22#"
    forward_no_answer_on: str = "*23*"
    forward_no_answer_off: str = "#23#"
    forward_unreachable_on: str = "*24*"
    forward_unreachable_off: str = "#24#"
    dnd_on: str = "*26"
    dnd_off: str = "#26"
    group_login: str = "*50"
    group_logout: str = "*51"


@dataclass(frozen=True, slots=True)
class Centrex:
    """The switchboard settings of a customer (`centrex:` in a company file). None turns a service off."""

    extension_length: int = 3
    intercom_prefix: str | None = None
    pickup_prefix: str | None = "*40"
    park: Park | None = field(default_factory=Park)
    distinctive_ring: bool = False
    speed_dial: SpeedDial = field(default_factory=SpeedDial)
    codes: FeatureCodes = field(default_factory=FeatureCodes)


@dataclass(frozen=True, slots=True)
class ProofSchedule:
    """When its numbers are tested by themselves (`test_calls:` in a company file); None: as with all."""

    nightly: bool | None = None
    after_changes: bool | None = None
    window: str | None = None
    "From when to when at night, in the customer's time zone: `22:00-05:00`."


@dataclass(frozen=True)
class Customer:
    """A customer with everything that its phones' files depend on.

    Without slots: it remembers what it was asked for once for each of its phones.
    """

    login: str
    name: str
    language: str = "pl"
    time_zone: str = "Europe/Warsaw"
    currency: str = "PLN"
    credit_limit: Decimal | None = None
    centrex: Centrex = field(default_factory=Centrex)
    test_calls: ProofSchedule = ProofSchedule()
    sites: tuple[Site, ...] = ()
    lines: tuple[Line, ...] = ()
    extensions: tuple[Extension, ...] = ()
    hunt_groups: tuple[HuntGroup, ...] = ()
    devices: tuple[Device, ...] = ()
    phone: PhoneOptions = field(default_factory=PhoneOptions)
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)

    @cached_property
    def line_numbers(self) -> frozenset[str]:
        """The numbers of its lines."""
        return frozenset(line.number for line in self.lines)

    @cached_property
    def first_extensions(self) -> Mapping[str, Extension]:
        """Of the extensions of each line, by its number, the one that its phones show: the lowest."""
        by_number = sorted(self.extensions, key=lambda extension: extension.number, reverse=True)
        return {extension.line: extension for extension in by_number if extension.line is not None}
