"""What a leg tells of its peer, once it is established."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sip.message.values import Reason
from sip.transaction.machine import ServerTransaction

if TYPE_CHECKING:
    from sip.call.leg import Leg


class LegUser(Protocol):
    """Who is told what the peer of an established leg does."""

    def hung_up(self, leg: Leg, reasons: tuple[Reason, ...]) -> None:
        """It has sent BYE, and has its answer."""

    def lost(self, leg: Leg, status: int = 487) -> None:
        """It knows nothing of the dialog any more, or does not answer. `status`: what its INVITE gets."""

    def renegotiates(self, leg: Leg, transaction: ServerTransaction) -> None:
        """It wants the session changed, or offered anew; to be accepted or refused."""

    def refers(self, leg: Leg, transaction: ServerTransaction) -> None:
        """It wants the other side to be connected with somebody else (REFER); to be answered."""

    def informs(self, leg: Leg, transaction: ServerTransaction) -> None:
        """It has sent INFO; to be answered."""
