"""What the header grammars share (RFC 3261 §25.1): tokens, quoted strings, lists, numbers.

Text is bytes read as UTF-8, where a byte that is no UTF-8 stands as a lone surrogate (`surrogateescape`), so
that what comes in goes out unchanged.

Patterns take linear time: what repeats a character is possessive, and whether a group goes on the next
character says. Groups themselves are not possessive: Python before 3.11.5 loses its place in one that fails.
"""

from __future__ import annotations

import re

from sip.message import limits
from sip.message.errors import BadHeader

BLANKS = " \t"
"What may surround a value; line folding has become a blank before anything is read."
WORD = r"[A-Za-z0-9.!%*_+`'~-]++"
_TOKEN = re.compile(WORD)
QUOTED = r'"[^"\\]*+(?:\\.[^"\\]*+)*"'
_ELEMENT = re.compile(rf'[^,"<]*+(?:(?:{QUOTED}|<[^>]*+>)[^,"<]*+)*', re.DOTALL)
_PARAMETER = re.compile(rf'[^;"<]*+(?:(?:{QUOTED}|<[^>]*+>)[^;"<]*+)*', re.DOTALL)
_QUOTED_STRING = re.compile(QUOTED, re.DOTALL)
_PAIR = re.compile(r"\\(.)", re.DOTALL)
# A control character may stand in a quoted-pair, never alone; a line end in neither.
_TO_ESCAPE = re.compile(r'["\\\x00-\x08\x0b\x0c\x0e-\x1f\x7f]')
_LONE_SURROGATE = re.compile("[\ud800-\udc7f\udd00-\udfff]")

MOST_SECONDS = 2**32 - 1
"The longest that delta-seconds can say (§20.19); what is longer means this."


def is_token(text: str) -> bool:
    """Whether `text` may name a method, header or parameter."""
    return _TOKEN.fullmatch(text) is not None


def token(text: str) -> str:
    """`text`, if it is a token. Raises `BadHeader`."""
    if _TOKEN.fullmatch(text) is None:
        raise BadHeader("", "a word is missing, or has characters that no word has")
    return text


def is_writable(text: str) -> bool:
    """Whether a header can hold `text`: it never starts a second one."""
    if "\n" in text or "\r" in text:
        return False
    return text.isascii() or _LONE_SURROGATE.search(text) is None


def quoted(text: str) -> str:
    """`text` as a quoted-string. Raises `ValueError` for line ends."""
    if "\r" in text or "\n" in text:
        raise ValueError("a quoted text can't hold a line end")
    return f'"{_TO_ESCAPE.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    return "\\" + match[0]


def unquoted(text: str) -> str:
    """What a quoted-string says; any other text says itself."""
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return _PAIR.sub(r"\1", text[1:-1]) if "\\" in text else text[1:-1]
    return text


def leading_quoted(text: str) -> tuple[str, str]:
    """The quoted-string that `text` begins with, unquoted, and what follows it. Raises `BadHeader`."""
    match = _QUOTED_STRING.match(text)
    if match is None:
        raise BadHeader("", "a quoted text does not end")
    return unquoted(match[0]), text[match.end() :]


def elements(text: str) -> list[str]:
    """What commas join, but for commas in quotes and <>; empty elements are passed over (RFC 9110 §5.6.1.2).

    Raises `BadHeader` for quotes or brackets that don't end, and for more than `limits.VALUES`.
    """
    if "," not in text:
        return [text] if text else []
    if '"' in text or "<" in text:
        parts = _split(_ELEMENT, text, limits.VALUES)
    elif len(parts := text.split(",", limits.VALUES)) > limits.VALUES:
        raise _too_many(limits.VALUES)
    return [each for part in parts if (each := part.strip(BLANKS))]


def parameters(text: str) -> list[str]:
    """What semicolons join, but for those in quotes and <>.

    Raises `BadHeader` as `elements` does, and for more than `limits.PARAMETERS`.
    """
    if '"' in text or "<" in text:
        return _split(_PARAMETER, text, limits.PARAMETERS)
    parts = text.split(";", limits.PARAMETERS)
    if len(parts) > limits.PARAMETERS:
        raise BadHeader("", f"more than {limits.PARAMETERS} parameters")
    return parts


def _split(pattern: re.Pattern[str], text: str, most: int) -> list[str]:
    parts: list[str] = []
    at = 0
    while len(parts) < most:
        match = pattern.match(text, at)
        if match is None:
            raise AssertionError("the pattern matches the empty text")
        parts.append(match[0])
        if match.end() == len(text):
            return parts
        if text[match.end()] in '"<':
            raise BadHeader("", "quotes or brackets do not end")
        at = match.end() + 1
    raise _too_many(most)


def _too_many(most: int) -> BadHeader:
    return BadHeader("", f"more than {most} values or parameters")


def number(text: str, most: int) -> int:
    """A number of digits alone, at most `most`, which has ten digits or fewer. Raises `BadHeader`."""
    digits = text.lstrip("0")
    # Not by `isdigit` alone: other scripts have digits, too. Not by `int` alone: it takes signs and blanks.
    if not (text.isascii() and text.isdigit()) or len(digits) > 10 or (value := int(digits or "0")) > most:
        raise BadHeader("", f"not a number from 0 to {most}")
    return value


def seconds(text: str) -> int | None:
    """delta-seconds, or another length; more than can be said means the most. None: what is malformed."""
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0")
    return min(int(digits or "0"), MOST_SECONDS) if len(digits) <= 10 else MOST_SECONDS
