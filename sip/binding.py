"""What a registrar keeps of a phone, and what happens to it (RFC 3261 §10)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import TypeAlias

from sip.message.uri import Uri, parse_uri
from sip.transport.flow import Address, Transport

Key: TypeAlias = tuple[str, str | None, int | None]
"Contact, instance and reg-id: what tells the bindings of one AOR apart."


@dataclass(frozen=True, slots=True)
class Binding:
    """One Contact registered for an AOR, until it lapses.

    All times are loop time, in seconds. Texts are those that came, and hold nothing that can't be printed.
    """

    contact: str
    "The URI where requests for the AOR are sent, as the phone wrote it."
    call_id: str
    cseq: int
    "Of the REGISTER that was heeded last; orders those of one Call-ID."
    transport: Transport
    remote: Address
    "Where the REGISTER came from. Behind a NAT it is where the phone is reached, whatever `contact` says."
    local: Address
    "Our end of that flow."
    registered_at: float
    refreshed_at: float
    expires_at: float
    instance: str | None = None
    "Which device it is, whatever its address: `<urn:uuid:…>` (RFC 5626 §4.1)."
    reg_id: int | None = None
    "Which of the device's flows it is, from 1 (RFC 5626 §4.2)."
    q: float | None = None
    "How much it is preferred, 0 to 1; None, which counts as 1: not said."
    path: tuple[str, ...] = ()
    "The proxies to go through on the way to it, each in `<>` (RFC 3327)."
    user_agent: str | None = None
    refreshes: int = 0
    "How often it was refreshed or moved since `registered_at`."
    device_id: int | None = None
    "Which device the caller takes it for; means nothing here."

    @property
    def key(self) -> Key:
        """What tells it from the other bindings of its AOR."""
        return self.contact, self.instance, self.reg_id

    @property
    def way(self) -> tuple[Transport, Address, Address, tuple[str, ...]]:
        """How it is reached: its flow, and the proxies on the way."""
        return self.transport, self.remote, self.local, self.path

    @property
    def uri(self) -> Uri:
        """`contact`, read."""
        return parse_uri(self.contact)

    def remaining_s(self, now: float) -> int:
        """Seconds until it lapses, rounded up: 0 if it has lapsed, and only then."""
        # Loop time has parts of a second, and their sums are not exact.
        return max(0, ceil(self.expires_at - now - 1e-6))


class ChangeKind(StrEnum):
    """What happened to a binding."""

    REGISTERED = "registered"
    "It is new."
    REFRESHED = "refreshed"
    "It goes on: its key is the same, and its flow."
    MOVED = "moved"
    "The same phone, by its Contact or its instance, has another flow, and perhaps another key."
    UNREGISTERED = "unregistered"
    "The phone has taken it back."
    EXPIRED = "expired"
    DISPLACED = "displaced"
    "It went because its phone came back with another, or was out of reach where room was needed."
    REVOKED = "revoked"
    "The password that it was made with is no longer the line's."
    REACHABLE = "reachable"
    "Its phone answers."
    UNREACHABLE = "unreachable"
    "Its phone has not answered several times."
    FLAPPING = "flapping"
    "It comes, goes or moves all the time."


ENDS = frozenset(
    {ChangeKind.UNREGISTERED, ChangeKind.EXPIRED, ChangeKind.DISPLACED, ChangeKind.REVOKED}
)
"After these the binding is no more."


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to a binding."""

    kind: ChangeKind
    aor: str
    "The key of the AOR, as the caller names it."
    binding: Binding
    "As it is now, or was last."
    at: float
    "Loop time, in seconds."
    before: Binding | None = None
    "What a refreshed or moved binding was before."
    rtt_s: float | None = None
    "How long the answer took that made it reachable."
