"""What a Contact of a REGISTER asks for, checked, and what it gets (RFC 3261 §10.3, RFC 5626 §6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from sip.message.address import Contact
from sip.message.message import Request
from sip.message.uri import SipUri, canonical_host
from sip.registrar_errors import BadContact, FirstHopLacksOutbound, IntervalTooBrief, NotStorable, OwnContact
from sip.transport.flow import Address

_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Limits:
    """What a registrar grants."""

    default_s: int = 3600
    "For who asks for no time."
    min_s: int = 60
    max_s: int = 3600
    jitter: float = 0.1
    "The largest part of the time that is taken off by chance, so that phones don't come back all at once."
    bindings: int = 10
    "Contacts of one AOR."
    text: int = 1024
    "Bytes, in UTF-8, of a Contact, Call-ID, instance or Path that is kept. An index takes two of them."
    user_agent: int = 200
    "Characters of a User-Agent that are kept; the rest is cut off."
    flow_timer_s: int | None = 120
    "How often a phone that keeps a flow open by outbound is to be heard (RFC 5626 §4.4)."
    is_path_strict: bool = False
    """Whether a Path is refused where the phone does not say that it supports it, as RFC 3327 §5.3 advises.
    Proxies stand before phones that have never heard of it, hence no."""
    own: frozenset[Address] = frozenset()
    "Where this server is reached, hosts in lower case. A Contact there is refused."


class Outbound:
    """How far RFC 5626 goes for a request. Most phones never ask, so nothing is read before it is needed."""

    __slots__ = ("_request",)

    def __init__(self, request: Request) -> None:
        self._request = request

    @property
    def is_direct(self) -> bool:
        """Whether no proxy stands between."""
        return len(self._request.via) == 1

    @property
    def is_asked(self) -> bool:
        """Whether the phone wants it."""
        return supports(self._request, "outbound")

    @property
    def _keeps_flows(self) -> bool:
        """Whether the phone's next hop keeps its flow: we, or a proxy that says `ob`."""
        if self.is_direct:
            return True
        # Proxies put themselves on top, so the phone's is the last.
        path = self._request.path
        return bool(path) and isinstance(uri := path[-1].uri, SipUri) and uri.parameters.has("ob")

    def reg_id(self, contact: Contact) -> int | None:
        """The reg-id, where it counts. Raises `FirstHopLacksOutbound`."""
        reg_id = contact.reg_id
        if not reg_id or contact.instance is None:
            # Without an instance it says nothing (RFC 5626 §6).
            return None
        if self._keeps_flows:
            return reg_id
        if self.is_asked:
            raise FirstHopLacksOutbound
        return None


@dataclass(frozen=True, slots=True)
class Asked:
    """A Contact that can be kept."""

    uri: SipUri
    text: str
    "`uri` as it came."
    instance: str | None
    reg_id: int | None
    granted_s: int
    "0: it is taken back."
    q: float | None

    @classmethod
    def of(
        cls,
        contact: Contact,
        expires_s: int | None,
        outbound: Outbound,
        limits: Limits,
        local: Address,
        chance: Callable[[], float],
    ) -> Self:
        """`expires_s` is the Expires header's, which is asked for where the Contact says nothing itself.

        Raises `RegisterRefused`.
        """
        uri, text = _checked(contact, limits, local)
        instance = contact.instance
        if instance is not None:
            storable(instance, "+sip.instance", limits)
        own_s = contact.expires_s
        granted_s = _granted_s(expires_s if own_s is None else own_s, limits, chance)
        return cls(uri, text, instance, outbound.reg_id(contact), granted_s, contact.q)


def _granted_s(asked_s: int | None, limits: Limits, chance: Callable[[], float]) -> int:
    """Seconds to grant; `None` asks for our default. Zero, which removes the binding, is always granted.

    Raises `IntervalTooBrief` (step 7: only what is shorter than an hour may be refused).
    """
    if asked_s is None:
        asked_s = limits.default_s
    elif asked_s == 0:
        return 0
    elif asked_s < limits.min_s and asked_s < _HOUR_S:
        raise IntervalTooBrief(limits.min_s)
    most_s = min(asked_s, limits.max_s)
    # Never more than was asked for, and never so little that asking for the same again would be refused.
    least_s = min(most_s, max(limits.min_s, int(most_s * (1 - limits.jitter))))
    return most_s - int((most_s - least_s + 1) * chance())


def _checked(contact: Contact, limits: Limits, local: Address) -> tuple[SipUri, str]:
    """The Contact's URI. Raises `RegisterRefused` where nothing can, or may, be sent there."""
    uri = contact.uri
    if not isinstance(uri, SipUri):
        raise BadContact("a Contact is a sip or sips URI here")
    default_port = 5061 if uri.is_secure or uri.transport == "tls" else 5060
    at = Address(canonical_host(uri.host).strip("[]"), uri.port or default_port)
    if at == local or at in limits.own:
        raise OwnContact("the Contact names this server, not the phone")
    return uri, storable(str(uri), "Contact", limits)


def supports(request: Request, tag: str) -> bool:
    """Whether the phone speaks of this extension. `tag` is lower case."""
    return any(each.lower() == tag for each in (*request.supported, *request.require))


def storable(text: str, name: str, limits: Limits) -> str:
    """`text`, if a row of a table and a page can hold it. Raises `NotStorable`."""
    # What can't be printed may not be UTF-8, either.
    if not text.isprintable() or len(text.encode()) > limits.text:
        raise NotStorable(f"{name} is longer than {limits.text} bytes, or not printable")
    return text
