"""Customers' switchboards as the database has them now."""

from __future__ import annotations

from db.queries.chosen_lines import customer_called
from db.queries.exchanges import exchange_rows
from provisioner.centrex.exchange import Exchange
from provisioner.operations.installation import Installation
from provisioner.operations.missing import no_customer
from provisioner.store.exchanges import exchange_of


async def exchange_in(installation: Installation, customer_id: int) -> Exchange | None:
    """That of the customer of that row; None: there is no such row. Raises `StorageError`."""
    rows = await exchange_rows(installation.database, customer_id)
    forms = installation.settings.numbering.forms
    return None if rows is None else exchange_of(customer_id, rows, forms)


async def exchange_called(installation: Installation, login: str) -> Exchange:
    """A customer's. Raises `NotFound`, `StorageError`."""
    async with installation.database.read() as session:
        customer_id = await customer_called(session, login)
    found = None if customer_id is None else await exchange_in(installation, customer_id)
    if found is None:
        raise no_customer(login)
    return found
