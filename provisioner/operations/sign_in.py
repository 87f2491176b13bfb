"""Logging in: who somebody is, by login and password."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable

import argon2
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select

from db.schema import UserRow
from provisioner.centrex.actor import Role
from provisioner.centrex.errors import CentralkaError
from provisioner.operations.guesses import Guesses
from provisioner.operations.installation import Installation
from provisioner.store.fresh import fresh_password

logger = logging.getLogger(__name__)

STAFF = frozenset({Role.OPERATOR, Role.TECHNICIAN})

_AT_ONCE = 2
"Passwords that are checked at a time: each takes 64 MiB and the time of a core."
_MOST_WAITING = 20
_LONGEST = 1000
"Characters of a password or login that are looked at."


class WrongPassword(CentralkaError):
    """No such user, another password, or nobody who may log in here: which of them is not said."""

    code = "wrong-password"


class TryLater(CentralkaError):
    """Too many tries."""

    code = "try-later"

    def __init__(self, wait_s: float) -> None:
        self.wait_s = max(1, math.ceil(wait_s))
        super().__init__(f"too many tries: wait {self.wait_s} s")


class SignIn:
    """Checks passwords, for this process."""

    def __init__(self, installation: Installation, clock: Callable[[], float] = time.monotonic) -> None:
        self._installation = installation
        self._clock = clock
        self._guesses = Guesses()
        self._hasher = argon2.PasswordHasher()
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0
        self._nobodys: str | None = None
        "A hash that no password fits: a login that is not there takes as long as one that is."

    async def user_of(self, login: str, password: str, source: str) -> int:
        """The number of the staff's user who has that password.

        Raises `WrongPassword`, and `TryLater` without having looked; `StorageError`.
        """
        # No user is called so, and PostgreSQL would not even look for one with a zero in its name.
        login, password = login[:_LONGEST].replace("\0", " "), password[: _LONGEST + 1]
        wait_s = self._guesses.wait_s(login, source, self._clock())
        if wait_s > 0:
            raise TryLater(wait_s)
        if self._waiting >= _MOST_WAITING:
            raise TryLater(1)
        self._waiting += 1
        try:
            # Counted before it is known: who tries a hundred at once has tried a hundred.
            self._guesses.tried(login, source, self._clock())
            async with self._places:
                found = await self._checked(login, password)
        finally:
            self._waiting -= 1
        if found is None:
            # Not the login: people type their passwords there.
            logger.info("log-in refused source=%s", source)
            raise WrongPassword("login or password is wrong: correct it and try again")
        self._guesses.succeeded(login, source)
        logger.info("logged in user=%s source=%s", login, source)
        return found

    async def _checked(self, login: str, password: str) -> int | None:
        if self._nobodys is None:
            self._nobodys = await asyncio.to_thread(self._hasher.hash, fresh_password())
        async with self._installation.database.read() as session:
            user = await session.scalar(select(UserRow).where(UserRow.login == login))
        known = user is not None and user.password_hash is not None and user.role in STAFF
        hashed = (user.password_hash if user is not None and known else None) or self._nobodys
        fits = await asyncio.to_thread(self._fits, hashed, password)
        return user.id if user is not None and known and fits and len(password) <= _LONGEST else None

    def _fits(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False
