"""What can be said of a line on a phone: the binding that it holds now, or what became of the last one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.ladder import Rung

_PINGS = 3
"A phone that was not heard for as long as so many questions take is not called reachable."
_KEPT_S = 15
"How long it may take until it is stored that it was heard."


@dataclass(frozen=True, slots=True)
class Sight:
    """When it is looked."""

    now: datetime
    lately: datetime
    "What was heard after this moment was heard lately."


def sight(installation: Installation) -> Sight:
    """A look that is taken now."""
    now = utc_now()
    return Sight(now, now - timedelta(seconds=_PINGS * installation.settings.sip.ping_s + _KEPT_S))


class State(StrEnum):
    """What can be said of a line on a phone now."""

    REACHABLE = "reachable"
    "Registered, and it answered us lately."
    REGISTERED = "registered"
    "Its binding has not run out; more is not known."
    UNREACHABLE = "unreachable"
    "Registered, but it did not answer when it was asked last."
    EXPIRED = "expired"
    "It did not come again in time."
    UNREGISTERED = "unregistered"
    "It has said goodbye."
    DISPLACED = "displaced"
    "Another binding took its place."
    REVOKED = "revoked"
    "Its line has another password since."
    NEVER = "never"
    "Nothing is known of it."


LIVE = frozenset({State.REACHABLE, State.REGISTERED, State.UNREACHABLE})
"Registered, all of them."


class Difference(StrEnum):
    """What a phone says of itself over SIP otherwise than it is listed, or than it said over HTTP."""

    MODEL = "model"
    FIRMWARE = "firmware"
    MAC = "mac"


@dataclass(frozen=True, slots=True)
class Device:
    """The listed phone, as provisioning knows it."""

    mac: str
    model: str
    name: str
    firmware: str | None
    "What it said last when it fetched."


@dataclass(frozen=True, slots=True)
class Registration:
    """A line on a phone: the binding that it holds, or what became of the last one."""

    line: str
    customer: str
    "The customer's login."
    extension: str | None
    name: str
    "Of the extension, or of the phone."
    device: Device | None
    "None: no listed phone is known to hold it."
    state: State
    rungs: tuple[Rung, ...]
    "Of the phone's ladder."
    model: str | None
    "What the phone says of itself in SIP; None: it does not."
    firmware: str | None
    differences: tuple[Difference, ...]
    user_agent: str | None
    contact: str | None
    "This and the next two also tell of the last binding, where there is none now."
    transport: str | None
    source: str | None
    "`host:port` that it came from."
    since: datetime | None
    "When the binding was made."
    until: datetime | None
    "When it runs out, or did."
    ended_at: datetime | None
    "When there was no binding any more."
    refreshed_at: datetime | None
    refreshes: int
    heard_at: datetime | None
    "When anything came from it last."
    rtt_ms: int | None

    @property
    def is_live(self) -> bool:
        """Whether it is registered."""
        return self.state in LIVE
