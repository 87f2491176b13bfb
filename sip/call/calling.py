"""Who calls, as a call sees it until somebody has answered: an INVITE that has come, or who is passed on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from sip.call.leg import Leg
from sip.call.outgoing import OutgoingLeg
from sip.message.message import Message
from sip.message.sdp import SessionDescription

Takes: TypeAlias = Callable[[Message | None], None]
"Is told with what the caller takes the answer, its ACK mostly; None: it has not."


class Calling(Protocol):
    """The caller's side of a call, before it is connected."""

    @property
    def offered(self) -> SessionDescription | None:
        """The session that whoever is rung is offered; None: it is to offer one."""

    @property
    def answers_early(self) -> bool:
        """Whether it can answer what somebody offers who only rings (RFC 3262 §5)."""

    @property
    def is_waiting(self) -> bool:
        """Whether it is neither connected nor turned down."""

    def ring(self, leg: OutgoingLeg, early: SessionDescription | None) -> None:
        """Somebody rings; `early`: and there is something to be heard."""

    def answer(self, leg: Leg, description: SessionDescription, takes: Takes) -> None:
        """Somebody has answered."""

    def confirm(self) -> None:
        """What was dialled is done."""

    def turn_down(self, status: int, text: str = "") -> None:
        """Nobody has answered."""
