"""What dialled numbers led to when they were dialled, kept beside records of calls: once, not for each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

from pydantic import TypeAdapter

from db.queries.call_plans import PlanRow
from provisioner.centrex.exchange import Exchange
from provisioner.centrex.reach import Reach, reach_of
from provisioner.operations.printable import printable
from provisioner.pbx.call_log import Call
from sip.call.story import CallBegan, Event, LegBegan

_MOST = 20_000
"Numbers whose plans are remembered, and plans of which it is known that they are written."
_MOST_CHARACTERS = 1 << 24
"Of all plans that are remembered."
_LARGEST = 1 << 16
"Characters of a plan: of what leads further nothing is kept."
_REACH = TypeAdapter(Reach)


class _Made(NamedTuple):
    exchange: Exchange
    "Of which they were made; another one of the same customer may lead elsewhere."
    rows: dict[str, PlanRow | None]
    "By the number."


class CallPlans:
    """Notes of each call what its number led to, for the caller's customer and for those who are called."""

    def __init__(self, known: Callable[[str], Exchange | None]) -> None:
        """`known`: the switchboard of a line, if memory has it."""
        self._known = known
        self._made: dict[int, _Made] = {}
        self._numbers = self._characters = 0
        self._written: set[tuple[int, str]] = set()

    def hear(self, event: Event, call: Call) -> None:
        """Looks at what happens to a call, at once: a moment later something else may be set."""
        if isinstance(event, CallBegan):
            self._note(call, event.aor, printable(event.dialled))
        elif isinstance(event, LegBegan) and event.target.uri is None:
            self._note(call, event.target.aor, event.target.aor)

    def unwritten(self, calls: Iterable[Call]) -> list[PlanRow]:
        """The plans of these calls that are not written yet, in an order that is always the same.

        Of those customers alone that have a record of the call.
        """
        rows = {
            (customer_id, row.digest): row
            for call in calls
            for customer_id, row in tuple(call.plans.items())
            if customer_id in call.sides or (call.line is not None and call.line.customer_id == customer_id)
        }
        return [row for key, row in sorted(rows.items()) if key not in self._written]

    def written(self, rows: Iterable[PlanRow]) -> None:
        """They are."""
        if len(self._written) > _MOST:
            self._written.clear()
        self._written.update((row.customer_id, row.digest) for row in rows)

    def _note(self, call: Call, line: str, number: str) -> None:
        exchange = self._known(line)
        if exchange is None or exchange.customer_id in call.plans:
            return
        if line != call.began.aor and call.began.aor in exchange.lines:
            return  # What the caller's own number led to was not known: it must not be taken for this.
        row = self._row(exchange, number)
        if row is not None:
            call.plans[exchange.customer_id] = row

    def _row(self, exchange: Exchange, number: str) -> PlanRow | None:
        made = self._made.get(exchange.customer_id)
        if made is None or made.exchange is not exchange:
            made = self._made[exchange.customer_id] = _Made(exchange, {})
        if number not in made.rows:
            row = _written_down(reach_of(exchange, number), exchange)
            self._numbers += 1
            self._characters += 0 if row is None else len(row.plan)
            if self._numbers > _MOST or self._characters > _MOST_CHARACTERS:
                self._made.clear()
                self._numbers = self._characters = 0
            made.rows[number] = row
        return made.rows[number]


def _written_down(reach: Reach | None, exchange: Exchange) -> PlanRow | None:
    if reach is None:
        return None
    text = _REACH.dump_json(reach, exclude_defaults=True).decode()
    if len(text) > _LARGEST:
        return None
    digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    return PlanRow(exchange.customer_id, digest, text)
