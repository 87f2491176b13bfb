"""The verbs of firmware files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.cli.common import AsJson, ConfigFile, DataDir, moment, out, print_json, with_installation
from provisioner.operations import firmware
from provisioner.operations.firmware_check import check_firmware
from provisioner.operations.installation import Installation

FirmwareName = Annotated[
    str, typer.Argument(metavar="NAME", help="A file's name, as `firmware list` has it.")
]


def firmware_add(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.rom", help="The vendor's file; its name ends in its version: T46S-66.86.0.15.rom."
        ),
    ],
    sha256: Annotated[str | None, typer.Option("--sha256", help="What its SHA-256 must be.")] = None,
    models: Annotated[
        list[str] | None, typer.Option("--model", help="A model that it is meant for; may be said again.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Take a firmware file in, so that company files may name it."""

    async def add(installation: Installation) -> firmware.Added:
        # A name alone may mean a file that lies in the firmware folder already.
        inside = installation.firmware_dir / file
        source = inside if not file.exists() and file.name == str(file) and inside.exists() else file
        return await firmware.add_firmware(
            installation, source, COMMAND_LINE, sha256=sha256, models=models or ()
        )

    added = with_installation(data_dir, config, add)
    if as_json:
        print_json(added)
        return
    new = "added" if added.is_new else "was there already"
    out.print(
        f"{added.name} {new}: version {added.version}, {added.size} bytes, SHA-256 {added.sha256}.",
        markup=False,
    )
    out.print(f"It is for {', '.join(added.models)}, by its name: what is inside, only a phone can tell.")


def firmware_list(as_json: AsJson = False, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Every firmware file: which levels name it, and how far it has come."""
    found = with_installation(data_dir, config, firmware.list_firmware)
    if as_json:
        print_json(found)
        return
    table = Table("file", "version", "bytes", "added", "who shall have it", "run it", "of those who shall")
    for each in found:
        table.add_row(
            each.name,
            each.version,
            str(each.size),
            f"{moment(each.added_at)} by {each.actor}",
            ", ".join(each.targets),
            str(each.phones),
            ", ".join(f"{phones} {where}" for where, phones in each.standing.items()),
        )
    out.print(table if found else "There is no firmware: `centralka firmware add FILE.rom` takes one in.")


def firmware_remove(name: FirmwareName, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Take a firmware file away that nobody shall have any more."""
    with_installation(
        data_dir, config, lambda installation: firmware.remove_firmware(installation, name, COMMAND_LINE)
    )
    out.print(f"{name} is removed.", markup=False)


def firmware_check(as_json: AsJson = False, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Hold the files of this machine against what was added. Exit code 1 where a phone would ask in vain."""
    found = with_installation(data_dir, config, check_firmware)
    if as_json:
        print_json(found)
    else:
        for each in found:
            out.print(f"{each.name}: {each.advice}", markup=False)
        if not found:
            out.print("Every firmware file is as it was added.")
    if any(each.fault.is_missed for each in found):
        raise typer.Exit(1)
