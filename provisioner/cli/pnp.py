"""`centralka pnp`: phones that looked for a server by multicast and are not listed."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from provisioner.centrex.actor import COMMAND_LINE
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
from provisioner.operations import pnp


def pnp_list(as_json: AsJson = False, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Phones that wait to be approved; what they say of themselves is not checked."""
    phones = with_installation(data_dir, config, pnp.waiting)
    if as_json:
        print_json(phones)
        return
    if not phones:
        out.print("No phone waits to be approved.")
        return
    table = Table("MAC", "vendor", "model", "firmware", "from", "first asked", "last asked", "times")
    for each in phones:
        table.add_row(
            each.mac,
            # Text of strangers is no markup.
            Text(each.vendor),
            Text(each.model),
            Text(each.version),
            each.source,
            moment(each.first_seen_at),
            moment(each.last_seen_at),
            str(each.times),
        )
    out.print(table)


def pnp_approve(
    mac: Mac,
    customer: Annotated[str, typer.Option("--customer", help="Login of the customer whose phone it is.")],
    model: Annotated[str | None, typer.Option(help="Instead of what the phone says.")] = None,
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """List the phone at a customer, and let it have its file when it asks next."""
    claimed = with_installation(
        data_dir,
        config,
        lambda installation: pnp.approve(
            installation, MacAddress.parse(mac), customer, COMMAND_LINE, model=model, name=name
        ),
    )
    if as_json:
        print_json({"mac": str(claimed.mac), "expires_at": claimed.expires_at})
        return
    out.print(f"{claimed.mac} is listed, and may fetch its file until {moment(claimed.expires_at)}.")


def pnp_dismiss(mac: Mac, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Show the phone no more, however often it asks."""
    address = MacAddress.parse(mac)
    with_installation(data_dir, config, lambda installation: pnp.dismiss(installation, address, COMMAND_LINE))
    out.print(f"{address} is shown no more.")
