"""The flow of datagrams between two addresses (RFC 5626 §2)."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

from sip.transport.flow import Address, Transport

Place: TypeAlias = tuple[Any, ...]
"An address as sockets write it: with IPv6 it has four parts."


class Sender(Protocol):
    """A socket."""

    is_open: bool

    def send(self, data: bytes, local: Address, place: Place) -> bool:
        """Sends one datagram from `local`."""


class UdpFlow:
    """The way between one of our addresses and one of theirs."""

    __slots__ = ("_endpoint", "_place", "asked_bytes", "local", "remote")

    transport = Transport.UDP

    def __init__(self, endpoint: Sender, local: Address, place: Place, asked_bytes: int = 0) -> None:
        self._endpoint = endpoint
        self._place = place
        "As sockets name the peer: of a link-local IPv6 address they say on which link."
        self.local = local
        self.remote = Address(place[0], place[1])
        self.asked_bytes = asked_bytes
        "Length of the datagram that came by it, which an answer is measured by."

    @property
    def is_open(self) -> bool:
        """As long as we listen."""
        return self._endpoint.is_open

    def send(self, data: bytes) -> bool:
        """One datagram; False where the system has no room for it, or no way there."""
        return self._endpoint.send(data, self.local, self._place)

    def to_port(self, port: int) -> UdpFlow:
        """The same way to another port there."""
        place = (self._place[0], port, *self._place[2:])
        return UdpFlow(self._endpoint, self.local, place, self.asked_bytes)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, UdpFlow)
            and self.remote == other.remote
            and self.local == other.local
            and self._endpoint is other._endpoint
        )

    def __hash__(self) -> int:
        return hash(self.remote)

    def __repr__(self) -> str:
        return f"<udp {self.local} {self.remote}>"
