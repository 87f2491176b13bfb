"""The notifier: who wants to know of which state, and what each is told when (RFC 6665 §4.2).

It knows no package: what a state is and how it is written, `sip.packages` says; who may know it, the caller.
All times are loop time, in seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any, TypeAlias

from sip.dialog import Dialog, DialogId, establishing
from sip.message.address import Contact
from sip.message.message import Request, Response
from sip.out_of_dialog import own_uri
from sip.packages.package import Package
from sip.subscription import NEVER, TIMEOUT, Key, Subscription
from sip.subscription_errors import (
    BadEvent,
    NoSubscription,
    NotAcceptable,
    NotAllowed,
    SubscriptionTooBrief,
    TooManySubscriptions,
)
from sip.transport.flow import Flow

_HOUR_S = 3600
_SPARE = 1_000
"Wakings that may have become idle before they are cleared."


@dataclass(frozen=True, slots=True)
class NotifierLimits:
    """What a notifier grants."""

    min_s: int = 60
    max_s: int = 7200
    subscriptions: int = 100_000
    "In all."
    watchers: int = 200
    "Of one state."
    retry_after_s: int = 60
    "When to try again where there are too many."


@dataclass(frozen=True, slots=True)
class Admission:
    """What the caller says of one who may subscribe."""

    resource: str
    "Whose state it is, as it will be named when it is published."
    state: object
    "As it is now."
    is_pending: bool = False
    "Somebody is to be asked first."


Admit: TypeAlias = Callable[[str], Admission]
"""Says whose state a SUBSCRIBE is about, by the name of the package. Raises `NotAllowed`, or another
`SipError`, to refuse it."""


@dataclass(frozen=True, slots=True)
class Notify:
    """A NOTIFY to be sent by `flow`; what comes of it is to be told to `Notifier.answered`."""

    subscription: Subscription
    request: Request
    flow: Flow


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The answer to a SUBSCRIBE, and what is sent after it."""

    response: Response
    notifies: list[Notify]


class Notifier:
    """All subscriptions."""

    def __init__(
        self,
        packages: Iterable[Package[Any]],
        new_tag: Callable[[], str],
        limits: NotifierLimits | None = None,
    ) -> None:
        self._packages = {package.name: package for package in packages}
        self._new_tag = new_tag
        self._limits = limits or NotifierLimits()
        self._by_key: dict[Key, Subscription] = {}
        self._by_state: dict[tuple[str, str], dict[Key, Subscription]] = {}
        self._wakings: list[tuple[float, int, Subscription]] = []
        self._serial = count()

    def __len__(self) -> int:
        """How many subscriptions there are."""
        return len(self._by_key)

    @property
    def all(self) -> list[Subscription]:
        """Every one of them."""
        return list(self._by_key.values())

    def subscriptions(self, package: str, resource: str) -> list[Subscription]:
        """Those of one state."""
        return list(self._by_state.get((package, resource), {}).values())

    def subscribe(
        self, request: Request, flow: Flow, now: float, subscriber: str, admit: Admit
    ) -> Subscribed:
        """Takes a SUBSCRIBE of `subscriber`, who has proved it. `admit` is asked about new subscriptions.

        Raises `SubscribeRefused`, what `admit` raises, or another `SipError` for a request that can't be read
        or came late; nothing has changed then.
        """
        event = request.event
        package = None if event is None else self._packages.get(event.package.lower())
        if event is None or package is None:
            raise BadEvent(self._packages)
        accepted = {each.essence for each in request.accept}
        if accepted and accepted.isdisjoint({package.content_type, "application/*", "*/*"}):
            raise NotAcceptable(package.content_type)
        granted_s = self._granted_s(request.expires_s, package)
        if request.to.tag is None:
            admission = admit(package.name)
            if granted_s:
                # What is only fetched (§4.4.3) is over before it counts.
                self._check_room(package.name, admission.resource)
            response = establishing(request, 200, self._new_tag(), Contact(own_uri(flow)))
            subscription = Subscription(
                Dialog.as_server(request, response),
                flow,
                package,
                event,
                admission.resource,
                admission.state,
                subscriber,
                is_pending=admission.is_pending,
            )
            self._add(subscription)
        else:
            found = self._by_key.get((DialogId.of_request(request), package.name, event.id))
            if found is None:
                raise NoSubscription("there is no such subscription; subscribe anew, without a To tag")
            subscription = found
            if subscription.subscriber != subscriber:
                raise NotAllowed("it is somebody else's subscription")
            subscription.refresh(request, flow)
            response = establishing(request, 200, "", Contact(own_uri(flow)))
        response.expires_s = granted_s
        if not granted_s:
            return Subscribed(response, self.end(subscription, TIMEOUT, now))
        subscription.extend(now + granted_s)
        return Subscribed(response, self._next(subscription, now))

    def publish(self, package: str, resource: str, state: object, now: float) -> list[Notify]:
        """A state is new."""
        notifies: list[Notify] = []
        for subscription in self.subscriptions(package, resource):
            subscription.publish(state)
            notifies += self._next(subscription, now)
        return notifies

    def approve(self, subscription: Subscription, now: float) -> list[Notify]:
        """A subscription that was pending is granted."""
        subscription.approve()
        return self._next(subscription, now)

    def end(self, subscription: Subscription, reason: str, now: float) -> list[Notify]:
        """Ends a subscription, and says why (§4.1.3): `noresource`, `rejected`, `deactivated`, …"""
        subscription.end(reason)
        return self._next(subscription, now)

    def answered(self, subscription: Subscription, response: Response | None, now: float) -> list[Notify]:
        """The final response to its NOTIFY has come; None: there is none, or no way to send it."""
        subscription.answered(response, now)
        return self._next(subscription, now)

    def timer(self, now: float) -> list[Notify]:
        """Ends what has not been refreshed, and tells what had to wait."""
        notifies: list[Notify] = []
        while self._wakings and self._wakings[0][0] <= now:
            at, _, subscription = heappop(self._wakings)
            if subscription.woken_at != at:
                continue
            subscription.woken_at = NEVER
            if subscription.expires_at <= now:
                subscription.end(TIMEOUT)
            notifies += self._next(subscription, now)
        return notifies

    @property
    def deadline(self) -> float | None:
        """When `timer` is to be called."""
        return self._wakings[0][0] if self._wakings else None

    # Within

    def _granted_s(self, asked_s: int | None, package: Package[Any]) -> int:
        if asked_s is None:
            asked_s = package.default_s
        if 0 < asked_s < min(self._limits.min_s, _HOUR_S):
            raise SubscriptionTooBrief(self._limits.min_s)
        return min(asked_s, self._limits.max_s)

    def _check_room(self, package: str, resource: str) -> None:
        watchers = len(self._by_state.get((package, resource), ()))
        if len(self._by_key) >= self._limits.subscriptions or watchers >= self._limits.watchers:
            raise TooManySubscriptions(self._limits.retry_after_s)

    def _add(self, subscription: Subscription) -> None:
        self._by_key[subscription.key] = subscription
        state = (subscription.package.name, subscription.resource)
        self._by_state.setdefault(state, {})[subscription.key] = subscription

    def _forget(self, subscription: Subscription) -> None:
        if self._by_key.pop(subscription.key, None) is None:
            return
        state = (subscription.package.name, subscription.resource)
        watchers = self._by_state[state]
        del watchers[subscription.key]
        if not watchers:
            del self._by_state[state]

    def _next(self, subscription: Subscription, now: float) -> list[Notify]:
        """What its subscriber is to be told now."""
        if subscription.ended is not None:
            self._forget(subscription)
        request = subscription.next(now)
        self._wake(subscription)
        return [] if request is None else [Notify(subscription, request, subscription.flow)]

    def _wake(self, subscription: Subscription) -> None:
        at = subscription.deadline
        if at >= subscription.woken_at:
            # It is looked at before, and given its next time then.
            return
        subscription.woken_at = at
        heappush(self._wakings, (at, next(self._serial), subscription))
        if len(self._wakings) > 2 * len(self._by_key) + _SPARE:
            self._clear_wakings()

    def _clear_wakings(self) -> None:
        """Leaves those that still mean something."""
        wakings, self._wakings = self._wakings, []
        for waking in wakings:
            at, _, subscription = waking
            if subscription.woken_at == at:
                if subscription.deadline < NEVER:
                    self._wakings.append(waking)
                else:
                    subscription.woken_at = NEVER
        heapify(self._wakings)
