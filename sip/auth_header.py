"""Values of Authorization, WWW-Authenticate and their Proxy- siblings (RFC 3261 §25.1, RFC 9110 §11.2).

One pass from left to right, and no piece is looked at twice: whatever a stranger sends takes linear time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sip.errors import BadAuthHeader

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_PIECE = re.compile(
    # A parameter, before its name perhaps a scheme; or a scheme that has none, with one word at most …
    rf"(?:({_WORD})(?:[ \t]++({_WORD}))?[ \t]*+=[ \t]*+"
    r'(?:"([^"\\]*+(?:\\.[^"\\]*+)*)"|([^ \t,"]*+))'
    rf"|({_WORD})(?:[ \t]++[A-Za-z0-9._~+/-]++=*+)?)"
    # … up to the next; or whatever else is left.
    r"[ \t]*+(?:,[ \t,]*+|\Z)|(.++)",
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_TO_ESCAPE = re.compile(r'["\\]')
_MOST = 100
"Schemes and parameters of one line; the longest that is known has about fifteen."


@dataclass(frozen=True, slots=True)
class AuthValue:
    """One challenge or one set of credentials."""

    scheme: str
    "Lower case."
    parameters: Mapping[str, str]
    "By lower-case name, without quotes. Empty for schemes that have none, such as Basic."


def parse_auth(text: str) -> tuple[AuthValue, ...]:
    """What one header line holds; WWW-Authenticate may hold several challenges, joined by commas.

    Raises `BadAuthHeader`, also where a parameter is said twice: two readers could pick different ones.
    """
    text = text.lstrip(" \t,")
    pieces = _PIECE.findall(text)
    if len(pieces) > _MOST:
        raise BadAuthHeader(f"more than {_MOST} schemes and parameters")
    found: list[tuple[str, dict[str, str]]] = []
    for name, second, quoted, plain, alone, left in pieces:
        if left:
            raise BadAuthHeader(f"neither a scheme nor a parameter {len(left)} characters before the end")
        if alone:
            found.append((alone.lower(), {}))
            continue
        if second:
            found.append((name.lower(), {}))
            name = second
        if not found:
            raise BadAuthHeader("a parameter stands before any scheme")
        parameters = found[-1][1]
        name = name.lower()
        if name in parameters:
            raise BadAuthHeader("a parameter is said twice")
        parameters[name] = _ESCAPED.sub(r"\1", quoted) if "\\" in quoted else quoted or plain
    return tuple([AuthValue(scheme, parameters) for scheme, parameters in found])


def quoted(text: str) -> str:
    """`text` as a quoted-string (RFC 3261 §25.1). Raises `BadAuthHeader` for what no header can hold."""
    if "\r" in text or "\n" in text or "\0" in text:
        raise BadAuthHeader("a quoted text can't hold a line end")
    if '"' in text or "\\" in text:
        text = _TO_ESCAPE.sub(_escape, text)
    return f'"{text}"'


def _escape(match: re.Match[str]) -> str:
    return "\\" + match[0]
