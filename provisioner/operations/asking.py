"""What phones ask for and what they get, as the door and the operations behind it say it to each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

CFG_TYPE = "text/plain; charset=utf-8"
XML_TYPE = "text/xml; charset=utf-8"


class Reason(StrEnum):
    """Why a request got its answer, beside what `claims.Entry` says of first contact."""

    CURRENT = "current"
    "Under a live token."
    FIRST_CONTACT_FILE = "first-contact-file"
    CERTIFICATE = "certificate"
    "For a device certificate with the MAC."
    SERVICE = "service"
    "Under the service token."
    NO_SUCH_FILE = "no-such-file"
    UNLISTED = "unlisted"
    "A miss: a MAC that is not listed."
    BANNED = "banned"
    "The source has asked for too many of those, or an operator has banned it: nothing was looked up."
    UNKNOWN_TOKEN = "unknown-token"  # noqa: S105
    "Made up, or revoked."
    OTHER_DEVICE = "other-device"
    "A live token, but another phone's file."
    OTHER_MODEL = "other-model"
    "A live token, but another model's file: the phone is not the model that is listed."
    CLEAR_TEXT = "clear-text"
    "Secrets would leave over clear text to a network that is not configured for it."
    KEPT = "kept"
    "What was kept in memory, while the database could not be asked whether it is still current."
    CHALLENGED = "challenged"
    "Nobody said who it is, or not in a way that is taken."
    WRONG_LOGIN = "wrong-login"
    STALE_LOGIN = "stale-login"
    "The right password, but the challenge that it answers has had its time or this use."
    METHOD = "method"
    "Neither GET nor HEAD, and nothing that the phone may bring."
    EVENT = "event"
    "An event was reported."
    NO_SUCH_EVENT = "no-such-event"
    UPLOADED = "uploaded"
    UPLOADED_BEFORE = "uploaded-before"
    "The newest version is the same already."
    TOO_LARGE = "too-large"
    TOO_SLOW = "too-slow"
    UNREADABLE = "unreadable"
    "What was brought is not what its name says."


@dataclass(frozen=True, slots=True)
class Ask:
    """What a phone asks for."""

    token: str | None
    "The first part of the path where it has a token's form."
    path: str
    "The rest of the path, without a leading slash."
    source: str
    "The address it comes from."
    agent: str
    "Its User-Agent."
    clear_text: bool
    "Not over TLS."
    query: tuple[tuple[str, str], ...] = ()
    "Names and values behind the question mark."
    certificate: str | None = None
    "The MAC (twelve lower-case hex digits) that the phone's own certificate proves."
    counts_as_fetch: bool = True
    "False for HEAD, which gets no content and so proves nothing."
    received_at: float = math.inf
    "When the last bytes of its connection had come, by the monotonic clock; or later."


@dataclass(frozen=True, slots=True)
class Reported:
    """What a phone reports of itself."""

    event: str
    "As V81 calls it."
    details: Mapping[str, str]
    "Bounded and printable."


@dataclass(frozen=True, slots=True)
class Answer:
    """What it gets. Without `content` and `file` it is the one closed answer."""

    reason: str
    content: bytes | None = None
    content_type: str = CFG_TYPE
    etag: str = ""
    file: Path | None = None
    "A stored file, sent with ranges."
    file_name: str | None = None
    "As phones spell it."
    device_id: int | None = None
    mac: str | None = None
    "That the file name says."
    revision_id: int | None = None
    is_own_file: bool = False
    "It is the device's `<mac>.cfg`."
    is_safe_in_clear_text: bool = False
    "What is secret in it is encrypted for the phone, so it may go anywhere."
    reported: Reported | None = None
    "To be kept instead of a trace."
    challenges: tuple[str, ...] = ()
    "Not empty: who asks has to say first who it is. Values of WWW-Authenticate."
    lasting: bool = False
    "Asking again changes nothing, so it may be given from memory for as long as nothing else changes."

    @property
    def is_closed(self) -> bool:
        """Nothing is given."""
        return self.content is None and self.file is None
