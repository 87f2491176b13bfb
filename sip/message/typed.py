"""Attributes of a message that stand for headers: read when they are looked at, written when they are set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, Protocol, Self, TypeVar, overload

from sip.errors import BadAuthHeader
from sip.message import lexer, limits
from sip.message.errors import BadHeader, BadUri
from sip.message.headers import Headers, key_of

T = TypeVar("T")
R = TypeVar("R", covariant=True)


class HasHeaders(Protocol):
    """A message, as far as its headers go."""

    headers: Headers


class _Read(Generic[R]):
    """What all headers of one name are read as. Raises `BadHeader` for what can't be."""

    def __init__(self, name: str) -> None:
        self._name, self._key = name, key_of(name)

    def _read(self, values: Sequence[str]) -> R:
        raise NotImplementedError

    @overload
    def __get__(self, message: None, owner: type) -> Self: ...
    @overload
    def __get__(self, message: HasHeaders, owner: type) -> R: ...
    def __get__(self, message: HasHeaders | None, owner: type) -> Any:
        if message is None:
            return self
        headers = message.headers
        typed = headers.typed
        if self._key in typed:
            return typed[self._key]
        try:
            value = typed[self._key] = self._read(headers.under(self._key))
        except (BadHeader, BadUri, BadAuthHeader) as error:
            raise BadHeader(self._name, str(error)) from error
        return value


class One(_Read[T | None]):
    """A header that is there once at most: a value, or None. Raises `BadHeader` where it is there twice.

    Set to None, it goes.
    """

    def __init__(self, name: str, parse: Callable[[str], T], write: Callable[[T], str] = str) -> None:
        super().__init__(name)
        self._parse, self._write = parse, write

    def _read(self, values: Sequence[str]) -> T | None:
        if not any(values):
            # An empty header says nothing.
            return None
        if len(values) > 1:
            raise BadHeader("", "is there more often than once")
        return self._parse(values[0])

    def __set__(self, message: HasHeaders, value: T | None) -> None:
        message.headers.set(self._name, *(() if value is None else (self._write(value),)))


class Needed(_Read[T]):
    """A header without which there is no message (§8.1.1). Raises `BadHeader` where it is not there once."""

    def __init__(self, name: str, parse: Callable[[str], T]) -> None:
        super().__init__(name)
        self._parse = parse

    def _read(self, values: Sequence[str]) -> T:
        if len(values) != 1:
            raise BadHeader("", "is there more often than once" if values else "is missing")
        return self._parse(values[0])

    def __set__(self, message: HasHeaders, value: T) -> None:
        message.headers.set(self._name, str(value))


class Several(_Read[tuple[T, ...]]):
    """A header whose values are joined by commas, stand in headers of their own, or both: all, in order."""

    def __init__(self, name: str, parse: Callable[[str], T]) -> None:
        super().__init__(name)
        self._parse = parse

    def _read(self, values: Sequence[str]) -> tuple[T, ...]:
        if not values:
            return ()
        elements = [each for value in values for each in lexer.elements(value)]
        if len(elements) > limits.VALUES:
            raise BadHeader("", f"more than {limits.VALUES} values")
        return tuple([self._parse(element) for element in elements])

    def __set__(self, message: HasHeaders, values: Iterable[T]) -> None:
        message.headers.set(self._name, *map(str, values))


class Lines(_Read[tuple[T, ...]]):
    """A header whose commas don't part its values: what is read of each line, joined."""

    def __init__(self, name: str, parse: Callable[[str], tuple[T, ...]]) -> None:
        super().__init__(name)
        self._parse = parse

    def _read(self, values: Sequence[str]) -> tuple[T, ...]:
        return tuple([each for value in values for each in self._parse(value)])
