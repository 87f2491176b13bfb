"""Customers' switchboards as the database has them now."""

from __future__ import annotations

from db.engine import Database
from db.queries.chosen_lines import customer_called
from db.queries.exchanges import exchange_rows
from provisioner.centrex.errors import NotFound
from provisioner.centrex.exchange import Exchange
from provisioner.store.exchanges import exchange_of


async def exchange_in(database: Database, customer_id: int) -> Exchange | None:
    """That of the customer of that row; None: there is no such row. Raises `StorageError`."""
    rows = await exchange_rows(database, customer_id)
    return None if rows is None else exchange_of(customer_id, rows)


async def exchange_called(database: Database, login: str) -> Exchange:
    """A customer's. Raises `NotFound`, `StorageError`."""
    async with database.read() as session:
        customer_id = await customer_called(session, login)
    found = None if customer_id is None else await exchange_in(database, customer_id)
    if found is None:
        raise NotFound(f"there is no customer {login!r}")
    return found
