"""Why a transaction can't be made."""

from __future__ import annotations

from typing import ClassVar

from sip.errors import SipError


class TooManyTransactions(SipError):
    """As many are under way as there may be; it may be tried again in a while (RFC 3261 §21.5.4)."""

    code = "too-many-transactions"
    status: ClassVar[int] = 503


class TooLarge(SipError):
    """A request that should go by a connection, if there can be one (RFC 3261 §18.1.1)."""

    code = "too-large"

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes are too many for one datagram")
        self.size = size


class MergedRequest(SipError):
    """The same request came by another way, and is being served there (RFC 3261 §8.2.2.2)."""

    code = "merged-request"
    status: ClassVar[int] = 482


class AlreadyServed(SipError):
    """A retransmission that came before the first was served: to be dropped, the first gets the answer."""

    code = "already-served"
