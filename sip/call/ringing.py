"""Whom a call rings, and when: what the engine and the machines that decide it say to each other.

A `Ringing` is a machine without I/O: told what became of the phones that it has had rung, it says which ring
next. The engine does the rest: it sends the INVITEs, forks to the bindings of an AOR, and where somebody has
answered or the caller has hung up it stops the others itself, and asks nothing more. All times are loop time,
in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeAlias

from sip.message.uri import Uri


class Outcome(StrEnum):
    """What became of somebody who was rung, without an answer."""

    BUSY = "busy"
    "In a call, or not to be disturbed (486, 600)."
    FULL = "full"
    "In as many calls as its line may have at once."
    SITE_FULL = "site-full"
    "Where it is go on as many calls as may."
    DECLINED = "declined"
    "Somebody has turned the call down (603)."
    NO_ANSWER = "no-answer"
    "It rang, and its time is over (or 408, 480, 487 of its own)."
    UNREACHABLE = "unreachable"
    "Nothing is registered, or nothing came back from where it was sent."
    REFUSED = "refused"
    "It can't take this call (any other final response)."
    MOVED = "moved"
    "It wants the call to go elsewhere (3xx)."


class Why(StrEnum):
    """Why somebody stops ringing whom nobody has answered."""

    ELSEWHERE = "elsewhere"
    "Somebody else has answered: no missed call (RFC 3326)."
    NO_ANSWER = "no-answer"
    "Its time is over."
    GIVEN_UP = "given-up"
    "The caller has hung up."


class Caller(NamedTuple):
    """Who calls, as one who is rung is to see it."""

    number: str
    "Of an extension, a group or a line; empty: nobody is to see it."
    name: str = ""
    "Empty: there is none to be shown."
    is_hidden: bool = False
    "Wishes that nobody sees who it is (RFC 3323). A group may still be named that is called."


class Membership(NamedTuple):
    """As whom of a hunt group somebody is rung."""

    group: str
    "The group's number."
    member: str
    "The number of an extension, or of a group in it."


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody to be rung."""

    aor: str
    "Key of `sip.location`; with `uri`, only what it is called."
    caller: Caller
    number: str = ""
    "The extension that it is rung as; empty: none."
    memberships: tuple[Membership, ...] = ()
    "The groups that it is rung for, outermost first."
    alert: str = ""
    "What its Alert-Info says of how to ring; empty: as always."
    uri: Uri | None = None
    "Where it is, instead of its bindings: a gateway."


@dataclass(frozen=True, slots=True)
class Ending:
    """How it ended with one who was rung."""

    outcome: Outcome
    status: int | None = None
    "What it has said, if anything."
    moved_to: tuple[Uri, ...] = ()
    "With `MOVED`: the Contacts of its 3xx, best first."


@dataclass(frozen=True, slots=True)
class Ring:
    """Is to be rung, until it is stopped or has ended. One without bindings has ended at once."""

    id: int
    "Unique within the call."
    target: Target


@dataclass(frozen=True, slots=True)
class Stop:
    """Is to ring no longer. What comes from it after that is told to nobody."""

    id: int
    why: Why


@dataclass(frozen=True, slots=True)
class Skip:
    """Would be rung now, and isn't: nothing is to be done, but that it is told of."""

    target: Target
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Nobody is left to be rung: the caller is refused. The last step of all."""

    outcome: Outcome
    status: int
    "Of the refusal."
    text: str = ""
    "Its reason phrase; empty: that of the status."


@dataclass(frozen=True, slots=True)
class Confirm:
    """What was dialled is done: the caller is answered and hung up. The last step of all."""


Step: TypeAlias = Ring | Stop | Skip | GivenUp | Confirm


class Ringing(Protocol):
    """Decides whom one call rings. After a `GivenUp` or `Confirm` it is asked nothing more."""

    @property
    def deadline(self) -> float | None:
        """When `timer` is to be called; None: not before something has ended."""

    def start(self, now: float) -> list[Step]:
        """Begins; to be called once."""

    def ended(self, id: int, ending: Ending, now: float) -> list[Step]:
        """One that was rung has ended by itself. Told of one that was stopped, it does nothing."""

    def timer(self, now: float) -> list[Step]:
        """What is due at `now`."""
