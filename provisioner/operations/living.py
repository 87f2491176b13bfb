"""How live test calls get into the living switchboard: its server lets them in (`provisioner.pbx.live`)."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Protocol

from provisioner.centrex.errors import CentralkaError
from provisioner.centrex.exchange import Exchange
from sip.testcall.account import Account
from sip.testcall.witness import Witness


class LiveTestGoesOn(CentralkaError):
    """People's phones ring for a test already."""

    code = "live-test-goes-on"

    def __init__(self) -> None:
        super().__init__("a live test call goes on already: wait until it is over, then repeat this")


class LivingCompany(Protocol):
    """A customer's living switchboard, and in it one more who can call, and whom nobody can."""

    @property
    def exchange(self) -> Exchange:
        """As the engine has it, and in it who calls."""

    @property
    def account(self) -> Account:
        """With which the caller registers: nobody else knows it, and it ends with the test."""

    def is_engaged(self, line: str) -> bool:
        """Whether a line is in as many calls as it may be, or its site is."""

    def watched(self) -> AbstractContextManager[Witness]:
        """Sees what the phones do in the caller's next call, while the context lasts."""

    def hang_up(self) -> None:
        """Ends the caller's calls."""


class Living(Protocol):
    """The way to them."""

    def phones(self, line: str) -> int:
        """How many phones of a line are registered."""

    def company(self, line: str) -> AbstractAsyncContextManager[LivingCompany]:
        """That of which the line is, for one test. What is left of its calls when that ends is hung up.

        Raises `LiveTestGoesOn`, `NotFound`, `Conflict`, `StorageError`.
        """
