"""The verbs of a phone's files: their bytes, their history, the way back."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import BadValue
from provisioner.centrex.mac import MacAddress
from provisioner.cli.common import (
    AsJson,
    ConfigFile,
    DataDir,
    Mac,
    moment,
    out,
    print_json,
    with_installation,
)
from provisioner.operations import device_files
from provisioner.phones.render import DeviceFile

FileOption = Annotated[
    str | None, typer.Option("--file", help="Which file: mac, model, boot, or its name. Default: mac.")
]


def render(
    mac: Mac,
    file: FileOption = None,
    mask: Annotated[bool, typer.Option("--mask", help="Names instead of secrets.")] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """The exact bytes that a phone gets."""
    text = with_installation(
        data_dir,
        config,
        lambda installation: device_files.render_device(
            installation, MacAddress.parse(mac), _file(file), mask=mask
        ),
    )
    sys.stdout.write(text)


def diff(
    mac: Mac,
    revision: Annotated[
        int | None, typer.Option("--revision", help="From this one; default: the one before.")
    ] = None,
    file: FileOption = None,
    staged: Annotated[bool, typer.Option("--staged", help="What a rollout would change, instead.")] = False,
    history: Annotated[bool, typer.Option("--history", help="List the revisions instead.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """What changed in a phone's file, secrets masked."""
    address, which = MacAddress.parse(mac), _file(file)
    if staged:
        if revision is not None or history:
            raise BadValue("--staged compares with what the phone gets now: leave the other option out")
        out.print(
            with_installation(
                data_dir, config, lambda installation: device_files.diff_staged(installation, address, which)
            ),
            markup=False,
        )
        return
    if history or as_json:
        revisions = with_installation(
            data_dir, config, lambda installation: device_files.history_of(installation, address, which)
        )
        if as_json:
            print_json(revisions)
            return
        for each in revisions:
            out.print(f"{each.number}  {moment(each.created_at)}  {each.actor}  {each.cause}", markup=False)
        return
    text = with_installation(
        data_dir,
        config,
        lambda installation: device_files.diff_device(installation, address, revision, which),
    )
    out.print(text or "Nothing differs.", markup=False)


def rollback(
    mac: Mac,
    revision: Annotated[
        int | None, typer.Option("--revision", help="Hold the file at this revision.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Let the file follow the data again.")] = False,
    file: FileOption = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Hold a phone's file at an earlier revision, with today's passwords; or let it go."""
    if (revision is None) is not resume:
        raise BadValue("say either --revision N or --resume")
    address = MacAddress.parse(mac)
    changed = with_installation(
        data_dir,
        config,
        lambda installation: device_files.roll_back(
            installation, address, revision, COMMAND_LINE, _file(file)
        ),
    )
    for each in changed:
        out.print(f"new bytes: {each.owner} {each.file} revision {each.number}", markup=False)
    if not changed:
        out.print("The bytes are the same as before.")


def _file(text: str | None) -> DeviceFile:
    if text is None:
        return DeviceFile.MAC
    name = text.lower()
    if name in set(DeviceFile):
        return DeviceFile(name)
    if name.endswith(".boot"):
        return DeviceFile.BOOT
    return DeviceFile.MODEL if name.startswith("y") else DeviceFile.MAC
