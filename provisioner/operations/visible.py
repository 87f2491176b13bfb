"""What of others is there for whom: a program of a customer's sees that customer's things alone."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.chosen_lines import customer_called
from provisioner.operations.missing import no_customer


async def customer_seen(session: AsyncSession, login: str, viewer_id: int | None) -> int:
    """The row of a customer, as the customer `viewer_id` sees it; None: staff, who see all.

    Raises `NotFound` for one that is not there, or not to be seen: nobody can tell which.
    """
    # No login has one, and no database would look for it.
    found = None if "\0" in login else await customer_called(session, login)
    if found is None or viewer_id not in (None, found):
        raise no_customer(login)
    return found
