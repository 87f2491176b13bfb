"""Extensions of the caller's customer, and nothing else."""

from __future__ import annotations

from db.engine import Database
from provisioner.pbx.authentication import Caller
from sip.call.errors import NoSuchNumber
from sip.call.ringing import Caller as Shown
from sip.call.ringing import Outcome, Ringing, Target
from sip.call.tree.limited import Limited
from sip.call.tree.node import Tried
from sip.call.tree.phone import Phone

_SQL = """
SELECT l.number, mine.number, mine.name FROM lines c
LEFT JOIN extensions mine ON mine.line_id = c.id
JOIN extensions e ON e.customer_id = c.customer_id AND e.number = :dialled
JOIN lines l ON l.id = e.line_id
WHERE c.number = :line
"""


class ExtensionRouter:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def route(self, caller: Caller, dialled: str) -> Ringing:
        rows = await self._database.rows(_SQL, line=caller.number, dialled=dialled)
        if not rows:
            raise NoSuchNumber("nobody has that number")
        aor, number, name = rows[0]
        shown = Shown(number or caller.number, name or "")
        return Limited(Phone(Tried(_none), Target(aor, shown, dialled)), 60.0)


def _none(_: str) -> Outcome | None:
    return None
