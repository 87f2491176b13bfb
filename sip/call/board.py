"""The switchboard: what all calls share, and where a leg finds its way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from sip.call.ringing import Caller, Target
from sip.call.story import Tell
from sip.call.wire import Wire
from sip.dialog import DialogId
from sip.message.message import Message, Request
from sip.message.uri import Uri
from sip.transport.flow import Flow

if TYPE_CHECKING:
    from sip.call.call import Call
    from sip.call.leg import Leg
    from sip.call.transfer import Transfer

METHODS = ("ACK", "BYE", "CANCEL", "INFO", "INVITE", "OPTIONS", "PRACK", "REFER", "UPDATE")
"What a phone may send in a dialog with us."

_ALLOW = ", ".join(METHODS)
_SUPPORTED = "replaces, timer"

HOPS = 70
"Max-Forwards of what begins here (§8.1.1.6)."

LegKey: TypeAlias = tuple[str, str]
"Call-ID and our tag: what finds the leg of a request."


@dataclass(frozen=True, slots=True)
class Place:
    """A phone of somebody who is to be rung."""

    contact: Uri
    "Where it says that it is: the Request-URI."
    flow: Flow
    "The way to it."
    path: tuple[str, ...] = ()
    "The proxies to go through, each in `<>` (RFC 3327)."


Present: TypeAlias = Callable[[str, str], Caller]
"Who a line is, as another one may see it."

Places: TypeAlias = Callable[[Target], Sequence[Place]]
"Where the phones of a target are that can be reached now."

Refer: TypeAlias = "Callable[[Transfer], None]"
"Finds out whom a transfer rings, and says so by `Calls.forward` or `Calls.refuse`, but not at once."


class Board:
    """One for all calls of a process."""

    __slots__ = ("_present", "calls", "legs", "places", "refer", "tell", "wire")

    def __init__(self, wire: Wire, places: Places, tell: Tell, refer: Refer, present: Present) -> None:
        self._present = present
        self.wire = wire
        self.refer = refer
        self.places = places
        self.tell = tell
        self.legs: dict[LegKey, Leg] = {}
        self.calls: dict[UUID, Call] = {}

    def shown(self, leg: Leg, to: str) -> Caller:
        """Who one side of a call is, as the line `to` may see it."""
        return self._present(leg.aor, to) if leg.shown_as is None else leg.shown_as

    def extension_of(self, leg: Leg) -> str:
        """The extension that its line is; empty: none."""
        own = self._present(leg.aor, leg.aor).number
        return own if own != leg.aor else ""


def leg_key(request: Request) -> LegKey:
    """Of the leg that a request is for."""
    dialog = DialogId.of_request(request)
    return dialog.call_id, dialog.local_tag


def capable(message: Message) -> None:
    """Says in `message` what we take in a dialog (§13.2.1, §13.3.1)."""
    message.headers.add("Allow", _ALLOW)
    message.headers.add("Supported", _SUPPORTED)
