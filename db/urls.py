"""Which database is meant, as a setting says it."""

from __future__ import annotations

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from db.errors import BadDatabaseUrl


def parse_url(url: str) -> URL:
    """`sqlite:///PATH` or `postgresql://…` as SQLAlchemy's URL, without a driver.

    Raises `BadDatabaseUrl`.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The text may hold a password, so it is not repeated.
        raise BadDatabaseUrl(
            "the database URL can't be read: write sqlite:///PATH or postgresql://…"
        ) from None
    if parsed.drivername not in ("sqlite", "postgresql"):
        raise BadDatabaseUrl(f"no database {parsed.drivername!r}: write sqlite:///PATH or postgresql://…")
    if parsed.drivername == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise BadDatabaseUrl("the SQLite database needs a file: write sqlite:///PATH")
    return parsed
