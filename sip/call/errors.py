"""Why a call, or a request within one, is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sip.errors import SipError


class NoSession(SipError):
    """A body that is no session description (RFC 3261 §21.4.13)."""

    code = "no-session"
    status: ClassVar[int] = 415

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        return (("Accept", "application/sdp"),)


class NoDialog(SipError):
    """A request within a dialog that is not there, or no more (§12.2.2)."""

    code = "no-dialog"
    status: ClassVar[int] = 481


class TooManyCalls(SipError):
    """As many are under way as there may be (§21.5.4)."""

    code = "too-many-calls"
    status: ClassVar[int] = 503

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        return (("Retry-After", "5"),)


class Glare(SipError):
    """Both sides have asked for something else at the same time (§14.2, RFC 3311 §5.2)."""

    code = "glare"
    status: ClassVar[int] = 491


class NotYet(SipError):
    """The last request of this kind is not answered yet (§14.2, RFC 3311 §5.2)."""

    code = "not-yet"
    status: ClassVar[int] = 500

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        return (("Retry-After", "2"),)


class NoSuchNumber(SipError):
    """Nobody has the number that was dialled (§21.4.5)."""

    code = "no-such-number"
    status: ClassVar[int] = 404


class NotHere(NoSuchNumber):
    """It was dialled at a host that isn't ours (§8.2.2.1)."""

    code = "not-here"

    def __init__(self, number: str, host: str) -> None:
        super().__init__(f"{host} is no name of this server")
        self.dialled = f"{number}@{host}" if number else host
        "What a record of the call says."
