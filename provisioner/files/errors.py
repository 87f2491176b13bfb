"""What a file is refused with: everything that is wrong in it, each with its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from provisioner.centrex.errors import CentralkaError

SHOWN = 100
"Errors that the message names; the list holds all of them."


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a text; both count from 1."""

    line: int
    column: int


START = Position(1, 1)


@dataclass(frozen=True, slots=True)
class FileError:
    """One thing that is wrong."""

    position: Position
    path: str
    "Where it is in the file's own terms, such as `customers[0].lines[1].number`; empty for the file itself."
    message: str
    "What is wrong and what to do."

    @property
    def line(self) -> int:
        """From 1."""
        return self.position.line

    @property
    def column(self) -> int:
        """From 1."""
        return self.position.column

    def __str__(self) -> str:
        where = f"line {self.line}, column {self.column}"
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


@dataclass(frozen=True, slots=True)
class RowError(FileError):
    """One thing that is wrong in a table: its column counts cells, its path is the name of a column."""

    def __str__(self) -> str:
        return (
            f"row {self.line}: {self.path}: {self.message}"
            if self.path
            else f"row {self.line}: {self.message}"
        )


class FileErrors(CentralkaError):
    """A file that is refused. Nothing of it is kept."""

    code = "bad-file"

    def __init__(self, name: str, items: Iterable[FileError]) -> None:
        self.name = name
        self.items = tuple(sorted(set(items), key=lambda item: (item.position, item.path, item.message)))
        lines = [f"{name}: {item}" for item in self.items[:SHOWN]]
        if len(self.items) > SHOWN:
            lines.append(f"{name}: and {len(self.items) - SHOWN} more errors")
        super().__init__("\n".join(lines))
