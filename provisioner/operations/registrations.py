"""Who is registered, as people and programs see it: read from the database, so that every process can.

Nothing here is remembered: what has run out by the clock is not registered, whoever still has to note it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import chosen_lines as queries
from db.queries import devices as device_queries
from db.queries.chosen_lines import Standing
from provisioner.centrex.mac import MacAddress
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.missing import no_device, no_line
from provisioner.operations.registered import Registration, Sight, State, sight
from provisioner.operations.registered_lines import of_lines
from provisioner.operations.visible import customer_seen

MOST_LINES = 500
"Of a page."
_STANDINGS = {
    State.REACHABLE: Standing.REACHABLE,
    State.UNREACHABLE: Standing.UNREACHABLE,
    State.REGISTERED: Standing.REGISTERED,
    State.NEVER: Standing.NEVER,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which registrations are looked for; what is None or empty chooses nothing."""

    customer_id: int | None = None
    "Nobody else's are to be seen."
    customer: str | None = None
    "A login."
    line: str | None = None
    mac: MacAddress | None = None
    states: frozenset[State] = frozenset()
    text: str = ""
    "Stands in a number, name, model, address or Contact."

    def chosen(self, at: Sight) -> queries.Chosen:
        """The same for the database, which looks at whole lines."""
        mac = self.mac.hex if self.mac is not None else None
        standings = frozenset(_STANDINGS.get(state, Standing.ENDED) for state in self.states)
        return queries.Chosen(
            self.customer_id, self.customer, self.line, mac, self.text, standings, at.lately
        )

    def includes(self, each: Registration) -> bool:
        """Whether a registration of a line that was chosen is one of them."""
        if self.states and each.state not in self.states:
            return False
        return self.mac is None or (each.device is not None and each.device.mac == str(self.mac))


@dataclass(frozen=True, slots=True)
class Page:
    """Some of them, by line."""

    rows: tuple[Registration, ...]
    next: str | None
    "The line behind which the next page begins; None: this was the last."


async def list_registrations(
    installation: Installation, wanted: Wanted, after: str = "", most_lines: int = MOST_LINES
) -> Page:
    """The next page, of so many lines at the most. A line that several phones have comes whole.

    Raises `NotFound` for a customer, line or phone that is not there, or not to be seen.
    """
    async with installation.database.read() as session:
        await check_wanted(session, wanted)
        return await page(session, wanted, sight(installation), after, most_lines)


async def check_wanted(session: AsyncSession, wanted: Wanted) -> None:
    """Raises `NotFound` for what is named and not there, or not to be seen: nobody can tell which."""
    if wanted.customer is not None:
        await customer_seen(session, wanted.customer, wanted.customer_id)
    if wanted.line is not None:
        whose = queries.Chosen(customer_id=wanted.customer_id, line=wanted.line)
        if not await queries.lines(session, whose, utc_now(), "", 1):
            raise no_line(wanted.line)
    if wanted.mac is not None:
        device = await device_queries.device_of_mac(session, wanted.mac.hex)
        if device is None or wanted.customer_id not in (None, device.customer_id):
            raise no_device(wanted.mac)


async def page(
    session: AsyncSession, wanted: Wanted, at: Sight, after: str = "", most_lines: int = MOST_LINES
) -> Page:
    """See `list_registrations`; without asking whether what is named is there."""
    while True:
        lines = await queries.lines(session, wanted.chosen(at), at.now, after, most_lines + 1)
        shown = lines[:most_lines]
        rows = tuple(each for each in await of_lines(session, shown, at) if wanted.includes(each))
        if len(lines) <= most_lines:
            return Page(rows, None)
        after = shown[-1].number
        if rows:
            return Page(rows, after)
