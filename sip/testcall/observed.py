"""What the phones of a test call have seen with their own eyes: the only thing that a verdict is made of.

A phone is named by its line's number, as its scenario names it. All times are those of `time.monotonic`, in
seconds: one clock for all processes of a machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class By(StrEnum):
    """Who has ended a call that was answered."""

    ITSELF = "itself"
    "The phone that tells of it has hung up."
    OTHER = "other"
    "It was hung up on (BYE)."


class Light(StrEnum):
    """What a lamp shows of a number, the plainest first."""

    DARK = "dark"
    RINGS = "rings"
    TALKS = "talks"


@dataclass(frozen=True, slots=True)
class Display:
    """Who calls, as one header of an INVITE says it. Phones differ in which of them they show."""

    header: str
    "From, P-Asserted-Identity or Remote-Party-ID."
    number: str
    "The user part of its URI."
    name: str = ""
    "Its display name, without quotes; empty: it has none."


@dataclass(frozen=True, slots=True)
class Registered:
    """It is registered, and can be rung."""

    phone: str
    at: float


@dataclass(frozen=True, slots=True)
class Dialled:
    """The caller has sent its INVITE. (The one with credentials is the same call.)"""

    phone: str
    at: float
    number: str


@dataclass(frozen=True, slots=True)
class Progressed:
    """The caller was told that the call goes on: a provisional response other than 100."""

    phone: str
    at: float
    status: int


@dataclass(frozen=True, slots=True)
class Rang:
    """It began to ring."""

    phone: str
    at: float
    call: str
    "Call-ID: one phone may ring for one call more than once."
    displays: tuple[Display, ...]
    "In the order of the message; From is always there."
    alert: str = ""
    "Alert-Info, as it was sent; empty: there was none."


@dataclass(frozen=True, slots=True)
class StoppedRinging:
    """It was told to ring no longer (CANCEL)."""

    phone: str
    at: float
    call: str
    reason: str = ""
    "All Reason headers, joined by a comma; empty: there was none."


@dataclass(frozen=True, slots=True)
class Refused:
    """It has refused the call itself, as its behaviour says."""

    phone: str
    at: float
    call: str
    status: int


@dataclass(frozen=True, slots=True)
class Answered:
    """It has answered, and its answer was acknowledged (ACK); of the caller: it got the answer."""

    phone: str
    at: float
    "When the 200 was sent, or came."
    call: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A tone was recognised in what it hears. Told once for each tone of a call, when it is sure of it."""

    phone: str
    at: float
    call: str
    hz: int
    level_db: float = 0.0
    "Against full scale."


@dataclass(frozen=True, slots=True)
class Ended:
    """A call that it had answered, or that was answered for it, is over."""

    phone: str
    at: float
    call: str
    by: By
    packets: int = 0
    "RTP packets that came."
    lost: int = 0
    "Of those that should have come, as their sequence numbers say."
    jitter_s: float = 0.0
    "Of their arrival (RFC 3550 §6.4.1)."


@dataclass(frozen=True, slots=True)
class TurnedDown:
    """The caller's call was refused with a final response; 487 also where it gave up itself."""

    phone: str
    at: float
    status: int


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The caller has hung up before anybody answered (it has sent CANCEL)."""

    phone: str
    at: float


@dataclass(frozen=True, slots=True)
class Watches:
    """Its SUBSCRIBE to what a number does was answered for good."""

    phone: str
    at: float
    number: str
    status: int


@dataclass(frozen=True, slots=True)
class Lit:
    """A lamp of it shows something else than before (RFC 4235)."""

    phone: str
    at: float
    number: str
    "Whose lamp it is, as what came says."
    light: Light


@dataclass(frozen=True, slots=True)
class Broke:
    """The test phone itself has failed: what is seen of it proves nothing about the exchange."""

    phone: str
    at: float
    what: str
    "For who looks after it, in English."


Observation: TypeAlias = (
    Registered
    | Dialled
    | Progressed
    | Rang
    | StoppedRinging
    | Refused
    | Answered
    | Heard
    | Ended
    | TurnedDown
    | GaveUp
    | Watches
    | Lit
    | Broke
)
