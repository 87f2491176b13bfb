"""YAML as the text that was written, with places: no types, no objects, no aliases, bounded.

Built on the parser's events, not on its constructors: `0101`, `00:15:65:4a:a9:37`, `1e3` and `on` stay what the person
wrote, nothing is executed or multiplied, and a file that nests without end stops at `DEEPEST`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

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

from provisioner.files.errors import START, FileError, FileErrors, Position

LARGEST_BYTES = 4 * 2**20
DEEPEST = 16
"Levels of lists and mappings; a company file has nine."

Path = tuple[str | int, ...]
Plain = str | None | list["Plain"] | dict[str, "Plain"]

# The parser in C is twenty times faster; wheels have it, a source build may not.
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


@dataclass(slots=True)
class Node:
    """A value of the file and where it begins."""

    position: Position
    value: str | None | list[Node] | dict[str, Node]
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
        node = self
        for part in path:
            if isinstance(part, int) and isinstance(node.value, list) and part < len(node.value):
                node = node.value[part]
            elif isinstance(part, str) and isinstance(node.value, dict) and part in node.value:
                node = node.value[part]
            else:
                break
        return node.position

    def locate_key(self, path: Path) -> Position:
        """Where the key that ends `path` is."""
        node = self
        for part in path[:-1]:
            if isinstance(part, int) and isinstance(node.value, list):
                node = node.value[part]
            elif isinstance(part, str) and isinstance(node.value, dict):
                node = node.value[part]
        return node.keys.get(str(path[-1]), node.position)


def spelled(path: Path) -> str:
    """A path as people read it: `customers[0].lines[1].number`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def read_tree(data: bytes, name: str) -> Node:
    """The one document of a file. Raises `FileErrors` with everything that is wrong with its form."""
    if len(data) > LARGEST_BYTES:
        raise _refused(
            name, START, f"the file has {len(data)} bytes: at most {LARGEST_BYTES} are read; split it by customer"
        )
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
        byte = data[start + error.start]
        raise _refused(
            name,
            _position_in(good, len(good)),
            f"the byte 0x{byte:02X} is not UTF-8: save the file as UTF-8 (it looks like Windows-1250 or ISO 8859-2)",
        ) from error


class _Composer:
    """Builds the tree from the parser's events; keeps on after what it can leave out."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._errors: list[FileError] = []

    def compose(self, text: str) -> Node:
        root: Node | None = None
        try:
            events = iter(yaml.parse(text, Loader=_Loader))
            for event in events:
                if isinstance(event, DocumentStartEvent):
                    if root is not None:
                        raise _refused(
                            self._name, _start(event), "a second document begins here: write one document a file"
                        )
                    root = self._node(next(events), events, (), 0)
        except yaml.MarkedYAMLError as error:
            raise FileErrors(self._name, [*self._errors, _syntax_error(error)]) from error
        except yaml.YAMLError as error:
            raise _refused(self._name, START, f"the file can't be read as YAML: {error}") from error
        if self._errors:
            raise FileErrors(self._name, self._errors)
        return root or Node(START, None)

    def _node(self, event: Event, events: Iterator[Event], path: Path, depth: int) -> Node:
        position = _start(event)
        if isinstance(event, AliasEvent):
            # Aliases let a small file grow without end, and *40 without quotes is one.
            self._wrong(position, path, f'*{event.anchor} is an alias: write a code in quotes, "*{event.anchor}"')
            return Node(position, None)
        if isinstance(event, NodeEvent) and event.anchor:
            self._wrong(position, path, f'&{event.anchor} is an anchor: write a text in quotes, "&{event.anchor}"')
        if getattr(event, "tag", None):
            self._wrong(position, path, "a tag (!) has no meaning here: write the text in quotes")
        if isinstance(event, ScalarEvent):
            null = event.style is None and event.value in _NULL
            return Node(position, None if null else event.value)
        if isinstance(event, CollectionStartEvent):
            if depth == DEEPEST:
                raise FileErrors(
                    self._name,
                    [*self._errors, FileError(position, "", f"the file nests deeper than {DEEPEST} levels here")],
                )
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
                self._wrong(key.position, path, "a key must be a text: write it before the colon, in quotes if need be")
            elif name in entries:
                first = keys[name]
                self._wrong(
                    key.position, (*path, name), f"the key is already given in line {first.line}: leave one of them"
                )
            else:
                entries[name] = value
                keys[name] = key.position
        return Node(position, entries, keys)

    def _wrong(self, position: Position, path: Path, message: str) -> None:
        self._errors.append(FileError(position, spelled(path), message))


def _start(event: Event) -> Position:
    mark = event.start_mark
    return Position(mark.line + 1, mark.column + 1)


def _syntax_error(error: yaml.MarkedYAMLError) -> FileError:
    mark = error.problem_mark or error.context_mark
    position = Position(mark.line + 1, mark.column + 1) if mark else START
    problem = " ".join(part for part in (error.context, error.problem) if part)
    hint = ""
    if "\\t" in problem or "tab" in problem:
        hint = "; indent with blanks, not tabs"
    elif "alias" in problem or "anchor" in problem:
        hint = '; write codes in quotes: "*40"'
    return FileError(position, "", f"this is not YAML: {problem}{hint}")
