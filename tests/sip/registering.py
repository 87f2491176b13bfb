"""REGISTERs as phones send them, and what the registrar makes of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sip.binding import Binding, ChangeKind, Key
from sip.message.message import Request
from sip.registrar import Decision, Origin, register
from sip.registrar_contact import Limits
from sip.transport.flow import Address, Transport
from tests.sip.message.messages import request, wire

AOR = "48223809887"
NOW = 1_000.0
SERVER = Address("192.0.2.1", 5060)
PHONE = Address("192.0.2.20", 5062)
UDP = Origin(Transport.UDP, PHONE, SERVER)
LIMITS = Limits(default_s=3600, min_s=60, max_s=7200, jitter=0.0, bindings=3)


def origin(host: str = PHONE.host, port: int = PHONE.port, transport: Transport = Transport.UDP) -> Origin:
    """A flow from there to the server."""
    return Origin(transport, Address(host, port), SERVER)


def a_register(
    *contacts: str,
    cseq: int = 1,
    call_id: str = "one@phone",
    expires: str | None = None,
    user_agent: str | None = "Yealink SIP-T46S 66.86.0.15",
    vias: int = 1,
    **more: str,
) -> Request:
    """A REGISTER. `more` are other headers, underscores for hyphens."""
    head = ["REGISTER sip:pbx.example.com SIP/2.0"]
    head += [f"Via: SIP/2.0/UDP 192.0.2.20:5062;branch=z9hG4bK{cseq}{hop}" for hop in range(vias)]
    head += [
        f"From: <sip:{AOR}@pbx.example.com>;tag=1",
        f"To: <sip:{AOR}@pbx.example.com>",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} REGISTER",
    ]
    head += [f"Contact: {contact}" for contact in contacts]
    head += [] if expires is None else [f"Expires: {expires}"]
    head += [] if user_agent is None else [f"User-Agent: {user_agent}"]
    head += [f"{name.replace('_', '-')}: {value}" for name, value in more.items()]
    return request(wire("\n".join(head)))


@dataclass
class Registrar:
    """The bindings of one AOR, and a registrar that stores at once."""

    limits: Limits = LIMITS
    chance: float = 0.0
    now: float = NOW
    bindings: tuple[Binding, ...] = ()
    decisions: list[Decision] = field(default_factory=list)

    def take(self, message: Request, by: Origin = UDP, dead: Iterable[Key] = ()) -> Decision:
        """One REGISTER is decided and done. Raises what `register` raises."""
        decision = register(
            message, AOR, by, self.bindings, self.now, self.limits, lambda: self.chance, dead=frozenset(dead)
        )
        self.bindings = decision.bindings
        self.decisions.append(decision)
        return decision

    @property
    def contacts(self) -> list[str]:
        return [each.contact for each in self.bindings]


def kinds(decision: Decision) -> list[ChangeKind]:
    """What a REGISTER did, in order."""
    return [change.kind for change in decision.changes]


def contacts(decision: Decision) -> list[str]:
    """The Contacts of the 200."""
    return [value for name, value in decision.headers if name == "Contact"]
