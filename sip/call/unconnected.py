"""A leg that is between two calls, or not yet in one."""

from __future__ import annotations

from sip.call.errors import NotYet
from sip.call.leg import Leg
from sip.transaction.machine import ServerTransaction


class Unconnected:
    """What it can't ask for: there is nobody yet to agree with. Of `LegUser`."""

    def renegotiates(self, leg: Leg, transaction: ServerTransaction) -> None:
        """Nobody would answer."""
        raise NotYet("nobody has answered yet")

    def refers(self, leg: Leg, transaction: ServerTransaction) -> None:
        """Nobody could be passed on."""
        raise NotYet("nobody has answered yet")

    def informs(self, leg: Leg, transaction: ServerTransaction) -> None:
        """Nobody would be told."""
        raise NotYet("nobody has answered yet")
