"""What a test phone has to know to register."""

from __future__ import annotations

from dataclasses import dataclass, field

from sip.transport.flow import Address


@dataclass(frozen=True, slots=True)
class Account:
    """A line of the exchange that is tested."""

    number: str
    "User of the AOR and of the digest; the phone is named so."
    password: str = field(repr=False)
    server: Address
    "Where it registers, over UDP."
    host: str = "127.0.0.1"
    "The address of the phone itself."
