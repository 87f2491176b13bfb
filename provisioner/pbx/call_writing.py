"""Writing calls: their records, their legs and what happened to them, of many at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from db.queries import call_records as queries
from db.queries.call_plans import PlanRow, put_plans
from db.writing import Writer
from provisioner.pbx.call_log import Taken
from provisioner.pbx.call_plans import CallPlans
from provisioner.pbx.call_rows import event_row, leg_row, record_row
from provisioner.pbx.call_sides import note_sides, side_events, side_row

_KEPT_PLANS = 2_000
"Of each customer."


class Written(NamedTuple):
    """What was written."""

    ids: dict[UUID, int]
    "The numbers of the rows of records that are new."
    events: Counter[int]
    "How many of each customer."
    plans: list[PlanRow]
    "Those that are there now."


async def write_calls(writer: Writer, batch: Sequence[Taken], plans: CallPlans) -> Written:
    """Writes what is taken of some calls, but for those of lines that have gone."""
    lines = await queries.lines_called(writer, _unknown_lines(batch))
    rows, legs, events = [], [], []
    for each in batch:
        call = each.call
        call.line = call.line or lines.get(call.began.aor)
        for leg in each.legs:
            leg.line = leg.line or lines.get(leg.target.aor)
        if call.line is not None:
            note_sides(call, each.legs)
            rows.append(record_row(call, call.line))
            rows += [side_row(call, side) for side in call.sides.values()]
    recorded = [each.call for each in batch if each.call.line is not None]
    new_plans = plans.unwritten(recorded)
    await put_plans(writer, new_plans, _KEPT_PLANS)
    await queries.put_records(writer, rows)
    new = [each.call.began.call for each in batch if each.call.row_id is None]
    new += [side.uuid for each in batch for side in each.call.sides.values() if side.row_id is None]
    ids = await queries.record_ids(writer, new)
    for each in batch:
        call, line = each.call, each.call.line
        row_id = call.row_id or ids.get(call.began.call)
        if line is None or row_id is None:
            continue
        legs += [leg_row(call, leg)._replace(call_id=row_id) for leg in each.legs]
        events += [event_row(call, line, news)._replace(call_id=row_id) for news in each.news]
        for side in call.sides.values():
            side_id = side.row_id or ids[side.uuid]
            mine = (leg for leg in each.legs if leg in side.legs)
            legs += [leg_row(call, leg)._replace(call_id=side_id) for leg in mine]
            events += [told._replace(call_id=side_id) for told in side_events(call, side, each.news)]
    await queries.put_legs(writer, legs)
    await queries.add_events(writer, events)
    return Written(ids, Counter(event.customer_id for event in events), new_plans)


def _unknown_lines(batch: Sequence[Taken]) -> set[str]:
    """The lines of which it is not known yet what they are called."""
    numbers = {each.call.began.aor for each in batch if each.call.line is None}
    for each in batch:
        numbers |= {leg.target.aor for leg in each.legs if leg.line is None and leg.target.uri is None}
    return numbers
