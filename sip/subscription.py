"""One subscription: what its subscriber knows, and what it is to be told next (RFC 6665 §4.2).

Of states that follow one another quickly only the newest is told, and one NOTIFY is under way at a time, so a
slow subscriber costs nothing. All times are loop time, in seconds.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from sip.dialog import Dialog, DialogId
from sip.message.address import Contact
from sip.message.errors import BadHeader
from sip.message.message import Request, Response
from sip.message.parameters import Parameters
from sip.message.values import Event, MediaType, SubscriptionState
from sip.out_of_dialog import own_uri
from sip.packages.package import Package
from sip.transport.flow import Flow

NEVER = float("inf")
TIMEOUT = "timeout"
"Why a subscription ends that is not refreshed, or not wanted any more."
NO_RESOURCE = "noresource"
"Why it ends where there is nothing left to tell of."
DEACTIVATED = "deactivated"
"Why it ends where its subscriber is to subscribe anew at once: who answers next knows nothing of it."
_GONE = "gone"
"Why it ends if nobody hears of it: no word of the RFC, as it is never sent."
_FATAL = frozenset({404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604})
"Answers to a NOTIFY after which there is no subscription (RFC 5057 §5.1)."
_LONGEST_PAUSE_S = 3600

Key: TypeAlias = tuple[DialogId, str, str | None]
"Dialog, package, and id of Event: what tells subscriptions apart."


class Subscription:
    """One who is told of one state, until it ends."""

    __slots__ = (
        "_dialog",
        "_event",
        "_has_news",
        "_is_under_way",
        "_is_urgent",
        "_known",
        "_not_before",
        "_state",
        "_version",
        "ended",
        "expires_at",
        "flow",
        "is_pending",
        "key",
        "package",
        "resource",
        "subscriber",
        "woken_at",
    )

    def __init__(
        self,
        dialog: Dialog,
        flow: Flow,
        package: Package[Any],
        event: Event,
        resource: str,
        state: object,
        subscriber: str,
        *,
        is_pending: bool,
    ) -> None:
        self.flow = flow
        "The way that the last SUBSCRIBE came."
        self.package = package
        self.resource = resource
        "Whose state it is."
        self.subscriber = subscriber
        "Who it is that is told, as the caller has found out."
        self.is_pending = is_pending
        "Somebody is to be asked first; until then nothing of the state is told."
        self.expires_at = NEVER
        self.ended: str | None = None
        "Why it has ended; None: it has not."
        self.woken_at = NEVER
        "When its owner will look at it."
        self.key: Key = (dialog.id, package.name, event.id)
        "What tells it from others."
        self._dialog = dialog
        self._event = event
        self._state = state
        self._known: object | None = None
        "The state that was told last; None: all is to be told."
        self._version = 0
        self._has_news = False
        self._is_urgent = False
        "The news does not wait until the package's interval has passed."
        self._is_under_way = False
        "A NOTIFY waits for its answer."
        self._not_before = 0.0

    @property
    def deadline(self) -> float:
        """When it lapses, or may be told what waits."""
        news_at = self._not_before if self._has_news and not self._is_under_way else NEVER
        return news_at if self.ended is not None else min(news_at, self.expires_at)

    def refresh(self, request: Request, flow: Flow) -> None:
        """Its subscriber has sent another SUBSCRIBE. Raises `sip.dialog.OutOfOrder`, `BadHeader`."""
        self._dialog.receive(request)
        self.flow = flow

    def extend(self, expires_at: float) -> None:
        """It lasts until then. All there is to tell is told after each SUBSCRIBE (§4.2.1.2)."""
        self.expires_at = expires_at
        self._known = None
        self._wants(is_urgent=True)

    def publish(self, state: object) -> None:
        """The state is new. What was not told of the last one never will be."""
        if state != self._state:
            self._state = state
            if not self.is_pending:
                self._wants()

    def approve(self) -> None:
        """It is pending no more."""
        if self.is_pending:
            self.is_pending = False
            self._wants(is_urgent=True)

    def end(self, reason: str) -> None:
        """It ends, and its subscriber is told why (§4.1.3)."""
        if self.ended is None:
            self.ended = reason
            if reason == TIMEOUT:
                # Who fetches, or leaves, gets the whole state (§4.4.3).
                self._known = None
            self._wants(is_urgent=True)

    def farewell(self) -> Request:
        """The NOTIFY by which whoever comes after us can end it, though he knows nothing else of it."""
        request = self._dialog.last("NOTIFY")
        request.contact = (Contact(own_uri(self.flow)),)
        request.event = self._event
        request.subscription_state = SubscriptionState("terminated", Parameters((("reason", DEACTIVATED),)))
        return request

    def answered(self, response: Response | None, now: float) -> None:
        """The final response to its NOTIFY has come; None: there is none, or no way to send it."""
        self._is_under_way = False
        if response is None or response.status in _FATAL:
            # Nobody is there, or nobody who knows of it (§4.2.2): there is nothing more to say.
            self.ended = self.ended or _GONE
            self._has_news = False
        elif response.status >= 300:
            # What is known there now is not known here.
            self._known = None
            after_s = _retry_after_s(response)
            if after_s is not None and self.ended is None:
                self._has_news, self._is_urgent = True, False
                self._not_before = now + after_s

    def next(self, now: float) -> Request | None:
        """The NOTIFY that is to be sent now, if there is one."""
        if not self._has_news or self._is_under_way or (now < self._not_before and not self._is_urgent):
            return None
        request = self._dialog.request("NOTIFY")
        request.contact = (Contact(own_uri(self.flow)),)
        request.event = self._event
        request.subscription_state = self._subscription_state(now)
        if not self.is_pending and self.ended in (None, TIMEOUT):
            request.content_type = MediaType.parse(self.package.content_type)
            request.body = self.package.body(self._state, self._known, self._version)
            self._known = self._state
            self._version += 1
        self._has_news = self._is_urgent = False
        self._is_under_way = True
        self._not_before = now + self.package.interval_s
        return request

    def _wants(self, *, is_urgent: bool = False) -> None:
        self._has_news = True
        self._is_urgent = self._is_urgent or is_urgent

    def _subscription_state(self, now: float) -> SubscriptionState:
        if self.ended is not None:
            return SubscriptionState("terminated", Parameters((("reason", self.ended),)))
        word = "pending" if self.is_pending else "active"
        expires_s = max(0, round(self.expires_at - now))
        return SubscriptionState(word, Parameters((("expires", str(expires_s)),)))


def _retry_after_s(response: Response) -> int | None:
    """When it may be tried again, if the peer says so in a way that can be read."""
    try:
        retry_after = response.retry_after
    except BadHeader:
        return None
    return None if retry_after is None else min(retry_after.after_s, _LONGEST_PAUSE_S)
