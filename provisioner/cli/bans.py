"""The verbs of sources that get nothing without a token, or nothing over SIP: list, lift, add.

The bans over SIP are those of the server that runs on this data directory, if one does.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop
from rich.table import Table

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import BadValue, NotFound
from provisioner.cli.common import (
    AsJson,
    ConfigFile,
    DataDir,
    chosen_data_dir,
    moment,
    out,
    print_json,
    with_installation,
)
from provisioner.control.client import ask
from provisioner.control.errors import NoServer, Refused
from provisioner.operations import bans
from provisioner.operations.installation import utc_now
from provisioner.operations.sources import parse_source

Source = Annotated[
    str, typer.Argument(help="IPv4 or IPv6 address; an IPv6 address stands for its /64 network.")
]
_SIP = "sip"
"Who has banned what is banned over SIP."


def bans_list(as_json: AsJson = False, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Who is slowed or banned now, until when, and for how many MACs that are not listed; and over SIP."""
    found = with_installation(data_dir, config, lambda installation: bans.list_bans(installation, utc_now()))
    found += [
        bans.Ban(
            source=said["source"],
            verdict=bans.Verdict.BANNED,
            since=datetime.fromisoformat(said["since"]),
            until=datetime.fromisoformat(said["until"]),
            misses=0,
            times=said["times"],
            actor=_SIP,
        )
        for said in _asked_of_server(data_dir, {})
    ]
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
    """Let a source ask by MAC again, and over SIP, and forget what it did."""
    try:
        name = parse_source(source)
    except BadValue:
        # It may be one peer of a source, as `list` shows it.
        name = source
    is_lifted = any(said["lifted"] for said in _asked_of_server(data_dir, {"lift": name}))
    try:
        with_installation(
            data_dir,
            config,
            lambda installation: bans.lift_ban(installation, source, COMMAND_LINE, utc_now()),
        )
    except (BadValue, NotFound):
        if not is_lifted:
            raise
    out.print(f"{name} is free again.", markup=False)


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


def _asked_of_server(data_dir: Path | None, question: Mapping[str, Any]) -> list[Any]:
    """What the living server says about bans over SIP; nothing, where none lives."""

    async def run() -> list[Any]:
        return [said async for said in ask(chosen_data_dir(data_dir), "sip-bans", question)]

    try:
        return uvloop.run(run())
    except NoServer:
        return []
    except Refused as error:
        if error.code != NotFound.code:
            raise
        # A server without SIP.
        return []
