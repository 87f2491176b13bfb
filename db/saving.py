"""Rows that were worked out beside everybody else, written by few statements while everybody else waits.

SQLAlchemy looks at each row, and puts each kind of statement into words, while it holds the lock. Here that
is done before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Dialect, inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstanceState, RelationshipDirection

from db.schema import Base
from db.schema.base import Numbered
from db.writing import Writer

_Row: TypeAlias = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Unsaved:
    """What `save` writes, once."""

    numbered: dict[str, list[Numbered]]
    "New rows that are to be given numbers, by table."
    statements: list[tuple[str, list[_Row]]]
    "In the order in which they are run, once for each row. One of the new rows stands for its number."


def unsaved(session: AsyncSession) -> Unsaved:
    """What is new or has other values in a session that can't write. It lets all its rows go."""
    saving = _Saving(session.get_bind().dialect)
    # Rows can't be written before those that they refer to; what refers back is written at the end.
    order = {table.name: number for number, table in enumerate(Base.metadata.sorted_tables)}
    for row in sorted((*session.new, *session.dirty), key=lambda row: order[row.__tablename__]):
        saving.add(row)
    session.expunge_all()
    return saving.whole()


async def save(writer: Writer, rows: Unsaved) -> None:
    """Writes them, inside a transaction."""
    numbers = {
        id(row): number
        for table, new in rows.numbered.items()
        for row, number in zip(new, await next_numbers(writer, table, len(new)), strict=True)
    }
    for statement, values in rows.statements:
        given = [
            tuple(numbers[id(value)] if isinstance(value, Base) else value for value in row) for row in values
        ]
        await writer.many(statement, given)


async def next_numbers(writer: Writer, table: str, count: int) -> Collection[int]:
    """The next numbers of a `Numbered` table; on SQLite they are taken when they are written."""
    if writer.database == "sqlite":
        found = await writer.rows("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))
        last = found[0][0] if found else 0
        return range(last + 1, last + count + 1)
    found = await writer.rows(
        "SELECT nextval(pg_get_serial_sequence(?, 'id')) FROM generate_series(1, ?)", (table, count)
    )
    return [number for (number,) in found]


class _Saving:
    """Statements that are being put together."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._numbered: defaultdict[str, list[Numbered]] = defaultdict(list)
        self._inserts: defaultdict[str, list[_Row]] = defaultdict(list)
        self._updates: defaultdict[str, list[_Row]] = defaultdict(list)

    def add(self, row: Base) -> None:
        """A row that is new or has other values."""
        state: InstanceState[Any] = inspect(row)
        table = row.__tablename__
        values, later = self._values(state)
        if state.identity is not None:
            keys = [str(column.name) for column in state.mapper.primary_key]
            self._update(table, values | later, dict(zip(keys, state.identity, strict=True)))
            return
        if isinstance(row, Numbered):
            values["id"] = row
            self._numbered[table].append(row)
        self._insert(table, values | dict.fromkeys(later))
        if any(value is not None for value in later.values()):
            self._update(table, later, {"id": row})

    def _values(self, row: InstanceState[Any]) -> tuple[dict[str, object], dict[str, object]]:
        """What to write in which column, and what only when all rows are there."""
        given = row.dict if row.identity is None else row.committed_state
        values: dict[str, object] = {}
        later: dict[str, object] = {}
        for attribute in row.mapper.column_attrs:
            if attribute.key in given:
                column = attribute.columns[0]
                process = column.type.dialect_impl(self._dialect).bind_processor(self._dialect)
                value = row.dict[attribute.key]
                values[str(column.name)] = value if process is None else process(value)
        for relation in row.mapper.relationships:
            if relation.direction is RelationshipDirection.MANYTOONE and relation.key in given:
                ((own, _),) = relation.local_remote_pairs or ()
                other = row.dict[relation.key]
                is_there = other is None or inspect(other).identity is not None
                values.pop(str(own.key), None)
                to = later if relation.post_update else values
                to[str(own.key)] = (other and other.id) if is_there else other
        return values, later

    def _insert(self, table: str, values: Mapping[str, object]) -> None:
        marks = ", ".join("?" * len(values))
        self._inserts[f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"].append(  # noqa: S608
            tuple(values.values())
        )

    def _update(self, table: str, values: Mapping[str, object], identity: Mapping[str, object]) -> None:
        changed = ", ".join(f"{name} = ?" for name in values)
        found = " AND ".join(f"{name} = ?" for name in identity)
        self._updates[f"UPDATE {table} SET {changed} WHERE {found}"].append(  # noqa: S608
            (*values.values(), *identity.values())
        )

    def whole(self) -> Unsaved:
        """All of them."""
        return Unsaved(self._numbered, [*self._inserts.items(), *self._updates.items()])
