"""PostgreSQL's connections, and its locks: a change takes one advisory lock, so that changes are serial."""

from __future__ import annotations

import math

from sqlalchemy import TextClause, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from db.unavailable import BUSY_S
from db.watched import watched

_CHANGE_LOCK = 0x43656E7472616C6B
"The advisory lock of changes and migrations on PostgreSQL: `Centralk`."

APPEND_LOCK_S = 0.2
"""How long an append waits for a row that a change holds, before it gives up and is tried again.

PostgreSQL looks for a deadlock after a second, and ends whoever looks: an append that has let go by then
never costs a change.
"""

_ALIVE = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"A PostgreSQL whose machine is gone without a word is noticed in seconds, not in TCP's quarter of an hour."


def open_postgresql(url: URL, busy_s: float) -> tuple[AsyncEngine, AsyncEngine]:
    """What reads one moment of the database, and what writes; they share their connections."""
    writer = create_async_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={"connect_timeout": math.ceil(busy_s), "async_creator_fn": watched, **_ALIVE},
        hide_parameters=True,
        pool_size=8,
        max_overflow=8,
        pool_timeout=busy_s,
        pool_pre_ping=True,
    )
    return writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True), writer


def lock_changes(database: str, busy_s: float = BUSY_S) -> tuple[TextClause, ...]:
    """What a transaction runs first so that no other change runs beside it (SQLite: `BEGIN` did that)."""
    if database == "sqlite":
        return ()
    return (lock_timeout(busy_s), text(f"SELECT pg_advisory_xact_lock({_CHANGE_LOCK})"))


def lock_timeout(longest_s: float) -> TextClause:
    """How long each statement of this transaction waits for a lock on PostgreSQL."""
    return text(f"SELECT set_config('lock_timeout', '{longest_s * 1000:.0f}ms', true)")
