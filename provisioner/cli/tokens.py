"""The keys of programs that use the API."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.cli.common import (
    AsJson,
    ConfigFile,
    DataDir,
    moment,
    out,
    print_json,
    with_installation,
)
from provisioner.operations import api_tokens


def token_create(
    name: Annotated[str, typer.Option("--name", help="What it is for.")],
    customer: Annotated[
        str | None, typer.Option("--customer", help="Login of the customer whose things alone it sees.")
    ] = None,
    days: Annotated[
        int | None, typer.Option("--days", min=1, max=36_500, help="How long it lasts; until it is revoked.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Make a key for a program, for one customer or for the operator; print it once."""
    made = with_installation(
        data_dir,
        config,
        lambda installation: api_tokens.create_token(
            installation, name, COMMAND_LINE, customer=customer, days=days
        ),
    )
    if as_json:
        print_json(made)
        return
    until = f" It lasts until {moment(made.expires_at)}." if made.expires_at else ""
    out.print(f"Token {made.id}: {made.token}", markup=False)
    out.print(f"It is not kept anywhere: write it down now.{until}")


def token_list(as_json: AsJson = False, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """All keys, also those that open nothing any more."""
    tokens = with_installation(data_dir, config, api_tokens.list_tokens)
    if as_json:
        print_json(tokens)
        return
    table = Table("token", "name", "sees", "made", "used last", "ends", "revoked")
    for token in tokens:
        table.add_row(
            str(token.id),
            Text(token.name),
            token.customer or "everything",
            moment(token.created_at),
            moment(token.last_used_at),
            moment(token.expires_at),
            moment(token.revoked_at),
        )
    out.print(table)


def token_revoke(
    token: Annotated[int, typer.Argument(help="Its number, as `token list` says it.")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """End a key, and what is open under it."""
    revoked = with_installation(
        data_dir, config, lambda installation: api_tokens.revoke_token(installation, token, COMMAND_LINE)
    )
    out.print(f"Token {revoked.id} ({revoked.name}) opens nothing any more.", markup=False)
