"""The verbs of sources that get nothing without a token: list, lift, add."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.cli.common import AsJson, ConfigFile, DataDir, moment, out, print_json, with_installation
from provisioner.operations import bans
from provisioner.operations.installation import utc_now

Source = Annotated[
    str, typer.Argument(help="IPv4 or IPv6 address; an IPv6 address stands for its /64 network.")
]


def bans_list(as_json: AsJson = False, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Who is slowed or banned now, until when, and for how many MACs that are not listed."""
    found = with_installation(data_dir, config, lambda installation: bans.list_bans(installation, utc_now()))
    if as_json:
        print_json(found)
        return
    table = Table("source", "is", "since", "until", "misses", "bans lately", "by")
    for ban in found:
        table.add_row(
            ban.source,
            ban.verdict,
            moment(ban.since),
            moment(ban.until),
            str(ban.misses),
            str(ban.times),
            ban.actor,
        )
    out.print(table if found else "Nobody is banned.")


def bans_lift(source: Source, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Let a source ask by MAC again, and forget its misses."""
    lifted = with_installation(
        data_dir,
        config,
        lambda installation: bans.lift_ban(installation, source, COMMAND_LINE, utc_now()),
    )
    out.print(f"{lifted} is free again.", markup=False)


def bans_add(
    source: Source,
    minutes: Annotated[
        int | None, typer.Option("--minutes", min=1, help="For how long; else as long as a first ban.")
    ] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Give a source nothing without a token. Phones there that have one are served as before."""
    ban = with_installation(
        data_dir,
        config,
        lambda installation: bans.add_ban(installation, source, minutes, COMMAND_LINE, utc_now()),
    )
    out.print(f"{ban.source} gets nothing without a token until {moment(ban.until)}.", markup=False)
