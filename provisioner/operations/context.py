"""What an operation on a customer's phones loads first: the customer, the levels above it, the addresses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.customers import customer_logins, settings_of_vendors
from db.queries.encryption import newest_keys
from provisioner.centrex.mac import MacAddress
from provisioner.operations.addresses import public_addresses
from provisioner.operations.installation import Installation
from provisioner.operations.token_keys import was_told_a_key
from provisioner.phones.describe import Surroundings
from provisioner.store.customers import Stored, load_customer, load_customer_by_id, load_part
from provisioner.store.secret_values import versions_of
from provisioner.store.vendors import load_vendor

_FEW = 500
"Phones that are named one by one in a query; more of them are most of their customer anyway."


async def surroundings(session: AsyncSession, installation: Installation, stored: Stored) -> Surroundings:
    """What the files of the customer's phones depend on beside the customer."""
    return Surroundings(
        vendor=await load_vendor(session, installation.vault),
        public=await public_addresses(session, installation.settings),
        versions=versions_of(stored, await settings_of_vendors(session)),
        encryption_keys=await newest_keys(session, stored.row.id),
        told_keys=frozenset(row.mac for row in stored.row.devices if was_told_a_key(row)),
    )


async def customer_of(
    session: AsyncSession, installation: Installation, customer_id: int
) -> tuple[Stored, Surroundings]:
    """The customer that a device's row refers to, with its surroundings. The session lets its rows go."""
    stored = await load_customer_by_id(session, installation.vault, customer_id)
    assert stored is not None  # noqa: S101 - the foreign key of the device's row
    return stored, await surroundings(session, installation, stored)


async def phones_of(
    session: AsyncSession, installation: Installation, customer_id: int, macs: Collection[MacAddress]
) -> tuple[Stored, Surroundings]:
    """`customer_of` for the files of these phones alone: a claim must not wait for 10 000 others.

    To be written anew, and not to be saved.
    """
    if len(macs) > _FEW:
        return await customer_of(session, installation, customer_id)
    stored = await load_part(session, installation.vault, customer_id, macs)
    assert stored is not None  # noqa: S101 - the foreign key of the device's row
    return stored, await surroundings(session, installation, stored)


async def all_customers(
    session: AsyncSession, installation: Installation, only: str | None = None
) -> AsyncIterator[Stored]:
    """Every customer, or the one with the login `only`; one after the other, by login."""
    for login in await customer_logins(session) if only is None else [only]:
        stored = await load_customer(session, installation.vault, login)
        if stored is not None:
            yield stored
