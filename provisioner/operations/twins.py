"""How test calls get a switchboard to be made in: the living server makes it (`provisioner.pbx.twin`)."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from provisioner.centrex.errors import CentralkaError
from provisioner.centrex.exchange import Exchange
from sip.transport.flow import Address


class TooManyTestCalls(CentralkaError):
    """As many test calls go on as there may be."""

    code = "too-many-test-calls"

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} test calls go on already: wait until one of them is over, then repeat this")


class Twin(Protocol):
    """A copy of a customer's switchboard, with the living server's engine, and none of people's phones."""

    @property
    def exchange(self) -> Exchange:
        """The copy as the engine has it, and in it who calls."""

    @property
    def server(self) -> Address:
        """Where phones register, over UDP."""

    def password(self, line: str) -> str:
        """A new password for a line, with which phones may register for it."""


class TwinMaker(Protocol):
    """Makes them."""

    def __call__(self, line: str, divisor: float = 1.0) -> AbstractAsyncContextManager[Twin]:
        """A twin of the switchboard that `line` belongs to, while the context lasts.

        All ring times are divided by `divisor`. Raises `TooManyTestCalls`, `NotFound`, `StorageError`.
        """
