"""The verbs of encrypted files: how far each phone came, and new keys. Keys themselves are never printed."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.cli.common import AsJson, ConfigFile, DataDir, out, print_json, with_installation
from provisioner.operations import encryption

Customer = Annotated[str, typer.Argument(help="Login of the customer.")]


def encryption_show(
    customer: Customer, as_json: AsJson = False, data_dir: DataDir = None, config: ConfigFile = None
) -> None:
    """Which phones get encrypted files, and which have not come with the newest key yet."""
    found = with_installation(
        data_dir, config, lambda installation: encryption.show(installation, customer)
    )
    if as_json:
        print_json(found)
        return
    table = Table("MAC", "model", "state", "has key", "is told key", "AES")
    for phone in found.phones:
        table.add_row(
            phone.mac,
            phone.model,
            phone.state,
            str(phone.key or ""),
            str(phone.told or ""),
            str(phone.bits or ""),
        )
    out.print(table if found.phones else "It has no phones.")
    version = found.version
    out.print(f"The newest keys have version {version}." if version else "No keys were made yet.")


def encryption_rotate(
    customer: Customer, as_json: AsJson = False, data_dir: DataDir = None, config: ConfigFile = None
) -> None:
    """Give a customer's encrypted phones new keys."""
    rotated = with_installation(
        data_dir, config, lambda installation: encryption.rotate(installation, customer, COMMAND_LINE)
    )
    if as_json:
        print_json(rotated)
        return
    phones = len({file.owner for file in rotated.files})
    out.print(
        f"The keys have version {rotated.version}: {phones} phones are told when they ask next,"
        " under the keys that they have."
    )
