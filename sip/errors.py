"""What can be wrong with what a peer sends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class SipError(Exception):
    """The root of the family; `code` is stable."""

    code = "sip"
    status: ClassVar[int] = 400
    "What answers a request that it is about."

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        """What that response says beside its status."""
        return ()


class BadAuthHeader(SipError):
    """An authentication header that can't be read, or asks for what isn't done here."""

    code = "bad-auth-header"
