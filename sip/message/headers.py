"""The headers of a message, in order, as they were written (RFC 3261 §7.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from sip.message import lexer

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
        "P-Asserted-Identity", "Remote-Party-ID", "Privacy", "Reason", "Alert-Info",
    )
} | COMPACT  # fmt: skip
"Most names of most messages as they are written; others are found by `key_of` all the same."


SPELLINGS = {name: (key, name) for name, key in KEYS.items()}
"The same, and the name once more: so all messages hold one and the same text."


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

    __slots__ = ("_fields", "_first", "typed")

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        """Raises `ValueError` for what would not be one header each."""
        self._fields: list[Field] = [_field(name, value) for name, value in fields]
        self._first: dict[str, str] | None = None
        "The value of the first header of each key; None: not asked for since headers changed."
        self.typed: dict[str, Any] = {}
        "What `sip.message.typed` has read all headers of a key as."

    @classmethod
    def as_read(cls, fields: list[Field]) -> Headers:
        """From lines that the parser has checked."""
        headers = cls.__new__(cls)
        headers._fields, headers._first, headers.typed = fields, None, {}
        return headers

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((name, value) for _, name, value in self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._fields == other._fields

    __hash__ = None  # type: ignore[assignment]

    def __contains__(self, name: str) -> bool:
        return bool(self.under(key_of(name)))

    def all(self, name: str) -> list[str]:
        """The values of every header of this name, commas not yet read."""
        return list(self.under(key_of(name)))

    def get(self, name: str) -> str | None:
        """The value of the first header of this name."""
        values = self.under(key_of(name))
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
        keys = [field[0] for field in self._fields]
        if key in keys:
            at = keys.index(key)
            self.remove(name)
            self._fields[at:at] = fields
        else:
            self._fields += fields
            self._changed(key)

    def note_in_first(self, key: str, value: str, typed: object) -> None:
        """Another value in the first header of this key, with which all of them are read as `typed`.

        It is made of what was read there, so it is not looked through again.
        """
        for at, (each, name, _) in enumerate(self._fields):
            if each == key:
                self._fields[at] = key, name, value
                break
        if self._first is not None:
            self._first[key] = value
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
        keys = {key_of(name) for name in names}
        return Headers.as_read([field for field in self._fields if field[0] in keys])

    @property
    def fields(self) -> Sequence[Field]:
        """All of them; not to be changed."""
        return self._fields

    @property
    def lines(self) -> str:
        """All of them, as a message holds them."""
        return "".join([f"{name}: {value}\r\n" for _, name, value in self._fields])

    def under(self, key: str) -> Sequence[str]:
        """The values of every header of this key; not to be changed."""
        first = self._first
        if first is None:
            first = self._first = {each: value for each, _, value in reversed(self._fields)}
        if key not in first:
            return ()
        if len(first) == len(self._fields):
            # No header is there twice, as nearly always.
            return (first[key],)
        return [value for each, _, value in self._fields if each == key]

    def _changed(self, key: str) -> None:
        self.typed.pop(key, None)
        self._first = None


def _field(name: str, value: str) -> Field:
    key = KEYS.get(name)
    if key is None:
        if not lexer.is_token(name):
            raise ValueError(f"{name!r} can't name a header")
        key = key_of(name)
    if not lexer.is_writable(value):
        raise ValueError(f"a value of {name} can't hold a line end or a lone surrogate")
    if key == "content-length":
        raise ValueError("Content-Length is written by the message that knows its body")
    return key, name, value.strip(lexer.BLANKS)
