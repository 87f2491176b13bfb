"""What a line is doing, for the lamps of others: package `dialog` (RFC 4235)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lxml import etree

from sip.packages.documents import printable, written

_NAMESPACE = "urn:ietf:params:xml:ns:dialog-info"


class DialogState(StrEnum):
    """How far a dialog is (§3.7.1)."""

    TRYING = "trying"
    PROCEEDING = "proceeding"
    EARLY = "early"
    "It rings."
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class Direction(StrEnum):
    """Who began it, seen from the line."""

    INITIATOR = "initiator"
    RECIPIENT = "recipient"


@dataclass(frozen=True, slots=True)
class Participant:
    """One end of a dialog."""

    identity: str
    "The URI under which it is known, which a phone shows."
    display_name: str | None = None
    target: str | None = None
    "The URI of its Contact."


@dataclass(frozen=True, slots=True)
class DialogInfo:
    """One dialog of the line."""

    id: str
    "Tells it from the others of the line, from its beginning to its end."
    state: DialogState
    direction: Direction | None = None
    call_id: str | None = None
    local_tag: str | None = None
    remote_tag: str | None = None
    event: str | None = None
    "What led to `state` (§4.1.4): `cancelled`, `rejected`, `replaced`, `local-bye`, …"
    code: int | None = None
    "The status with it, if there was one."
    duration_s: int | None = None
    local: Participant | None = None
    remote: Participant | None = None


@dataclass(frozen=True, slots=True)
class LineDialogs:
    """All dialogs of a line. One that has ended is told as terminated once, and then left out."""

    entity: str
    "The line's URI."
    dialogs: tuple[DialogInfo, ...] = ()


class DialogPackage:
    """Each notification says everything: phones that show lamps get partial documents wrong."""

    name = "dialog"
    content_type = "application/dialog-info+xml"
    default_s = 3600
    interval_s = 0.05
    """RFC 4235 §3.10 recommends a second; but people watch these lamps, and whoever is slow to answer is told
    less often anyway."""

    def body(self, state: LineDialogs, before: LineDialogs | None, version: int) -> bytes:
        """The document (§4)."""
        root = etree.Element(
            f"{{{_NAMESPACE}}}dialog-info",
            {"version": str(version), "state": "full", "entity": state.entity},
            {None: _NAMESPACE},  # type: ignore[dict-item]  # the default namespace; its stubs know no None
        )
        for dialog in state.dialogs:
            _add(root, dialog)
        return written(root)


def _add(root: etree._Element, dialog: DialogInfo) -> None:
    attributes = {
        "id": dialog.id,
        "call-id": dialog.call_id,
        "local-tag": dialog.local_tag,
        "remote-tag": dialog.remote_tag,
        "direction": dialog.direction,
    }
    element = _child(root, "dialog", attributes)
    code = None if dialog.code is None else str(dialog.code)
    _child(element, "state", {"event": dialog.event, "code": code}).text = dialog.state
    if dialog.duration_s is not None:
        _child(element, "duration", {}).text = str(dialog.duration_s)
    for name, participant in (("local", dialog.local), ("remote", dialog.remote)):
        if participant is None:
            continue
        end = _child(element, name, {})
        _child(end, "identity", {"display": participant.display_name}).text = printable(participant.identity)
        if participant.target is not None:
            _child(end, "target", {"uri": participant.target})


def _child(parent: etree._Element, name: str, attributes: dict[str, str | None]) -> etree._Element:
    """A child with those attributes that say something."""
    said = {key: printable(value) for key, value in attributes.items() if value is not None}
    return etree.SubElement(parent, f"{{{_NAMESPACE}}}{name}", said)
