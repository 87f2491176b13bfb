"""Telling a phone that its files have changed: NOTIFY with `Event: check-sync`, out of any dialog.

No RFC has this event; phones of many vendors know it. `reboot=true` makes the phone start anew,
`reboot=false` fetch its files (older firmware starts anew by either). Nobody subscribes to it, so nothing is
kept of it here.
"""

from __future__ import annotations

from enum import Enum, auto

from sip.binding import Binding
from sip.message.message import Request
from sip.message.parameters import Parameters
from sip.message.uri import SipUri
from sip.message.values import Event, SubscriptionState
from sip.out_of_dialog import request_to
from sip.transport.flow import Flow

_TERMINATED = SubscriptionState("terminated")
"There is no subscription that would go on (RFC 6665 §8.2.3)."


def check_sync(
    aor: SipUri,
    binding: Binding,
    flow: Flow,
    *,
    reboot: bool,
    call_id: str,
    tag: str,
) -> Request:
    """The NOTIFY for one binding of `aor`, without Via, which the transaction puts on top.

    `flow` is the way to it. `call_id` and `tag` are new for each.
    """
    request = request_to("NOTIFY", aor, binding, flow, call_id=call_id, tag=tag)
    request.event = Event("check-sync", Parameters((("reboot", "true" if reboot else "false"),)))
    request.subscription_state = _TERMINATED
    return request


class Heard(Enum):
    """What an answer to a check-sync means."""

    ACCEPTED = auto()
    "The phone has heard; whether it does anything, its fetch will show."
    REFUSED = auto()
    "It will not hear the same better the next time."
    UNHEARD = auto()
    "Nobody answered, or not now: it pays to tell it again."


_TRY_LATER = frozenset({408, 430, 480, 486, 491})
"Who answers so may hear it another time (430: RFC 5626 §11.6)."
_NOT_IMPLEMENTED = 501
"NOTIFY is not known there at all (§21.5.2)."


def heard(status: int | None) -> Heard:
    """What the final status of the answer means; None: there was none."""
    if status is None or status in _TRY_LATER or (500 <= status < 600 and status != _NOT_IMPLEMENTED):
        return Heard.UNHEARD
    return Heard.ACCEPTED if 200 <= status < 300 else Heard.REFUSED
