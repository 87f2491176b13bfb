"""The verbs of what a person has to look at: list, ack."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import BadValue
from provisioner.cli.common import AsJson, ConfigFile, DataDir, moment, out, print_json, with_installation
from provisioner.operations import alarms
from provisioner.operations.installation import utc_now

_ALL = "all"


def alarms_list(
    as_json: AsJson = False,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are over or seen to.")] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """What waits for somebody, the newest first."""
    found = with_installation(
        data_dir, config, lambda installation: alarms.list_alarms(installation, everything=everything)
    )
    if as_json:
        print_json(found)
        return
    table = Table("number", "when", "kind", "customer", "phone", "from", "seen to", "what")
    for alarm in found:
        table.add_row(
            str(alarm.number),
            moment(alarm.at),
            alarm.kind,
            alarm.customer or "",
            alarm.mac or "",
            alarm.source or "",
            moment(alarm.acknowledged_at) or (f"over {moment(alarm.over_at)}" if alarm.over_at else ""),
            # Phones and strangers have a say in it.
            Text(alarm.text, overflow="fold"),
        )
    nothing = "There was no alarm." if everything else "No alarm waits for anybody."
    out.print(table if found else nothing)


def alarms_ack(
    number: Annotated[str, typer.Argument(metavar="NUMBER|all", help="As `alarms list` shows it.")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Say that somebody has seen to an alarm. If the same happens again, it comes back."""
    if number != _ALL and not (number.isascii() and number.isdecimal() and len(number) <= 18):
        raise BadValue(f"{number[:20]!r} is no alarm's number: centralka alarms list shows them; or say all")
    chosen = None if number == _ALL else int(number)
    count = with_installation(
        data_dir,
        config,
        lambda installation: alarms.acknowledge(installation, chosen, COMMAND_LINE, utc_now()),
    )
    out.print("1 alarm is seen to." if count == 1 else f"{count} alarms are seen to.")
