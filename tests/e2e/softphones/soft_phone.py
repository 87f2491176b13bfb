"""What tests want of any client that stays."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from provisioner.virtual_phones.account import Account
from sip.transport.flow import Address
from tests.e2e.softphones.program import Program


class SoftPhone(Protocol):
    """A running client with one account."""

    @property
    def program(self) -> Program:
        """Its process."""

    @property
    def account(self) -> Account:
        """What it registers."""

    @property
    def listens(self) -> Address:
        """Where it is reached."""

    async def registers(self) -> None:
        """Returns when it has been told that it is registered."""

    async def unregister(self) -> None:
        """Ends in order, which takes its binding back."""


Start = Callable[[], AbstractAsyncContextManager[SoftPhone]]
"Starts the same phone, at another port each time."
