"""Parameters of headers and URIs: `;name=value;name` (RFC 3261 §7.3.1, §19.1.1)."""

from __future__ import annotations

from typing import Self

from sip.message import lexer
from sip.message.errors import BadHeader


class Parameters(tuple[tuple[str, str | None], ...]):
    """Names and values in the order and the spelling in which they came.

    Values are kept as written, quotes and escapes included; None stands for a name alone. Names are compared
    without regard to case. Where a name is said twice the first counts.
    """

    __slots__ = ()

    @classmethod
    def of_header(cls, text: str) -> Self:
        """From what follows a header's value. Empty ones (`;;`) are passed over. Raises `BadHeader`."""
        found: list[tuple[str, str | None]] = []
        for part in lexer.parameters(text):
            name, equals, value = part.partition("=")
            name = name.strip(lexer.BLANKS)
            if name or equals:
                found.append((lexer.token(name), value.strip(lexer.BLANKS) if equals else None))
        return cls(found)

    @classmethod
    def of_uri(cls, text: str) -> Self:
        """From what follows a URI's host."""
        found: list[tuple[str, str | None]] = []
        for part in text.split(";"):
            name, equals, value = part.partition("=")
            if name:
                found.append((name, value if equals else None))
        return cls(found)

    def get(self, name: str) -> str | None:
        """The value as written; None where it has none, or isn't there. `name` is lower case."""
        for each, value in self:
            if each == name or each.lower() == name:
                return value
        return None

    def text(self, name: str) -> str | None:
        """The value without its quotes."""
        value = self.get(name)
        return None if value is None else lexer.unquoted(value)

    def has(self, name: str) -> bool:
        """Whether it is there, with or without a value. `name` is lower case."""
        return name in [each.lower() for each, _ in self]

    def with_(self, name: str, value: str | None = None) -> Parameters:
        """The same with `name` said once: in its place, or at the end."""
        if not self.has(name):
            return Parameters((*self, (name, value)))
        kept, placed = [], False
        for each in self:
            if each[0].lower() != name:
                kept.append(each)
            elif not placed:
                kept.append((each[0], value))
                placed = True
        return Parameters(kept)

    def without(self, *names: str) -> Parameters:
        """The same but for `names`, lower case."""
        return Parameters(each for each in self if each[0].lower() not in names)

    def __str__(self) -> str:
        if not self:
            return ""
        return "".join([f";{name}" if value is None else f";{name}={value}" for name, value in self])


NONE = Parameters()


def split_off(text: str) -> tuple[str, Parameters]:
    """A value, which holds no semicolon itself, and its parameters. Raises `BadHeader`."""
    value, _, rest = text.partition(";")
    value = value.strip(lexer.BLANKS)
    if not value:
        raise BadHeader("", "there is no value")
    return value, Parameters.of_header(rest) if rest else NONE
