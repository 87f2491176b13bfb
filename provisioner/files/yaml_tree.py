"""YAML as the text that was written, with places: no types, no objects, no aliases, bounded.

Built on the parser's events, not on its constructors: `0101`, `00:15:65:4a:a9:37`, `1e3` and `on` stay what
the person wrote, nothing is executed or multiplied, and a file that nests without end stops at `DEEPEST`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)

from provisioner.centrex.text import shown
from provisioner.files.errors import START, FileError, FileErrors, Position

LARGEST_BYTES = 4 * 2**20
MOST_VALUES = 500_000
"Keys and values of a file; five thousand phones with ten keys each have fewer."
LONGEST_KEY = 120
"Characters of a key that a message repeats whole: as many as a parameter's name has."
DEEPEST = 16
"Levels of lists and mappings; a company file has nine."

Path = tuple[str | int, ...]
Plain = str | list["Plain"] | dict[str, "Plain"] | None

# The parser in C is twenty times faster; wheels have it, a source build may not.
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


@dataclass(slots=True)
class Node:
    """A value of the file and where it begins."""

    position: Position
    value: str | list[Node] | dict[str, Node] | None
    "A text, null, a list, or a mapping."
    keys: dict[str, Position] = field(default_factory=dict)
    "Where the keys of a mapping are."

    def plain(self) -> Plain:
        """The value without places."""
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        if isinstance(self.value, dict):
            return {key: item.plain() for key, item in self.value.items()}
        return self.value

    def locate(self, path: Path) -> Position:
        """Where the value at `path` is, or the last part of the way that is there."""
        return self._at(path).position

    def locate_key(self, path: Path) -> Position:
        """Where the key that ends `path` is."""
        owner = self._at(path[:-1])
        return owner.keys.get(str(path[-1]), owner.position)

    def there(self, path: Path) -> Path:
        """As much of the way `path` as the file has."""
        return path[: len(self._way(path))]

    def _at(self, path: Path) -> Node:
        return [self, *self._way(path)][-1]

    def _way(self, path: Path) -> list[Node]:
        """The nodes along `path`, as far as they are there."""
        way: list[Node] = []
        node = self
        for part in path:
            child: Node | None = None
            if isinstance(node.value, dict):
                child = node.value.get(str(part))
            elif isinstance(node.value, list) and isinstance(part, int) and part < len(node.value):
                child = node.value[part]
            if child is None:
                break
            node = child
            way.append(node)
        return way


@dataclass(frozen=True, slots=True)
class Tree:
    """A file's one document."""

    root: Node
    errors: tuple[FileError, ...]
    "What is wrong with its form although it could be read on: aliases, keys given twice."


def spelled(path: Path) -> str:
    """A path as people read it: `customers[0].lines[1].number`.

    Keys are a person's text: what a terminal would not print as it is, or is longer than any key of ours,
    stands there in quotes.
    """
    parts = (f"[{part}]" if isinstance(part, int) else f".{_spelled_key(part)}" for part in path)
    return "".join(parts).removeprefix(".")


def _spelled_key(key: str) -> str:
    return key if key.isprintable() and len(key) <= LONGEST_KEY else shown(key)


def read_tree(data: bytes, name: str) -> Tree:
    """The document of a file called `name`. Raises `FileErrors` where it can't be read on."""
    if len(data) > LARGEST_BYTES:
        message = f"the file has {len(data)} bytes: at most {LARGEST_BYTES} are read; split it by customer"
        raise _refused(name, START, message)
    text = _decoded(data, name)
    unwanted = [
        FileError(
            _position_in(text, match.start()),
            "",
            f"the character U+{ord(match.group()):04X} is not text: take it out",
        )
        for match in _first(_UNWANTED.finditer(text), 20)
    ]
    if unwanted:
        raise FileErrors(name, unwanted)
    return _Composer(name).compose(text)


def _refused(name: str, position: Position, message: str) -> FileErrors:
    return FileErrors(name, [FileError(position, "", message)])


def _first(matches: Iterator[re.Match[str]], count: int) -> list[re.Match[str]]:
    return [match for match, _ in zip(matches, range(count), strict=False)]


def _position_in(text: str, offset: int) -> Position:
    before = text[:offset].replace("\r\n", "\n").replace("\r", "\n")
    return Position(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _decoded(data: bytes, name: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _refused(name, START, "the file is UTF-16: save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = 3 if data.startswith(b"\xef\xbb\xbf") else 0
        good = data[start : start + error.start].decode("utf-8")
        message = (
            f"the byte 0x{data[start + error.start]:02X} is not UTF-8 (Windows-1250?): save the file as UTF-8"
        )
        raise _refused(name, _position_in(good, len(good)), message) from error


class _Composer:
    """Builds the tree from the parser's events; keeps on after what it can leave out."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._errors: list[FileError] = []
        self._values = 0

    def compose(self, text: str) -> Tree:
        root: Node | None = None
        try:
            events = iter(yaml.parse(text, Loader=_Loader))
            for event in events:
                if isinstance(event, DocumentStartEvent):
                    if root is not None:
                        message = "a second document begins here: a file has one"
                        raise _refused(self._name, _start(event), message)
                    root = self._node(next(events), events, (), 0)
        except yaml.MarkedYAMLError as error:
            raise FileErrors(self._name, [*self._errors, _syntax_error(error, text)]) from error
        except yaml.YAMLError as error:
            raise _refused(self._name, START, f"the file can't be read as YAML: {error}") from error
        return Tree(root or Node(START, None), tuple(self._errors))

    def _node(self, event: Event, events: Iterator[Event], path: Path, depth: int) -> Node:
        position = _start(event)
        self._values += 1
        if self._values > MOST_VALUES:
            message = f"the file has more than {MOST_VALUES} values: split it by customer"
            raise _refused(self._name, position, message)
        if isinstance(event, AliasEvent):
            # Aliases let a small file grow without end, and *40 without quotes is one.
            message = f'*{event.anchor} without quotes is an alias of YAML: write "*{event.anchor}"'
            self._wrong(position, path, message)
            return Node(position, None)
        if isinstance(event, NodeEvent) and event.anchor:
            message = f'&{event.anchor} without quotes is an anchor of YAML: write "&{event.anchor}"'
            self._wrong(position, path, message)
        if getattr(event, "tag", None):
            self._wrong(position, path, "a tag (!) has no meaning here: write the text in quotes")
        if isinstance(event, ScalarEvent):
            null = event.implicit[0] and event.value in _NULL  # not in quotes
            return Node(position, None if null else event.value)
        if isinstance(event, CollectionStartEvent):
            if depth == DEEPEST:
                deep = FileError(
                    position, "", f"the file nests deeper than {DEEPEST} levels here: write it flatter"
                )
                raise FileErrors(self._name, [*self._errors, deep])
            if isinstance(event, MappingStartEvent):
                return self._mapping(position, events, path, depth)
            return self._sequence(position, events, path, depth)
        raise AssertionError(f"{event} can't begin a value")

    def _sequence(self, position: Position, events: Iterator[Event], path: Path, depth: int) -> Node:
        items: list[Node] = []
        while not isinstance(event := next(events), CollectionEndEvent):
            items.append(self._node(event, events, (*path, len(items)), depth + 1))
        return Node(position, items)

    def _mapping(self, position: Position, events: Iterator[Event], path: Path, depth: int) -> Node:
        entries: dict[str, Node] = {}
        keys: dict[str, Position] = {}
        while not isinstance(event := next(events), CollectionEndEvent):
            key = self._node(event, events, path, depth + 1)
            name = key.value if isinstance(key.value, str) else ""
            value = self._node(next(events), events, (*path, name), depth + 1)
            if not isinstance(key.value, str):
                self._wrong(key.position, path, "a key must be a text before a colon")
            elif name in entries:
                message = f"this key is already in line {keys[name].line}: leave one of them"
                self._wrong(key.position, (*path, name), message)
            else:
                entries[name] = value
                keys[name] = key.position
        return Node(position, entries, keys)

    def _wrong(self, position: Position, path: Path, message: str) -> None:
        self._errors.append(FileError(position, spelled(path), message))


def _start(event: Event) -> Position:
    return _position(event.start_mark)


def _position(mark: Any) -> Position:
    return Position(mark.line + 1, mark.column + 1) if mark else START


def _syntax_error(error: yaml.MarkedYAMLError, text: str) -> FileError:
    position = _position(error.problem_mark or error.context_mark)
    problem = " ".join(part for part in (error.context, error.problem) if part)
    hint = ""
    line = "".join(text.splitlines()[position.line - 1 : position.line])
    if "\t" in line[: position.column]:
        hint = "; indent with blanks, not tabs"
    elif "alias" in problem or "anchor" in problem:
        hint = '; write codes in quotes: "*40"'
    return FileError(position, "", f"this is not YAML: {problem}{hint}")
