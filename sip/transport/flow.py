"""A flow: the way on which a message came, and on which its answer goes (RFC 3261 §18.2.2, RFC 5626 §2)."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, Protocol

LARGEST_DATAGRAM = 1300
"Bytes of a request that go by UDP: 200 less than what passes an Ethernet in one piece (RFC 3261 §18.1.1)."


class Transport(StrEnum):
    """What carries messages."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"

    @property
    def is_reliable(self) -> bool:
        """Whether nothing that is sent gets lost on the way, so that nobody has to send it again."""
        return self is not Transport.UDP


class Address(NamedTuple):
    """Where somebody is: an IP address without brackets, and a port."""

    host: str
    port: int

    @property
    def uri_host(self) -> str:
        """The host as URIs and Via write it."""
        return f"[{self.host}]" if ":" in self.host else self.host

    def __str__(self) -> str:
        """As URIs and Via write it."""
        return f"{self.uri_host}:{self.port}"


class Flow(Protocol):
    """One way to one peer. Flows are equal if they are the same way: hashable, for a process's life."""

    @property
    def transport(self) -> Transport:
        """What carries it."""

    @property
    def local(self) -> Address:
        """Our end: where the peer reaches us."""

    @property
    def remote(self) -> Address:
        """The peer's end, as we see it: behind a NAT this is not what the peer believes."""

    @property
    def is_open(self) -> bool:
        """Whether anything sent still has a chance to arrive. A UDP flow is open as long as its socket."""

    def send(self, data: bytes) -> bool:
        """Hands a whole message to the system; False where it can't be taken. Never raises or waits."""
