"""Why a REGISTER that was right was not done."""

from __future__ import annotations

from collections.abc import Sequence

from sip.errors import SipError


class NotStored(SipError):
    """What a REGISTER asks for could not be stored, so it was not done."""

    code = "not-stored"
    status = 503

    def __init__(self, after_s: int) -> None:
        super().__init__(f"registrations can't be stored now: try again in {after_s} s")
        self.after_s = after_s

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        return (("Retry-After", str(self.after_s)),)


class InternalError(SipError):
    """Our own mistake: one REGISTER could not be served, and others were."""

    code = "internal"
    status = 500
