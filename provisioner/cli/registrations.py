"""Who is registered, from where, with what, until when."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioner.centrex.mac import MacAddress
from provisioner.cli import watch
from provisioner.cli.common import (
    AsJson,
    ConfigFile,
    DataDir,
    chosen_data_dir,
    out,
    print_json,
    with_installation,
)
from provisioner.cli.registration_table import table
from provisioner.operations.installation import Installation
from provisioner.operations.registered import LIVE, Registration
from provisioner.operations.registrations import Wanted, list_registrations


def registrations(
    customer: Annotated[str | None, typer.Option("--customer", help="One customer's only.")] = None,
    line: Annotated[str | None, typer.Option("--line", help="One line's only.")] = None,
    mac: Annotated[str | None, typer.Option("--mac", help="One phone's only, in any spelling.")] = None,
    everyone: Annotated[
        bool, typer.Option("--all", help="Lines and phones that are not registered, too.")
    ] = False,
    watching: Annotated[
        bool, typer.Option("--watch", help="Go on until Ctrl-C; with --json a line for each change.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Who is registered, from where, with what, until when."""
    wanted = Wanted(
        customer=customer,
        line=line,
        mac=MacAddress.parse(mac) if mac else None,
        states=frozenset() if everyone else LIVE,
    )
    if watching:
        watch.run(chosen_data_dir(data_dir), wanted, as_json)
        return
    rows = with_installation(data_dir, config, lambda installation: _all(installation, wanted))
    if as_json:
        print_json(rows)
        return
    out.print(table(rows) if rows else "Nobody is registered.")


async def _all(installation: Installation, wanted: Wanted) -> list[Registration]:
    rows: list[Registration] = []
    after: str | None = ""
    while after is not None:
        page = await list_registrations(installation, wanted, after)
        rows += page.rows
        after = page.next
    return rows
