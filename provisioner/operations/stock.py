"""Phones as a simulation takes them: what each has been told, and whom its line may ring."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from db.queries.devices import delivered_tokens
from provisioner.centrex import secret_names as names
from provisioner.centrex.customer import Customer
from provisioner.centrex.errors import NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.operations.addresses import public_addresses
from provisioner.operations.context import all_customers
from provisioner.operations.installation import Installation
from provisioner.operations.missing import no_device
from provisioner.operations.registered import LIVE
from provisioner.operations.registrations import Wanted, list_registrations
from provisioner.operations.visible import customer_seen
from provisioner.store.secret_values import open_secrets


@dataclass(frozen=True, slots=True)
class StockPhone:
    """One that is listed."""

    mac: MacAddress
    model: str
    firmware: str | None
    "What it said last that it runs."
    customer: str
    "A login."
    lines: tuple[str, ...]
    token: str | None = field(repr=False)
    "Under which it fetches; None: its phone has never come, or not since it was claimed or released."
    file_key: str | None = field(default=None, repr=False)
    "What its files are encrypted with."


@dataclass(frozen=True, slots=True)
class Numbers:
    """Whom the people of one customer may call."""

    extensions: Mapping[str, str]
    "The line of each extension that has one."
    groups: Mapping[str, frozenset[str]]
    "Every line that a call of a group may come to, by its members and by where it overflows."


@dataclass(frozen=True, slots=True)
class Stock:
    """What there is to simulate."""

    provisioning_url: str
    "Where phones are told to fetch."
    phones: tuple[StockPhone, ...]
    numbers: Mapping[str, Numbers]
    "Of each customer that has phones here, by its login."


async def stock(
    installation: Installation, customer: str | None, macs: Collection[MacAddress] = ()
) -> Stock:
    """The phones of a customer, or of all; with `macs` these alone.

    Raises `NotFound` for a customer or phone that is not there.
    """
    phones: list[StockPhone] = []
    numbers: dict[str, Numbers] = {}
    encrypted: set[str] = set()
    async with installation.database.read() as session:
        if customer is not None:
            await customer_seen(session, customer, None)
        url = (await public_addresses(session, installation.settings)).provisioning_url
        async for stored in all_customers(session, installation, customer):
            rows = {row.mac: row for row in stored.row.devices}
            delivered = await delivered_tokens(session, stored.row.id)
            for device in stored.customer.devices:
                if macs and device.mac not in macs:
                    continue
                row = rows[device.mac.hex]
                token = row.tokens[-1]
                is_out = token.first_used_at is not None or (row.id, token.version) in delivered
                has_come = is_out and token.revoked_at is None
                if has_come and token.encryption_key_id is not None:
                    encrypted.add(names.encryption_key(row.mac))
                numbers[stored.customer.login] = _numbers(stored.customer)
                phones.append(
                    StockPhone(
                        mac=device.mac,
                        model=device.model,
                        firmware=row.firmware_seen,
                        customer=stored.customer.login,
                        lines=tuple(account.line for account in device.accounts),
                        token=installation.vault.open(token.token_sealed) if has_come else None,
                    )
                )
        keys = await open_secrets(session, installation.vault, encrypted)
    if missing := sorted(map(str, set(macs) - {phone.mac for phone in phones})):
        if customer is None:
            raise no_device(missing[0])
        raise NotFound(f"{customer} has no device {missing[0]}: `centralka devices list` shows whose it is")
    phones = [replace(each, file_key=keys.get(names.encryption_key(each.mac.hex))) for each in phones]
    return Stock(url, tuple(phones), numbers)


async def registered_lines(
    installation: Installation, customer: str | None, lines: Collection[str]
) -> list[str]:
    """Those of `lines`, which are a customer's or anybody's, that are registered now."""
    found: set[str] = set()
    wanted, after = Wanted(customer=customer, states=LIVE), ""
    while True:
        page = await list_registrations(installation, wanted, after)
        found |= {row.line for row in page.rows if row.line in lines}
        if page.next is None:
            return sorted(found)
        after = page.next


def _numbers(customer: Customer) -> Numbers:
    extensions = {each.number: each.line for each in customer.extensions if each.line is not None}
    groups = {each.number: each for each in customer.hunt_groups}

    def rung(number: str, seen: set[str]) -> frozenset[str]:
        """Every line behind an extension or group; groups may contain each other."""
        if number in extensions:
            return frozenset({extensions[number]})
        group = groups.get(number)
        if group is None or number in seen:
            return frozenset()
        seen.add(number)
        behind = [each.extension or each.group for each in group.members] + [group.overflow]
        return frozenset().union(*(rung(each, seen) for each in behind if each is not None))

    return Numbers(extensions, {number: rung(number, set()) for number in groups})
