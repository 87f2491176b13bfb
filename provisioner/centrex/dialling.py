"""The forms in which people dial the number of a line."""

from __future__ import annotations

from dataclasses import dataclass

_PLUS = "+"


@dataclass(frozen=True, slots=True)
class NumberForms:
    """How numbers are dialled in the country where the phones are. What it is by default, is Poland's way."""

    country_code: str = "48"
    "Of those who dial no country."
    international_prefix: str = "00"
    "What is dialled before the code of a country; + always may be."
    national_prefix: str = ""
    "What is dialled before a number of one's own country; empty: nothing."
    national_digits: tuple[int, int] = (9, 9)
    "How many digits follow that: at least, and at most."

    def whole(self, dialled: str) -> str:
        """As lines have it (E.164 without +): of +48 and 0048 and nine digits, and of nine digits alone.

        What is dialled in no such form is that itself.
        """
        for prefix in (_PLUS, self.international_prefix):
            if dialled.startswith(prefix):
                return dialled.removeprefix(prefix)
        number = dialled.removeprefix(self.national_prefix)
        fewest, most = self.national_digits
        if not dialled.startswith(self.national_prefix) or not fewest <= len(number) <= most:
            return dialled
        return self.country_code + number if number.isdecimal() and number.isascii() else dialled
