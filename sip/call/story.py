"""What happens to calls, told as it happens: for records, for lamps, and for people.

Of each call it is told that it began, and in the end, once, that it ended; likewise of each leg that nobody
has answered, and that before its call has ended. All times are loop time, in seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from sip.call.ringing import Ending, Target, Why
from sip.dialog import DialogId


class EndedBy(StrEnum):
    """Why a call is over."""

    CALLER = "caller"
    "The caller has hung up, or gave up before anybody answered."
    CALLEE = "callee"
    "Whoever answered has hung up."
    NOBODY = "nobody"
    "Nobody answered; the status says what the caller was told."
    OPERATOR = "operator"
    "Somebody ended it from outside."
    VANISHED = "vanished"
    "A phone has not answered for too long, or its connection is gone."
    FAILED = "failed"
    "The phones could not agree, or one broke the rules."
    SERVICE = "service"
    "What was dialled was a code: it is done."
    TRANSFERRED = "transferred"
    "It goes on as another call."
    STOPPED = "server-stopped"
    "The server was stopped, and has hung up on everybody."
    RESTARTED = "server-restarted"
    """The server has ended, and nobody knows more: the phones may have talked on without it. No call says
    this of itself; a server says it of those that it finds from the one before."""


@dataclass(frozen=True, slots=True)
class CallBegan:
    """A line calls somebody."""

    call: UUID
    aor: str
    "The caller's line."
    dialled: str
    "What was dialled, as its phone said it."
    sip_call_id: str
    "Call-ID of the caller's dialog: its phone logs the call under it."
    at: float


@dataclass(frozen=True, slots=True)
class LegBegan:
    """Somebody is tried: all phones of a line at once, if it has any."""

    call: UUID
    leg: UUID
    target: Target
    phones: int
    "How many are asked; none where it is not registered."
    at: float
    call_ids: tuple[str, ...] = ()
    "Call-ID of the dialog with each of them, where it was us who asked."


@dataclass(frozen=True, slots=True)
class LegRang:
    """The first of its phones rings."""

    call: UUID
    leg: UUID
    at: float
    dialog: DialogId | None = None
    "The early dialog with that phone."


@dataclass(frozen=True, slots=True)
class LegEnded:
    """It is over without an answer. One that has answered ends with its call."""

    call: UUID
    leg: UUID
    reason: Ending | Why
    "How it ended by itself, or why it was stopped."
    at: float


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """The first phone has answered. All other legs are stopped."""

    call: UUID
    leg: UUID
    at: float


@dataclass(frozen=True, slots=True)
class CallEnded:
    """It is over, and nothing is told of it any more."""

    call: UUID
    by: EndedBy
    status: int
    "What the caller was told: 200 for a call that was answered, 487 for one that was given up."
    at: float


Event: TypeAlias = CallBegan | LegBegan | LegRang | LegEnded | CallAnswered | CallEnded
Tell: TypeAlias = Callable[[Event], None]
"Is told each event at once. It must return at once, and not call back."
