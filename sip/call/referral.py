"""REFER: what one side asks for, and what it is told of how that goes (RFC 3515)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sip.call.board import LegKey
from sip.call.leg import Leg
from sip.errors import SipError
from sip.message.errors import BadHeader, BadUri
from sip.message.parameters import Parameters
from sip.message.reasons import REASONS
from sip.message.uri import SipUri, TelUri, Uri, unescape
from sip.message.values import Event, MediaType, Replaces, SubscriptionState
from sip.transaction.machine import ServerTransaction

_FRAGMENT = MediaType("message", "sipfrag", Parameters((("version", "2.0"),)))
_LASTS_S = 3600
"Longer than anybody rings, however often the call is passed on; it ends with the last word on it."


class CantRefer(SipError):
    """It refers to something that can't be called."""

    code = "cant-refer"
    status: ClassVar[int] = 403


class Referral:
    """One REFER of a leg, which has been accepted."""

    def __init__(self, leg: Leg, transaction: ServerTransaction) -> None:
        """Raises `SipError` where nothing can be made of it."""
        request = transaction.request
        refer_to = request.refer_to
        if refer_to is None:
            raise BadHeader("Refer-To", "is missing")
        self.request = request
        self.flow = transaction.flow
        self.uri: Uri = refer_to.uri
        "Whom to call."
        self.number = _number(refer_to.uri)
        self.replaces = _replaces(refer_to.uri)
        "Which dialog of its own it wants to be replaced in, for somebody it talks to already (RFC 3891)."
        self._leg = leg
        # RFC 4488: whoever does not want to be told of it is not.
        self._is_silent = (request.headers.get("Refer-Sub") or "").strip().lower() == "false"
        self._is_over = False
        leg.consent(transaction, 202)
        self.says(100)

    def replaced(self, legs: Mapping[LegKey, Leg]) -> Leg | None:
        """Which of its own legs it wants to be replaced in, if that is there: nobody takes over another's."""
        said = self.replaces
        found = None if said is None else legs.get((said.call_id, said.to_tag))
        if said is None or found is None or found.dialog is None or found is self._leg:
            return None
        is_own = found.dialog.remote.tag == said.from_tag and found.aor == self._leg.aor
        return found if is_own and not found.is_over else None

    def says(self, status: int) -> None:
        """Tells how it goes. The first final status is the last word."""
        if self._is_over:
            return
        self._is_over = status >= 200
        if self._is_silent or self._leg.is_over:
            return
        notify = self._leg.request("NOTIFY")
        notify.event = Event("refer")
        notify.subscription_state = (
            SubscriptionState("terminated", Parameters((("reason", "noresource"),)))
            if self._is_over
            else SubscriptionState("active", Parameters((("expires", str(_LASTS_S)),)))
        )
        notify.content_type = _FRAGMENT
        notify.body = f"SIP/2.0 {status} {REASONS.get(status, '')}\r\n".encode()
        # A phone that wants to hear no more of it is still in its call.
        self._leg.notify(notify)


def _number(uri: Uri) -> str:
    match uri:
        # Another method would be another request (RFC 3261 §19.1.5), such as somebody's BYE.
        case SipUri(user=str(user)) if (uri.parameters.get("method") or "INVITE") == "INVITE":
            return unescape(user)
        case TelUri():
            return uri.digits
    raise CantRefer("nobody can be called there")


def _replaces(uri: Uri) -> Replaces | None:
    if not isinstance(uri, SipUri):
        return None
    for name, value in uri.headers:
        if name.lower() == "replaces":
            try:
                return Replaces.parse(unescape(value))
            except BadUri as error:
                raise BadHeader("Refer-To", str(error)) from error
    return None

