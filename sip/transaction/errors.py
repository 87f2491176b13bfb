"""Why a transaction can't be made."""

from __future__ import annotations

from typing import ClassVar

from sip.errors import SipError


class TooManyTransactions(SipError):
    """As many are under way as there may be; it may be tried again in a while (RFC 3261 §21.5.4)."""

    code = "too-many-transactions"
    status: ClassVar[int] = 503


class MergedRequest(SipError):
    """The same request came by another way, and is being served there (RFC 3261 §8.2.2.2)."""

    code = "merged-request"
    status: ClassVar[int] = 482


class AlreadyServed(SipError):
    """A retransmission that came before the first was served: to be dropped, the first gets the answer."""

    code = "already-served"
