"""Why a REGISTER is refused, and what the refusal says (RFC 3261 §10.3)."""

from __future__ import annotations

from typing import ClassVar

from sip.errors import SipError
from sip.message.values import Warning


class RegisterRefused(SipError):
    """A REGISTER that changes nothing. The text is for the phone's user, and no secret."""

    code = "register-refused"
    status: ClassVar[int] = 400

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What the response says beside its status."""
        return (("Warning", str(Warning(399, "registrar", str(self)))),)


class BadContact(RegisterRefused):
    """A Contact that nothing can be sent to, or a star that doesn't stand with `Expires: 0` (step 6)."""

    code = "bad-contact"


class NotStorable(RegisterRefused):
    """A value that is too long to be kept, or holds what is no text."""

    code = "not-storable"


class OwnContact(RegisterRefused):
    """A Contact that names this server: requests for it would come back for ever."""

    code = "own-contact"
    status = 403


class TooManyBindings(RegisterRefused):
    """More Contacts than a line may have."""

    code = "too-many-bindings"
    status = 403

    def __init__(self, most: int) -> None:
        super().__init__(f"the line has its {most} contacts already; unregister one, or wait until it lapses")
        self.most = most


class PathNotSupported(RegisterRefused):
    """A proxy has put itself on the way of a phone that doesn't know of it (RFC 3327 §5.3)."""

    code = "path-not-supported"
    status = 420

    def __init__(self) -> None:
        super().__init__("a proxy added Path, and the phone does not say that it supports it")

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        return (("Unsupported", "path"),)


class FirstHopLacksOutbound(RegisterRefused):
    """The phone asks for outbound, and the proxy that it talks to keeps no flows (RFC 5626 §6)."""

    code = "first-hop-lacks-outbound"
    status = 439

    def __init__(self) -> None:
        super().__init__("the proxy next to the phone does not support outbound")


class IntervalTooBrief(RegisterRefused):
    """A binding is wanted for too short a time (step 7)."""

    code = "interval-too-brief"
    status = 423

    def __init__(self, min_expires_s: int) -> None:
        super().__init__(f"expires must be at least {min_expires_s} s")
        self.min_expires_s = min_expires_s

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        return (("Min-Expires", str(self.min_expires_s)),)


class OutOfOrder(RegisterRefused):
    """A later REGISTER of the same Call-ID was heeded before (steps 6 and 7)."""

    code = "out-of-order"
    status = 500

    def __init__(self, cseq: int) -> None:
        super().__init__(f"CSeq must be above {cseq} in this Call-ID")
        self.cseq = cseq
