"""The verbs of what phones bring: list, show, compare, and put on a replacement."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from phone_templates.yealink.backups import Backup
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.mac import MacAddress
from provisioner.cli.common import (
    AsJson,
    ConfigFile,
    DataDir,
    DryRun,
    Mac,
    moment,
    out,
    print_json,
    with_installation,
)
from provisioner.operations import carrying, uploads

Kind = Annotated[Backup, typer.Argument(help="Which file.")]


def uploads_list(
    mac: Mac,
    kind: Annotated[Backup | None, typer.Option("--kind", help="One file's only.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Every version of the files that a phone brought."""
    found = with_installation(
        data_dir, config, lambda installation: uploads.list_uploads(installation, MacAddress.parse(mac), kind)
    )
    if as_json:
        print_json(found)
        return
    table = Table("file", "version", "when", "bytes", "SHA-256", "from")
    for each in found:
        table.add_row(
            each.kind, str(each.version), moment(each.at), str(each.size), each.sha256 or "", each.origin
        )
    out.print(table if found else "It has brought nothing.")


def uploads_show(
    mac: Mac,
    kind: Kind,
    version: Annotated[int | None, typer.Option("--version", help="Default: the newest.")] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """What stands in a file, secrets hidden."""
    text = with_installation(
        data_dir,
        config,
        lambda installation: uploads.show_upload(installation, MacAddress.parse(mac), kind, version),
    )
    out.print(text, markup=False, end="")


def uploads_diff(
    mac: Mac,
    kind: Kind,
    old: Annotated[int | None, typer.Option("--from", help="Default: the version before.")] = None,
    new: Annotated[int | None, typer.Option("--to", help="Default: the newest.")] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """What changed between two versions of a file, secrets hidden."""
    text = with_installation(
        data_dir,
        config,
        lambda installation: uploads.diff_uploads(installation, MacAddress.parse(mac), kind, old, new),
    )
    out.print(text or "Nothing differs.", markup=False)


def uploads_carry(
    old: Annotated[str, typer.Argument(help="MAC address of the phone that goes.")],
    new: Annotated[str, typer.Argument(help="MAC address of the phone that takes its place.")],
    dry_run: DryRun = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Put what users changed on a phone onto its replacement; say what does not carry over."""
    carried = with_installation(
        data_dir,
        config,
        lambda installation: carrying.carry_over(
            installation, MacAddress.parse(old), MacAddress.parse(new), COMMAND_LINE, dry_run=dry_run
        ),
    )
    if as_json:
        print_json(carried)
        return
    spelled = {now: before for before, now in carried.respelled}
    lines = [
        f"carried: {name}" + (f" (was {spelled[name]})" if name in spelled else "")
        for name in carried.settings
    ]
    lines += [f"left behind: {each.name}: {each.reason}" for each in carried.left]
    lines += [f"{file.kind}: version {file.version}" for file in carried.files if file.version]
    lines += carried.notes
    for line in lines:
        out.print(line, markup=False)
    out.print(
        f"{len(carried.settings)} settings carry over, {len(carried.left)} things stay behind."
        + (" Nothing was kept." if dry_run else "")
    )
