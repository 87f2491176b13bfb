"""How test calls get a switchboard to be made in: the living server makes it (`provisioner.pbx.twin`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from provisioner.centrex.errors import CentralkaError
from provisioner.centrex.exchange import Exchange
from sip.testcall.lateness import Lateness
from sip.testcall.process import PhonesProcess
from sip.transport.flow import Address


class TooManyTestCalls(CentralkaError):
    """As many test calls go on as there may be."""

    code = "too-many-test-calls"

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} test calls go on already: wait until one of them is over, then repeat this")


_MOST_REGISTERING = 3


class Pace:
    """Lets calls of people go on in between, however many test calls there are."""

    def __init__(self) -> None:
        self.registering = asyncio.Semaphore(_MOST_REGISTERING)
        "For phones that register: so many at a time, of all test calls together."
        self.lateness = Lateness()
        "Of this process while there are test calls."
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """For work that nothing can interrupt: of all test calls one at a time, then whoever waits."""
        async with self._turn:
            yield
            await asyncio.sleep(0)


class Twin(Protocol):
    """A copy of a customer's switchboard, with the living server's engine, and none of people's phones."""

    @property
    def exchange(self) -> Exchange:
        """The copy as the engine has it, and in it who calls."""

    @property
    def server(self) -> Address:
        """Where phones register, over UDP."""

    @property
    def pace(self) -> Pace:
        """What all twins of a server keep to."""

    def restore(self) -> None:
        """Whatever codes have changed of the copy is as it was."""

    def password(self, line: str) -> str:
        """A new password for a line, with which phones may register for it."""


class TwinMaker(Protocol):
    """Makes them."""

    @property
    def process(self) -> PhonesProcess:
        """Where the phones are that all tests of a server have."""

    def up(self, line: str, divisor: float = 1.0) -> AbstractAsyncContextManager[Twin]:
        """A twin of the switchboard that `line` belongs to, while the context lasts.

        All ring times are divided by `divisor`. Raises `TooManyTestCalls`, `NotFound`, `StorageError`.
        """
