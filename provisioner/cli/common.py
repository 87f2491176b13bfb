"""What the verbs share: their common options, opening the installation, and printing."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
import uvloop
from rich.console import Console

from provisioner.centrex.errors import BadValue
from provisioner.operations.installation import Installation, opened
from provisioner.settings import Settings, read_settings

T = TypeVar("T")

# Tables that go into a file or a pipe are not squeezed into a terminal that isn't there.
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 220)
err = Console(stderr=True, highlight=False, soft_wrap=True)

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", envvar="CENTRALKA_DATA_DIR", help="Where everything is kept.")
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", envvar="CENTRALKA_CONFIG", help="Configuration file (TOML).")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")]
JUnitFile = Annotated[
    Path | None, typer.Option("--junit", help="Write JUnit XML for CI into this file.")
]
Mac = Annotated[str, typer.Argument(help="MAC address, in any spelling.")]


class Language(StrEnum):
    """That people are told things in."""

    PL = "pl"
    EN = "en"


DEFAULT_DATA_DIR = Path("centralka-data")
_before_the_verb: dict[str, Path | None] = {"data_dir": None, "config": None}


def everywhere(data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """IP-phone provisioning server."""
    # The two options may stand before the verb as well as after it.
    _before_the_verb.update(data_dir=data_dir, config=config)


def chosen_data_dir(data_dir: Path | None) -> Path:
    """The data directory that was given, before or after the verb, else the default."""
    return data_dir or _before_the_verb["data_dir"] or DEFAULT_DATA_DIR


def chosen_settings(config: Path | None, **listen: Any) -> Settings:
    """The settings of the file that was given, with the listeners' options over them."""
    return read_settings(config or _before_the_verb["config"], **listen)


def with_installation(
    data_dir: Path | None, config: Path | None, work: Callable[[Installation], Awaitable[T]]
) -> T:
    """Runs `work` on the opened installation."""

    async def run() -> T:
        async with opened(chosen_data_dir(data_dir), chosen_settings(config)) as installation:
            return await work(installation)

    return uvloop.run(run())


def read_bytes(file: Path) -> bytes:
    """What a file holds. Raises `BadValue` where it can't be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadValue(f"can't read {file}: {error.strerror}") from error


def write_bytes(file: Path, content: bytes) -> None:
    """Has a file hold that. Raises `BadValue` where it can't be written."""
    try:
        file.write_bytes(content)
    except OSError as error:
        raise BadValue(f"can't write {file}: {error.strerror}: give another file") from error


def check_place(file: Path | None) -> None:
    """Before work that takes a while. Raises `BadValue` where what comes of it can't be written there."""
    if file is not None and (file.is_dir() or not file.parent.is_dir()):
        why = "it is a directory" if file.is_dir() else f"there is no directory {file.parent}"
        raise BadValue(f"can't write {file}: {why}: give another file")


def moment(at: datetime | None) -> str:
    """A time as people read it; empty for none."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else ""


def print_json(value: Any) -> None:
    """Dataclasses, lists of them and times as JSON."""

    def plain(item: Any) -> Any:
        if isinstance(item, datetime):
            return item.isoformat()
        return asdict(item)

    sys.stdout.write(json.dumps(value, default=plain, ensure_ascii=False, indent=2) + "\n")
