"""Many rows by one statement of plain SQL: SQLAlchemy's own takes several times as long.

Python's driver for SQLite lets go of the interpreter for each row that a statement writes, and while others
are busy waits some milliseconds to get it back. So there many rows go into one statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain, count

_MOST_VALUES = 8_192
"Of one statement; SQLite takes 32 766."
_INSERT = re.compile(r"(INSERT INTO .*? VALUES )(\((?:\?, )*\?\))(.*)", re.DOTALL)
_UPDATE = re.compile(r"(UPDATE \w+ SET .*?)( WHERE .*)", re.DOTALL)
_DELETE = re.compile(r"DELETE FROM (\w+) WHERE (.*)", re.DOTALL)


def in_parts(
    statement: str, rows: Sequence[tuple[object, ...]]
) -> Iterator[tuple[str, tuple[object, ...]]]:
    """`statement` for all rows as SQLite runs it: statements of many rows, each with its values.

    It is an INSERT with VALUES, or an UPDATE or DELETE with WHERE; its parameters are written `?`. No two
    rows may be about the same.
    """
    begin = 0
    for number in _parts(len(rows), len(rows[0]) if rows else 0):
        part = rows[begin : begin + number]
        yield _for_many(statement, number), as_sqlite_keeps_them(chain.from_iterable(part))
        begin += number


def _parts(rows: int, columns: int) -> Iterator[int]:
    """Sizes that sum up to `rows`: few, and of few kinds, since each kind is a statement of its own."""
    if not rows:
        return
    size = 1 << (_MOST_VALUES // columns).bit_length() - 1
    while rows:
        while size > rows:
            size //= 2
        yield size
        rows -= size


@lru_cache(256)
def _for_many(statement: str, rows: int) -> str:
    """`statement` for so many rows at once, as SQLite takes it."""
    columns = statement.count("?")
    row = f"({', '.join('?' * columns)})"
    values = ", ".join([row] * rows)
    if (insert := _INSERT.fullmatch(statement)) is not None:
        return f"{insert[1]}{values}{insert[3]}"
    names = [f"v{number}" for number in range(columns)]
    given = f"WITH given({', '.join(names)}) AS (VALUES {values}) "
    number = count()
    named = re.sub(r"\?", lambda _: f"given.v{next(number)}", statement)
    if (update := _UPDATE.fullmatch(named)) is not None:
        return f"{given}{update[1]} FROM given{update[2]}"
    if (delete := _DELETE.fullmatch(named)) is not None:
        table, where = delete.groups()
        # The cross join: for each given row one look, and no walk through the table.
        found = f"SELECT {table}.rowid FROM given CROSS JOIN {table} WHERE {where}"  # noqa: S608 - ours
        return f"{given}DELETE FROM {table} WHERE rowid IN ({found})"  # noqa: S608
    raise ValueError(f"not a statement for many rows: {statement}")


def as_sqlite_keeps_them(values: Iterable[object]) -> tuple[object, ...]:
    """Values for a statement: SQLAlchemy keeps moments there as text without a zone."""
    return tuple(
        [each.isoformat(" ", "microseconds")[:26] if type(each) is datetime else each for each in values]
    )
