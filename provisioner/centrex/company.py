"""What must fit together in a company besides its numbers and groups.

Whether a phone's model can do it is not asked here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal

from provisioner.centrex import scalars
from provisioner.centrex.customer import Customer
from provisioner.centrex.devices import Device, Key, KeyType
from provisioner.centrex.errors import BadValue
from provisioner.centrex.features import PRODUCTS
from provisioner.centrex.groups import group_problems
from provisioner.centrex.mac import MacAddress
from provisioner.centrex.numbering import POLISH_EMERGENCY_NUMBERS, numbering_problems
from provisioner.centrex.problems import Kind, Problem, Subject, refuse

MOST_DECIMALS = 6

_NEEDS_VALUE = frozenset(
    {KeyType.BLF, KeyType.SPEED_DIAL, KeyType.INTERCOM, KeyType.PAGING, KeyType.URL, KeyType.XML_BROWSER}
)
_NEEDS_NO_ACCOUNT = frozenset({KeyType.PAGING, KeyType.URL, KeyType.XML_BROWSER})


def check_whole(
    customer: Customer,
    taken_lines: Mapping[str, str],
    taken_macs: Mapping[MacAddress, str],
    products: Collection[str] = tuple(PRODUCTS),
    emergency_numbers: frozenset[str] = POLISH_EMERGENCY_NUMBERS,
) -> None:
    """The company, its numbering and its groups at once.

    Raises `Contradictions` (a `Conflict`) with all that does not fit. `taken_lines` and `taken_macs` say
    which login has which; the customer's own do no harm. Whose a number is, another customer never learns.
    """
    refuse(
        [
            *company_problems(customer, taken_lines, taken_macs, products),
            *numbering_problems(customer, emergency_numbers),
            *group_problems(customer),
        ]
    )


def company_problems(
    customer: Customer,
    taken_lines: Mapping[str, str],
    taken_macs: Mapping[MacAddress, str],
    products: Collection[str] = tuple(PRODUCTS),
) -> Iterator[Problem]:
    """References to nothing, things that are there twice or in use elsewhere, impossible values."""
    yield from _own_values(customer)
    lines = {line.number for line in customer.lines}
    sites = {site.name for site in customer.sites}
    yield from _twice(Kind.SITE, (site.name for site in customer.sites))
    yield from _twice(Kind.LINE, (line.number for line in customer.lines))
    yield from _twice(Kind.DEVICE, (str(device.mac) for device in customer.devices))
    for line in customer.lines:
        subject = Subject(Kind.LINE, line.number)
        if taken_lines.get(line.number, customer.login) != customer.login:
            yield Problem(subject, f"{subject} is already in use: take another number")
        if line.product not in products:
            message = f"{subject}: there is no product {line.product!r}: choose {', '.join(products)}"
            yield Problem(subject, message)
        yield from _no_such_site(subject, line.site, sites)
    for extension in customer.extensions:
        if extension.line is not None and extension.line not in lines:
            subject = Subject(Kind.EXTENSION, extension.number)
            yield Problem(
                subject, f"{subject}: there is no line {extension.line}: add it, or give another line"
            )
    for device in customer.devices:
        subject = Subject(Kind.DEVICE, str(device.mac))
        if taken_macs.get(device.mac, customer.login) != customer.login:
            yield Problem(subject, f"{subject} is already in use: check the MAC address on the phone's label")
        yield from _no_such_site(subject, device.site, sites)
        for fault in (*_account_faults(device, lines), *_key_faults(device)):
            yield Problem(subject, f"{subject}: {fault}")


def _own_values(customer: Customer) -> Iterator[Problem]:
    subject = Subject(Kind.CUSTOMER, customer.login)
    for rule, value, field in (
        (scalars.language, customer.language, "language"),
        (scalars.time_zone, customer.time_zone, "time zone"),
        (scalars.currency, customer.currency, "currency"),
    ):
        try:
            rule(value, field)
        except BadValue as error:
            yield Problem(subject, f"{subject}: {error}")
    limit = customer.credit_limit
    if limit is not None and not _is_amount(limit):
        message = f"{subject}: credit limit must be 0 or more, with at most {MOST_DECIMALS} decimals"
        yield Problem(subject, message)


def _is_amount(number: Decimal) -> bool:
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -MOST_DECIMALS and number >= 0


def _twice(kind: Kind, names: Iterable[str]) -> Iterator[Problem]:
    for name, times in Counter(names).items():
        if times > 1:
            subject = Subject(kind, name)
            yield Problem(subject, f"{subject} is there {times} times: leave one of them")


def _no_such_site(subject: Subject, site: str | None, sites: set[str]) -> Iterator[Problem]:
    if site is not None and site not in sites:
        yield Problem(
            subject, f"{subject}: there is no site {site!r}: add it to the sites, or take it out here"
        )


def _account_faults(device: Device, lines: set[str]) -> Iterator[str]:
    for number, times in Counter(account.account for account in device.accounts).items():
        if number < 1:
            yield f"account {number} can't be: accounts count from 1"
        if times > 1:
            yield f"account {number} is there {times} times: leave one of them"
    for account in device.accounts:
        if account.line not in lines:
            yield f"account {account.account}: there is no line {account.line}: add it, or give another line"


def _key_faults(device: Device) -> Iterator[str]:
    accounts = {account.account for account in device.accounts}
    places: Counter[str] = Counter()
    for number, key in enumerate(device.keys, start=1):
        place = _place(key)
        named = f"the key at {place}" if place else f"key {number} of the list ({key.type})"
        if place:
            places[place] += 1
        for field, value in (("key", key.key), ("memory", key.memory), ("module", key.module)):
            if value is not None and value < 1:
                yield f"{named}: {field} is {value}: keys and modules count from 1"
        if key.key is not None and key.memory is not None:
            yield f"{named} has two places: give key (a line key) or memory (a memory key)"
        if key.module is not None and key.key is None:
            yield f"{named}: module needs key, the number of the key on that module"
        if key.type in _NEEDS_VALUE and not key.value:
            yield f"{named}: {key.type} needs a value"
        if key.type not in _NEEDS_NO_ACCOUNT and key.account not in accounts:
            there = ", ".join(map(str, sorted(accounts))) or "no account"
            yield f"{named} uses account {key.account}, but the phone has {there}"
    for place, times in places.items():
        if times > 1:
            yield f"there are {times} keys at {place}: give each its own place"


def _place(key: Key) -> str:
    if key.memory is not None:
        return f"memory {key.memory}"
    if key.key is None:
        return ""
    return f"key {key.key}" if key.module is None else f"module {key.module} key {key.key}"
