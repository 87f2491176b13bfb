"""What of a customer decides where its calls go, by plain SQL (`Database.rows`): many calls wait for it.

Each statement sees its own moment. Whoever keeps what they gave asks whether anything changed meanwhile.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from db.engine import Database
from db.plain import Rows

_CUSTOMER = "SELECT login, distinctive_ring FROM customers WHERE id = :id"
_LINES = """
SELECT l.number, p.name, s.name, l.dnd, l.call_waiting,
  CASE WHEN of_p.locked THEN of_p.value WHEN of_c.locked THEN of_c.value
    ELSE coalesce(of_l.value, of_c.value, of_p.value, f."default") END
FROM lines l JOIN products p ON p.id = l.product_id LEFT JOIN sites s ON s.id = l.site_id
JOIN features f ON f.name = 'concurrent_calls'
LEFT JOIN product_features of_p ON of_p.feature_id = f.id AND of_p.product_id = l.product_id
LEFT JOIN customer_features of_c ON of_c.feature_id = f.id AND of_c.customer_id = l.customer_id
LEFT JOIN line_features of_l ON of_l.feature_id = f.id AND of_l.line_id = l.id
WHERE l.customer_id = :id
"""
"A level's word counts unless a level above has locked the feature (`centrex.features.effective`)."
_FORWARDINGS = """
SELECT l.number, f.kind, f.target, f.enabled, f.after_s FROM forwardings f JOIN lines l ON l.id = f.line_id
WHERE l.customer_id = :id
"""
_EXTENSIONS = """
SELECT e.number, l.number, e.name, e.published FROM extensions e LEFT JOIN lines l ON l.id = e.line_id
WHERE e.customer_id = :id
"""
_GROUPS = """
SELECT number, name, strategy, caller_presentation, pickup_allowed, overflow FROM hunt_groups
WHERE customer_id = :id
"""
_MEMBERS = """
SELECT g.number, e.number, n.number, m.ring_delay_s, m.ring_time_s, m.stop, m.skip_forwarding, m.logged_in
FROM hunt_group_members m JOIN hunt_groups g ON g.id = m.group_id
LEFT JOIN extensions e ON e.id = m.extension_id LEFT JOIN hunt_groups n ON n.id = m.member_group_id
WHERE g.customer_id = :id
"""
_SHORT_NUMBERS = "SELECT number, target FROM speed_dials WHERE customer_id = :id"
_SITES = """
SELECT name, max_concurrent_calls FROM sites WHERE customer_id = :id AND max_concurrent_calls IS NOT NULL
"""
_CODES = "SELECT name, code FROM feature_codes WHERE customer_id = :id"
_OF_LINE = " AND l.number = :number"
_GROUPS_OF_LINE = """ AND g.id IN (
  SELECT own.group_id FROM hunt_group_members own JOIN extensions x ON x.id = own.extension_id
  JOIN lines l ON l.id = x.line_id WHERE l.number = :number
)"""
_BY_NUMBER, _IN_ORDER = " ORDER BY e.number", " ORDER BY m.group_id, m.position"
_USED = """
SELECT g.number, l.number FROM hunt_group_usage u JOIN hunt_groups g ON g.id = u.group_id
JOIN extensions e ON e.id = u.extension_id JOIN lines l ON l.id = e.line_id
WHERE g.customer_id = :id ORDER BY u.last_answered_at
"""


class ExchangeRows(NamedTuple):
    """The rows of a customer's switchboard, each a tuple in the order of its statement."""

    login: str
    distinctive_ring: bool
    lines: Rows
    "number, product, site, dnd, call waiting, calls at once, as a text"
    forwardings: Rows
    "line, kind, target, enabled, after"
    extensions: Rows
    "number, line, name, published; by number"
    groups: Rows
    "number, name, strategy, presentation, pickup allowed, overflow"
    members: Rows
    "group, extension, group in it, delay, time, stop, skip forwarding, logged in; in their order"
    short_numbers: Rows
    "number, target"
    codes: Rows
    "name, code"
    sites: Rows
    "name, calls at once; those that have a limit"
    used: Rows
    "group, line; the longest unused first"


class LineRows(NamedTuple):
    """What a line may change by itself: rows of its own, and the members of the groups that it is in."""

    lines: Rows
    forwardings: Rows
    members: Rows


async def owner_of_line(database: Database, number: str) -> int | None:
    """The customer's row of the line with that number."""
    rows = await database.rows("SELECT customer_id FROM lines WHERE number = :number", number=number)
    return rows[0][0] if rows else None


async def exchange_rows(database: Database, customer_id: int) -> ExchangeRows | None:
    """The switchboard of the customer of that row; None: there is no such row. Raises `StorageError`."""

    async def asked(statement: str) -> list[tuple[Any, ...]]:
        return await database.rows(statement, id=customer_id)

    customer = await asked(_CUSTOMER)
    if not customer:
        return None
    login, distinctive_ring = customer[0]
    return ExchangeRows(
        login,
        bool(distinctive_ring),
        await asked(_LINES),
        await asked(_FORWARDINGS),
        await asked(_EXTENSIONS + _BY_NUMBER),
        await asked(_GROUPS),
        await asked(_MEMBERS + _IN_ORDER),
        await asked(_SHORT_NUMBERS),
        await asked(_CODES),
        await asked(_SITES),
        await asked(_USED),
    )


async def line_rows(database: Database, customer_id: int, number: str) -> LineRows:
    """Those of one line; without rows: it has gone. Raises `StorageError`."""

    async def asked(statement: str) -> list[tuple[Any, ...]]:
        return await database.rows(statement, id=customer_id, number=number)

    return LineRows(
        await asked(_LINES + _OF_LINE),
        await asked(_FORWARDINGS + _OF_LINE),
        await asked(_MEMBERS + _GROUPS_OF_LINE + _IN_ORDER),
    )
