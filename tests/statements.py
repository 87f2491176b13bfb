"""What SQLAlchemy makes of a statement is kept for the whole run.

Each engine keeps it for itself, and nearly each test opens a database of its own: to compile the same
statements again for each was a third of what the tests used of a processor.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from sqlalchemy.dialects.postgresql.psycopg import PGDialectAsync_psycopg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.util import LRUCache

from db import postgresql, sqlite

_MOST = 10_000
"Statements that are kept; a run has about a thousand."


@pytest.fixture(scope="session", autouse=True)
def statements_compiled_once() -> Iterator[None]:
    """Gives one cache to all databases that are opened in this process."""
    with pytest.MonkeyPatch.context() as patch:
        for dialect in (PGDialectAsync_psycopg, SQLiteDialect_aiosqlite):
            # A key has the dialect in it. `db` makes all of one class alike.
            patch.setattr(dialect, "__hash__", lambda one: hash(type(one)))
            patch.setattr(dialect, "__eq__", _is_of_the_same_class)
        options = {"compiled_cache": LRUCache[object, object](_MOST)}
        for opening in (postgresql, sqlite):
            patch.setattr(
                opening, "create_async_engine", partial(create_async_engine, execution_options=options)
            )
        yield


def _is_of_the_same_class(one: Dialect, other: object) -> bool:
    return type(one) is type(other)
