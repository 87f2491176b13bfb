"""The forms in which people dial the number of a line."""

from __future__ import annotations

_INTERNATIONAL = ("+", "00")
_COUNTRY = "48"
_NATIONAL_DIGITS = 9
"Of a Polish number: people dial it as it is."


def whole_number(dialled: str) -> str:
    """As lines have it (E.164 without +): of +48 and 0048 and nine digits, and of nine digits alone.

    What is dialled in no such form is that itself.
    """
    for prefix in _INTERNATIONAL:
        if dialled.startswith(prefix):
            return dialled.removeprefix(prefix)
    if len(dialled) == _NATIONAL_DIGITS and dialled.isdecimal() and dialled.isascii():
        return _COUNTRY + dialled
    return dialled
