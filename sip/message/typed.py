"""Attributes of a message that stand for headers: read when they are looked at, written when they are set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, Protocol, TypeVar, overload

from sip.errors import BadAuthHeader
from sip.message import lexer, limits
from sip.message.errors import BadHeader, BadUri
from sip.message.headers import Headers, key_of

T = TypeVar("T")


class HasHeaders(Protocol):
    """A message, as far as its headers go."""

    headers: Headers


class One(Generic[T]):
    """A header that is there once at most: a value, or None. Raises `BadHeader` where it is there twice.

    Set to None, it goes.
    """

    def __init__(self, name: str, parse: Callable[[str], T], write: Callable[[T], str] = str) -> None:
        self._name, self._key, self._parse, self._write = name, key_of(name), parse, write

    def _read(self, values: Sequence[str]) -> T | None:
        if not any(values):
            # An empty header says nothing.
            return None
        if len(values) > 1:
            raise BadHeader(self._name, "is there more often than once")
        return _named(self._name, self._parse, values[0])

    @overload
    def __get__(self, message: None, owner: type) -> One[T]: ...
    @overload
    def __get__(self, message: HasHeaders, owner: type) -> T | None: ...
    def __get__(self, message: HasHeaders | None, owner: type) -> One[T] | T | None:
        return self if message is None else message.headers.typed(self._key, self._read)

    def __set__(self, message: HasHeaders, value: T | None) -> None:
        message.headers.set(self._name, *(() if value is None else (self._write(value),)))


class Needed(Generic[T]):
    """A header without which there is no message (§8.1.1). Raises `BadHeader` where it is not there once."""

    def __init__(self, name: str, parse: Callable[[str], T]) -> None:
        self._name, self._key, self._parse = name, key_of(name), parse

    def _read(self, values: Sequence[str]) -> T:
        if len(values) != 1:
            raise BadHeader(self._name, "is there more often than once" if values else "is missing")
        return _named(self._name, self._parse, values[0])

    @overload
    def __get__(self, message: None, owner: type) -> Needed[T]: ...
    @overload
    def __get__(self, message: HasHeaders, owner: type) -> T: ...
    def __get__(self, message: HasHeaders | None, owner: type) -> Needed[T] | T:
        return self if message is None else message.headers.typed(self._key, self._read)

    def __set__(self, message: HasHeaders, value: T) -> None:
        message.headers.set(self._name, str(value))


class Several(Generic[T]):
    """A header whose values are joined by commas, stand in headers of their own, or both: all, in order."""

    def __init__(self, name: str, parse: Callable[[str], T]) -> None:
        self._name, self._key, self._parse = name, key_of(name), parse

    def _read(self, values: Sequence[str]) -> tuple[T, ...]:
        elements = [each for value in values for each in _named(self._name, lexer.elements, value)]
        if len(elements) > limits.VALUES:
            raise BadHeader(self._name, f"more than {limits.VALUES} values")
        return tuple(_named(self._name, self._parse, element) for element in elements)

    @overload
    def __get__(self, message: None, owner: type) -> Several[T]: ...
    @overload
    def __get__(self, message: HasHeaders, owner: type) -> tuple[T, ...]: ...
    def __get__(self, message: HasHeaders | None, owner: type) -> Several[T] | tuple[T, ...]:
        return self if message is None else message.headers.typed(self._key, self._read)

    def __set__(self, message: HasHeaders, values: Iterable[T]) -> None:
        message.headers.set(self._name, *map(str, values))


class Lines(Generic[T]):
    """A header whose commas don't part its values: what is read of each line, joined."""

    def __init__(self, name: str, parse: Callable[[str], tuple[T, ...]]) -> None:
        self._name, self._key, self._parse = name, key_of(name), parse

    def _read(self, values: Sequence[str]) -> tuple[T, ...]:
        return tuple(each for value in values for each in _named(self._name, self._parse, value))

    @overload
    def __get__(self, message: None, owner: type) -> Lines[T]: ...
    @overload
    def __get__(self, message: HasHeaders, owner: type) -> tuple[T, ...]: ...
    def __get__(self, message: HasHeaders | None, owner: type) -> Lines[T] | tuple[T, ...]:
        return self if message is None else message.headers.typed(self._key, self._read)


def _named(name: str, parse: Callable[[str], T], value: str) -> T:
    try:
        return parse(value)
    except BadHeader as error:
        raise BadHeader(name, str(error)) from None
    except (BadUri, BadAuthHeader) as error:
        raise BadHeader(name, str(error)) from error
