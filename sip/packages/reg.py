"""Registration state: package `reg` (RFC 3680)."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from sip.binding import Binding
from sip.message import lexer
from sip.packages.documents import identifier, written

_NAMESPACE = "urn:ietf:params:xml:ns:reginfo"


@dataclass(frozen=True, slots=True)
class Registration:
    """The bindings of an AOR."""

    aor: str
    "Its URI."
    bindings: tuple[Binding, ...]
    at: float
    "When this was so, in loop time: the document says for how long, and how much longer."


class RegPackage:
    """The first notification says everything, the others what is new."""

    name = "reg"
    content_type = "application/reginfo+xml"
    default_s = 3761

    def __init__(self, interval_s: float = 5.0) -> None:
        """`interval_s`: the least time between two notifications of one subscription (§4.10)."""
        self.interval_s = interval_s

    def body(self, state: Registration, before: Registration | None, version: int) -> bytes:
        """The document (§5)."""
        known = {} if before is None else {binding.key: binding for binding in before.bindings}
        root = etree.Element(
            f"{{{_NAMESPACE}}}reginfo",
            {"version": str(version), "state": "full" if before is None else "partial"},
            {None: _NAMESPACE},  # type: ignore[dict-item]  # the default namespace; its stubs know no None
        )
        registration = etree.SubElement(
            root,
            f"{{{_NAMESPACE}}}registration",
            {"aor": state.aor, "id": identifier(state.aor), "state": _state(state, before)},
        )
        for binding in state.bindings:
            if known.get(binding.key) != binding:
                _add(registration, binding, "active", _event(binding, known.get(binding.key)), state.at)
        held = {binding.key for binding in state.bindings}
        for key, binding in known.items():
            if key not in held:
                event = "expired" if binding.expires_at <= state.at else "unregistered"
                _add(registration, binding, "terminated", event, state.at)
        return written(root)


def _state(state: Registration, before: Registration | None) -> str:
    """Of the AOR (§3.2)."""
    if state.bindings:
        return "active"
    return "terminated" if before is not None and before.bindings else "init"


def _event(binding: Binding, before: Binding | None) -> str:
    """What made the Contact what it is (§3.3); `before`: what is known of it."""
    if before is None:
        return "refreshed" if binding.refreshes else "registered"
    return "refreshed" if before.registered_at == binding.registered_at else "registered"


def _add(parent: etree._Element, binding: Binding, state: str, event: str, at: float) -> None:
    attributes = {
        "id": identifier(binding.key),
        "state": state,
        "event": event,
        "duration-registered": str(max(0, int(at - binding.registered_at))),
        "callid": binding.call_id,
        "cseq": str(binding.cseq),
    }
    if state == "active":
        attributes["expires"] = str(binding.remaining_s(at))
    if binding.q is not None:
        attributes["q"] = f"{binding.q:g}"
    contact = etree.SubElement(parent, f"{{{_NAMESPACE}}}contact", attributes)
    etree.SubElement(contact, f"{{{_NAMESPACE}}}uri").text = binding.contact
    if binding.instance is not None:
        _add_parameter(contact, "+sip.instance", lexer.quoted(binding.instance))
        if binding.reg_id is not None:
            _add_parameter(contact, "reg-id", str(binding.reg_id))


def _add_parameter(contact: etree._Element, name: str, value: str) -> None:
    etree.SubElement(contact, f"{{{_NAMESPACE}}}unknown-param", {"name": name}).text = value
