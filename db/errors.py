"""What the database package refuses, rooted once."""

from __future__ import annotations


class StorageError(Exception):
    """Root of this package's errors; `str(error)` is for people and says what to do."""


class BadDatabaseUrl(StorageError):
    """The URL names no database that this package can open."""


class DatabaseUnavailable(StorageError):
    """The database is busy, full, unreachable or unreadable: nothing was changed; try again later."""


class DatabaseBusy(DatabaseUnavailable):
    """Another transaction holds a row that this one needs: nothing was changed; try again soon."""


class VaultError(StorageError):
    """A secret can't be sealed or opened with the keys at hand."""
