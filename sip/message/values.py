"""The values of the other headers, each with the section that it comes from.

Every `parse` takes one value without outer blanks, and raises `BadHeader`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Self

from sip.message import lexer
from sip.message.errors import BadHeader
from sip.message.parameters import NONE, Parameters, split_off

MOST_CSEQ = 2**32 - 1
"RFC 3261 §8.1.1.5 has 2**31; what phones send above it is told apart just as well (RFC 4475 §3.1.2.4)."


@dataclass(frozen=True, slots=True)
class CSeq:
    """Order of a request in its dialog or registration (§20.16)."""

    number: int
    method: str

    @classmethod
    def parse(cls, text: str) -> Self:
        number, _, method = text.replace("\t", " ").partition(" ")
        return cls(lexer.number(number, MOST_CSEQ), lexer.token(method.lstrip(" ")))

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


@dataclass(frozen=True, slots=True)
class RAck:
    """Which provisional response a PRACK acknowledges (RFC 3262 §7.2)."""

    rseq: int
    cseq: CSeq

    @classmethod
    def parse(cls, text: str) -> Self:
        rseq, _, cseq = text.replace("\t", " ").partition(" ")
        return cls(lexer.number(rseq, MOST_CSEQ), CSeq.parse(cseq.lstrip(" ")))

    def __str__(self) -> str:
        return f"{self.rseq} {self.cseq}"


@dataclass(frozen=True, slots=True)
class MediaType:
    """What a body is (§20.15), or may be (Accept, §20.1: `*` for any)."""

    type: str
    subtype: str
    parameters: Parameters = NONE

    @classmethod
    def parse(cls, text: str) -> Self:
        value, parameters = split_off(text)
        kind, _, subtype = value.partition("/")
        return cls(
            lexer.token(kind.rstrip(lexer.BLANKS)), lexer.token(subtype.lstrip(lexer.BLANKS)), parameters
        )

    @property
    def essence(self) -> str:
        """`type/subtype`, lower case."""
        return f"{self.type}/{self.subtype}".lower()

    def __str__(self) -> str:
        return f"{self.type}/{self.subtype}{self.parameters}"


@dataclass(frozen=True, slots=True)
class Event:
    """Which state is subscribed to or told (RFC 6665 §8.2.1)."""

    package: str
    parameters: Parameters = NONE

    @classmethod
    def parse(cls, text: str) -> Self:
        package, parameters = split_off(text)
        return cls(lexer.token(package), parameters)

    @property
    def id(self) -> str | None:
        """Tells subscriptions of one dialog apart."""
        return self.parameters.get("id")

    def __str__(self) -> str:
        return f"{self.package}{self.parameters}"


@dataclass(frozen=True, slots=True)
class SubscriptionState:
    """How a subscription stands (RFC 6665 §8.2.3)."""

    state: str
    "`active`, `pending`, `terminated`, or a newer word."
    parameters: Parameters = NONE

    @classmethod
    def parse(cls, text: str) -> Self:
        state, parameters = split_off(text)
        return cls(lexer.token(state), parameters)

    @property
    def reason(self) -> str | None:
        """Why it ended, as a word."""
        return self.parameters.get("reason")

    @property
    def expires_s(self) -> int | None:
        """How long it lasts."""
        value = self.parameters.get("expires")
        return None if value is None else lexer.seconds(value)

    def __str__(self) -> str:
        return f"{self.state}{self.parameters}"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a request was sent (RFC 3326)."""

    protocol: str
    "`SIP`, `Q.850`, …"
    parameters: Parameters = NONE

    @classmethod
    def parse(cls, text: str) -> Self:
        protocol, parameters = split_off(text)
        return cls(lexer.token(protocol), parameters)

    @property
    def cause(self) -> int | None:
        """A status or a Q.850 cause. Raises `BadHeader`."""
        value = self.parameters.get("cause")
        return None if value is None else lexer.number(value, 9999)

    @property
    def text(self) -> str | None:
        """For people."""
        return self.parameters.text("text")

    def __str__(self) -> str:
        return f"{self.protocol}{self.parameters}"


@dataclass(frozen=True, slots=True)
class Replaces:
    """Which dialog an INVITE takes over (RFC 3891)."""

    call_id: str
    parameters: Parameters = NONE

    @classmethod
    def parse(cls, text: str) -> Self:
        call_id, parameters = split_off(text)
        for needed in ("to-tag", "from-tag"):
            if not parameters.get(needed):
                raise BadHeader("", f"{needed} is missing")
        return cls(call_id, parameters)

    @property
    def to_tag(self) -> str:
        """The tag of whoever gets this."""
        return self.parameters.get("to-tag") or ""

    @property
    def from_tag(self) -> str:
        """The tag of the other side of that dialog."""
        return self.parameters.get("from-tag") or ""

    @property
    def is_early_only(self) -> bool:
        """Whether a dialog that was answered meanwhile is to be left alone."""
        return self.parameters.has("early-only")

    def __str__(self) -> str:
        return f"{self.call_id}{self.parameters}"


@dataclass(frozen=True, slots=True)
class SessionExpires:
    """How long a session lives without a refresh (RFC 4028 §4; also Min-SE, §5)."""

    interval_s: int
    parameters: Parameters = NONE

    @classmethod
    def parse(cls, text: str) -> Self:
        interval, parameters = split_off(text)
        interval_s = lexer.seconds(interval)
        if interval_s is None:
            raise BadHeader("", "not a number of seconds")
        return cls(interval_s, parameters)

    @property
    def refresher(self) -> str | None:
        """`uac` or `uas`, lower case."""
        value = self.parameters.get("refresher")
        return None if value is None else value.lower()

    def __str__(self) -> str:
        return f"{self.interval_s}{self.parameters}"


_RETRY_AFTER = re.compile(r"([0-9]++)[ \t]*+(?:\(([^()]*+)\)[ \t]*+)?(?:;(.*+))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """When to try again (§20.33)."""

    after_s: int
    comment: str | None = None
    "Without the outer brackets."
    parameters: Parameters = NONE

    @classmethod
    def parse(cls, text: str) -> Self:
        match = _RETRY_AFTER.fullmatch(text)
        after_s = None if match is None else lexer.seconds(match[1])
        if match is None or after_s is None:
            raise BadHeader("", "not a number of seconds")
        return cls(after_s, match[2], Parameters.of_header(match[3]) if match[3] else NONE)

    def __str__(self) -> str:
        comment = "" if self.comment is None else f" ({self.comment})"
        return f"{self.after_s}{comment}{self.parameters}"


_WARNING = re.compile(r"([0-9]{3})[ \t]++([^ \t]++)[ \t]++(\".*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Warning:
    """More about a refusal (§20.43)."""

    code: int
    agent: str
    "A host, or the name under which it added this."
    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        match = _WARNING.fullmatch(text)
        if match is None:
            raise BadHeader("", "a code of three digits, who says it, and a quoted text")
        said, rest = lexer.leading_quoted(match[3])
        if rest.strip(lexer.BLANKS):
            raise BadHeader("", "something follows the text")
        return cls(int(match[1]), match[2], said)

    def __str__(self) -> str:
        return f"{self.code:03d} {self.agent} {lexer.quoted(self.text)}"


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(
    r"[A-Za-z]{3},[ ]([0-9]{1,2})[ ]([A-Za-z]{3})[ ]([0-9]{4})[ ]([0-9]{2}):([0-9]{2}):([0-9]{2})[ ]GMT"
)


def parse_date(text: str) -> datetime:
    """A SIP-date, which is in GMT always (§20.17)."""
    match = _DATE.fullmatch(text)
    try:
        if match is not None:
            day, month, year, *clock = match.groups()
            hour, minute, second = map(int, clock)
            return datetime(
                int(year), _MONTHS.index(month.capitalize()) + 1, int(day), hour, minute, second, tzinfo=UTC
            )
    except ValueError:
        pass
    raise BadHeader("", "not a date as RFC 1123 writes it, in GMT")


@lru_cache(16)
def write_date(date: datetime) -> str:
    """The same as text; parts of a second are dropped. `date` has a time zone."""
    # Remembered, for the answers of one batch have one date.
    date = date.astimezone(UTC)
    return (
        f"{_DAYS[date.weekday()]}, {date.day:02d} {_MONTHS[date.month - 1]} {date.year:04d} "
        f"{date.hour:02d}:{date.minute:02d}:{date.second:02d} GMT"
    )


def parse_expires(text: str) -> int:
    """Seconds of an Expires header; what is malformed counts as 3600 (§20.19 by way of §20.10)."""
    asked_s = lexer.seconds(text)
    return 3600 if asked_s is None else asked_s


def parse_seconds(text: str) -> int:
    """Seconds of a Min-Expires header (§20.23)."""
    value = lexer.seconds(text)
    if value is None:
        raise BadHeader("", "not a number of seconds")
    return value


def parse_max_forwards(text: str) -> int:
    """Hops that are left (§20.22)."""
    return lexer.number(text, 255)


def parse_rseq(text: str) -> int:
    """The number of a provisional response that wants a PRACK (RFC 3262 §7.1)."""
    return lexer.number(text, MOST_CSEQ)


def parse_privacy(text: str) -> tuple[str, ...]:
    """What is to be hidden, lower case; joined by semicolons (RFC 3323 §4.2), by some with commas."""
    words = lexer.parameters(text.replace(",", ";"))
    return tuple(word.lower() for each in words if (word := each.strip(lexer.BLANKS)))


def parse_text(text: str) -> str:
    """What is for people, or means nothing but itself."""
    return text


def parse_call_id(text: str) -> str:
    """Which call, or which phone's registrations (§20.8). Compared byte by byte."""
    if not text or " " in text or "\t" in text:
        raise BadHeader("", "a Call-ID is one word")
    return text
