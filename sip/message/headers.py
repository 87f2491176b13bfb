"""The headers of a message, in order, as they were written (RFC 3261 §7.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from typing import Any, TypeAlias, TypeVar

from sip.message import lexer

T = TypeVar("T")

Field: TypeAlias = tuple[str, str, str]
"Key, name and value: a header's name in the one spelling that all have, as it came, and what follows it."

COMPACT = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "n": "identity-info",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}
"The one-letter names (§7.3.3 and the IANA registry of SIP header fields)."

KEYS = {
    name: name.lower()
    for name in (
        "Via", "From", "To", "Call-ID", "CSeq", "Contact", "Max-Forwards", "Expires", "User-Agent",
        "Authorization", "Proxy-Authorization", "WWW-Authenticate", "Content-Length", "Content-Type",
        "Accept", "Allow", "Allow-Events", "Supported", "Require", "Route", "Record-Route", "Path", "Event",
        "Server", "Date", "Timestamp", "Retry-After", "Subscription-State", "Session-Expires", "Min-SE",
    )
} | COMPACT  # fmt: skip
"Most names of most messages as they are written; others are found by `key_of` all the same."


def key_of(name: str) -> str:
    """The one spelling of a header's name: long and lower case."""
    key = KEYS.get(name)
    if key is None:
        lower = name.lower()
        key = COMPACT.get(lower, lower)
    return key


class Headers:
    """Names and values in order. What is read as a type is read once, until its header changes.

    Content-Length is never among them: the length of the body is known.
    """

    __slots__ = ("_fields", "_values", "typed")

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        """Raises `ValueError` for what would not be one header each."""
        self._fields: list[Field] = [_field(name, value) for name, value in fields]
        self._values: dict[str, list[str]] | None = None
        "By key; None: not asked for since headers changed."
        self.typed: dict[str, Any] = {}
        "What all headers of a key were read as; `sip.message.typed` looks here before it asks `read`."

    @classmethod
    def as_read(cls, fields: list[Field]) -> Headers:
        """From lines that the parser has checked."""
        headers = cls()
        headers._fields = fields
        return headers

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((name, value) for _, name, value in self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._fields == other._fields

    __hash__ = None  # type: ignore[assignment]

    def __contains__(self, name: str) -> bool:
        return bool(self._under(key_of(name)))

    def all(self, name: str) -> list[str]:
        """The values of every header of this name, commas not yet read."""
        return list(self._under(key_of(name)))

    def get(self, name: str) -> str | None:
        """The value of the first header of this name."""
        values = self._under(key_of(name))
        return values[0] if values else None

    def add(self, name: str, value: str) -> None:
        """Adds a header after all others. Raises `ValueError` for what would not be one header."""
        field = _field(name, value)
        self._fields.append(field)
        self._changed(field[0])

    def prepend(self, name: str, value: str) -> None:
        """Adds a header before all others, as a Via or Record-Route is. Raises `ValueError` as `add` does."""
        field = _field(name, value)
        self._fields.insert(0, field)
        self._changed(field[0])

    def set(self, name: str, *values: str) -> None:
        """Leaves these alone under this name, where the first stood; raises `ValueError` as `add` does."""
        fields = [_field(name, value) for value in values]
        key = key_of(name)
        at = next((i for i, field in enumerate(self._fields) if field[0] == key), len(self._fields))
        self.remove(name)
        self._fields[at:at] = fields

    def set_first(self, name: str, value: str, typed: object = None) -> None:
        """Another value in the first header of this name, with which all of them are read as `typed`.

        Without that they are read again when they are asked for. Raises `ValueError` as `add` does.
        """
        field = key, _, value = _field(name, value)
        for at, each in enumerate(self._fields):
            if each[0] == key:
                self._fields[at] = field
                break
        else:
            raise ValueError(f"there is no {name}")
        if self._values is not None:
            self._values[key][0] = value
        self.typed.pop(key, None)
        if typed is not None:
            self.typed[key] = typed

    def remove(self, name: str) -> None:
        """Takes out every header of this name."""
        key = key_of(name)
        self._fields = [field for field in self._fields if field[0] != key]
        self._changed(key)

    def copy(self, *names: str) -> Headers:
        """A copy: of the headers of these names, or of all."""
        if not names:
            return Headers.as_read(list(self._fields))
        return self.of_keys({key_of(name) for name in names})

    def of_keys(self, keys: Set[str]) -> Headers:
        """A copy of the headers of these keys."""
        return Headers.as_read([field for field in self._fields if field[0] in keys])

    @property
    def lines(self) -> str:
        """All of them, as a message holds them."""
        return "".join([f"{name}: {value}\r\n" for _, name, value in self._fields])

    def read(self, key: str, read: Callable[[Sequence[str]], T]) -> T:
        """What `read` makes of the values under `key`, kept in `typed`. Raises what `read` raises."""
        value = self.typed[key] = read(self._under(key))
        return value

    def _under(self, key: str) -> Sequence[str]:
        values = self._values
        if values is None:
            values = self._values = {}
            for each, _, value in self._fields:
                if each in values:
                    values[each].append(value)
                else:
                    values[each] = [value]
        return values.get(key, ())

    def _changed(self, key: str) -> None:
        self.typed.pop(key, None)
        self._values = None


def _field(name: str, value: str) -> Field:
    if name not in KEYS and not lexer.is_token(name):
        raise ValueError(f"{name!r} can't name a header")
    if not lexer.is_writable(value):
        raise ValueError(f"a value of {name} can't hold a line end or a lone surrogate")
    key = key_of(name)
    if key == "content-length":
        raise ValueError("Content-Length is written by the message that knows its body")
    return key, name, value.strip(lexer.BLANKS)
