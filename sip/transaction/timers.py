"""How long transactions wait (RFC 3261 §17.1.1.1, table 4; RFC 6026 §8.7). All in seconds."""

from __future__ import annotations

from dataclasses import dataclass

from sip.transport.flow import Transport

TRYING_S = 0.2
"How long the user of an INVITE may think before the transaction says 100 (§17.2.1)."
_LEAST_D_S = 32.0


@dataclass(frozen=True, slots=True)
class Timers:
    """The three that are given. What follows from them has the letters of the RFC."""

    t1_s: float = 0.5
    "About a round trip: after this long a request is sent again, then after twice as long."
    t2_s: float = 4.0
    "The longest between two of the same, but for an INVITE."
    t4_s: float = 5.0
    "The longest that a message stays in the network."

    @property
    def give_up_s(self) -> float:
        """B, F, H, L and M: how long a peer may be silent, or what it repeats may come. 32 s."""
        return 64 * self.t1_s

    def d_s(self, transport: Transport) -> float:
        """How long an INVITE's refusal may come again."""
        return 0.0 if transport.is_reliable else max(_LEAST_D_S, 64 * self.t1_s)

    def i_s(self, transport: Transport) -> float:
        """How long the ACK of a refusal may come again."""
        return 0.0 if transport.is_reliable else self.t4_s

    def j_s(self, transport: Transport) -> float:
        """How long a request may come again that has been answered."""
        return 0.0 if transport.is_reliable else 64 * self.t1_s

    def k_s(self, transport: Transport) -> float:
        """How long a final response may come again."""
        return 0.0 if transport.is_reliable else self.t4_s
