"""Values of Authorization, WWW-Authenticate and their Proxy- siblings (RFC 3261 §25.1, RFC 9110 §11.2).

One pass from left to right, and no piece is looked at twice: whatever a stranger sends takes linear time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sip.errors import BadAuthHeader

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
# Possessive throughout, but for the scheme: `realm = x` begins like one.
_PARAMETER = re.compile(
    rf"(?:({_WORD})[ \t]++)?({_WORD})[ \t]*+=[ \t]*+"
    r'(?:"((?:[^"\\]|\\.)*+)"|([^ \t,"]*+))[ \t]*+(?:,[ \t,]*+|\Z)',
    re.DOTALL,
)
_WITHOUT_PARAMETERS = re.compile(rf"({_WORD})(?:[ \t]++[A-Za-z0-9._~+/-]++=*+)?+[ \t]*+(?:,[ \t,]*+|\Z)")
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
    found: list[tuple[str, dict[str, str]]] = []
    position = len(text) - len(text.lstrip(" \t,"))
    for _ in range(_MOST):
        if position == len(text):
            return tuple(AuthValue(scheme, parameters) for scheme, parameters in found)
        if (parameter := _PARAMETER.match(text, position)) is not None:
            scheme, name, quoted, plain = parameter.groups()
            if scheme is not None:
                found.append((scheme.lower(), {}))
            if not found:
                raise BadAuthHeader("a parameter stands before any scheme")
            parameters = found[-1][1]
            name = name.lower()
            if name in parameters:
                raise BadAuthHeader("a parameter is said twice")
            if quoted is not None:
                plain = _ESCAPED.sub(r"\1", quoted) if "\\" in quoted else quoted
            parameters[name] = plain
            position = parameter.end()
        elif (other := _WITHOUT_PARAMETERS.match(text, position)) is not None:
            found.append((other[1].lower(), {}))
            position = other.end()
        else:
            raise BadAuthHeader(f"neither a scheme nor a parameter at character {position}")
    raise BadAuthHeader(f"more than {_MOST} schemes and parameters")


def quoted(text: str) -> str:
    """`text` as a quoted-string (RFC 3261 §25.1). Raises `BadAuthHeader` for what no header can hold."""
    if any(character in text for character in "\r\n\0"):
        raise BadAuthHeader("a quoted text can't hold a line end")
    return f'"{_TO_ESCAPE.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    return "\\" + match[0]
