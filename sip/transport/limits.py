"""What peers may take up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TransportLimits:
    """Of one process. Sources are IPv4 addresses, and IPv6 networks of 64 bits."""

    connections: int = 20_000
    "In all."
    connections_per_source: int = 2_000
    "A site of 200 phones is one address."
    handshakes: int = 500
    "TLS handshakes under way."
    handshake_s: float = 5.0
    message_s: float = 15.0
    "From the first byte of a message to its last; looked at every second."
    silent_s: float = 20.0
    "From a connection's beginning, or the last message, to a message, while nobody wants it kept."
    idle_s: float = 4 * 3600.0
    "The same for a connection that is kept: a phone registers, or at least pings, more often."
    ending_s: float = 5.0
    "How long answers are waited for after the peer has said its last."
    unread_bytes: int = 256 * 1024
    "What may wait for a peer that doesn't read; the connection ends when there would be more."
    connect_s: float = 4.0
    "For a connection that we make."
    messages_per_source: int = 2_000
    """A second, of flows that have not proved themselves; of a source of which some have, five times as many.
    Further datagrams are not looked at, and connections not read before the next second."""
