"""Why a SUBSCRIBE is refused, and what the refusal says (RFC 6665 §4.2.1)."""

from __future__ import annotations

from collections.abc import Iterable

from sip.errors import SipError


class SubscribeRefused(SipError):
    """A SUBSCRIBE that changes nothing."""

    code = "subscribe-refused"


class BadEvent(SubscribeRefused):
    """A package that is not spoken here, or none."""

    code = "bad-event"
    status = 489

    def __init__(self, spoken: Iterable[str]) -> None:
        self.spoken = sorted(spoken)
        super().__init__(f"the event is none of {', '.join(self.spoken)}")

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        return (("Allow-Events", ", ".join(self.spoken)),)


class NotAcceptable(SubscribeRefused):
    """The subscriber reads nothing of what the package writes."""

    code = "not-acceptable"
    status = 406

    def __init__(self, content_type: str) -> None:
        super().__init__(f"the package is told as {content_type}")
        self.content_type = content_type

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        return (("Accept", self.content_type),)


class NotAllowed(SubscribeRefused):
    """This state is not for this subscriber."""

    code = "not-allowed"
    status = 403


class NoSuchState(SubscribeRefused):
    """There is nothing of which such state could be told, or nothing that the subscriber may know of."""

    code = "no-such-state"
    status = 404


class NoSubscription(SubscribeRefused):
    """A refresh of what has ended, or never was."""

    code = "no-subscription"
    status = 481


class SubscriptionTooBrief(SubscribeRefused):
    """A subscription is wanted for too short a time."""

    code = "subscription-too-brief"
    status = 423

    def __init__(self, min_expires_s: int) -> None:
        super().__init__(f"expires must be at least {min_expires_s} s")
        self.min_expires_s = min_expires_s

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        return (("Min-Expires", str(self.min_expires_s)),)


class TooManySubscriptions(SubscribeRefused):
    """As many as there may be; of this state, or in all."""

    code = "too-many-subscriptions"
    status = 503

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"there are too many subscriptions; try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        return (("Retry-After", str(self.retry_after_s)),)
