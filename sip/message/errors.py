"""What is wrong with a message, and the status that answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sip.errors import SipError

if TYPE_CHECKING:
    from sip.message.message import Request


class MessageError(SipError):
    """The peer sent what can't be used."""

    code = "bad-message"
    status: ClassVar[int] = 400
    request: Request | None = None
    """What could be read of the request, to answer it with: its headers as they came, perhaps not all that
    an answer needs. None: a response, or no SIP at all; there is nobody to answer."""


class BadStartLine(MessageError):
    """Neither a Request-Line nor a Status-Line (§7.1, §7.2)."""

    code = "bad-start-line"


class UnsupportedVersion(MessageError):
    """SIP, but not 2.0 (§21.5.6)."""

    code = "unsupported-version"
    status = 505


class BadHeader(MessageError):
    """A header that is missing, malformed, or there more often than once."""

    code = "bad-header"

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{name}: {what}" if name else what)
        self.name = name
        "The header; empty where a value was read alone."


class BadUri(MessageError):
    """A URI that breaks its scheme's grammar (§19.1.1)."""

    code = "bad-uri"


class BadLength(MessageError):
    """A Content-Length that is no number, or promises more than the datagram holds (§18.3)."""

    code = "bad-content-length"


class UriTooLong(MessageError):
    """A Request-URI longer than `limits.URI` (§21.4.12)."""

    code = "uri-too-long"
    status = 414


class BodyTooLarge(MessageError):
    """A Content-Length over `limits.MESSAGE` (§21.4.11)."""

    code = "body-too-large"
    status = 413


class MessageTooLarge(MessageError):
    """A head with too many headers, too long a line, or too many bytes in all (§21.5.7)."""

    code = "message-too-large"
    status = 513


class BadSdp(MessageError):
    """A session description that can't be read (RFC 8866)."""

    code = "bad-sdp"
