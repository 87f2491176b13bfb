"""The verbs of devices, and `apply`, which lists them with all else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.mac import MacAddress
from provisioner.cli import registration_table, resync
from provisioner.cli.common import (
    AsJson,
    ConfigFile,
    DataDir,
    DryRun,
    Mac,
    moment,
    out,
    print_json,
    read_bytes,
    with_installation,
)
from provisioner.cli.plans import print_plan
from provisioner.files.company import read_company_file
from provisioner.files.devices_csv import read_devices_csv
from provisioner.operations import claims, companies, devices
from provisioner.operations.ladder import Rung


def apply(
    file: Annotated[Path, typer.Argument(help="Company file (YAML).")],
    dry_run: DryRun = False,
    staged: Annotated[
        bool, typer.Option("--staged", help="Phones keep their files until `rollout release`.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Make the company what the file says; print what changes, and which phones."""
    read = read_company_file(read_bytes(file), file.name)
    plan = with_installation(
        data_dir,
        config,
        lambda installation: companies.apply(
            installation, read, COMMAND_LINE, dry_run=dry_run, staged=staged
        ),
    )
    print_plan(plan, dry_run, as_json)


def devices_import(
    file: Annotated[Path, typer.Argument(help="Spreadsheet (CSV): mac,model,line,extension,name,site.")],
    customer: Annotated[str, typer.Option("--customer", help="Login of the customer.")],
    dry_run: DryRun = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """List the phones of a spreadsheet: all rows or none."""
    rows = read_devices_csv(read_bytes(file), file.name)
    plan = with_installation(
        data_dir,
        config,
        lambda installation: devices.import_devices(
            installation, customer, rows, COMMAND_LINE, dry_run=dry_run
        ),
    )
    print_plan(plan, dry_run, as_json)


def devices_list(
    customer: Annotated[str | None, typer.Option("--customer", help="One customer's only.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """All phones, and how far each came."""
    rows = with_installation(
        data_dir, config, lambda installation: devices.list_devices(installation, customer)
    )
    if as_json:
        print_json(rows)
        return
    table = Table(
        "MAC",
        "model",
        "name",
        "customer",
        "site",
        "came as far as",
        "gets",
        "fetched",
        "staged",
        "held",
        "last contact",
        "from",
        "firmware",
        "shall have",
    )
    for row in rows:
        table.add_row(
            row.mac,
            row.model,
            row.name,
            row.customer,
            row.site or "",
            row.rung,
            str(row.revision or ""),
            str(row.fetched_revision or ""),
            str(row.staged_revision or ""),
            str(row.held_revision or ""),
            moment(row.contacted_at),
            row.contacted_from or "",
            row.firmware or "",
            f"{target.file}: {target.standing}" if (target := row.firmware_target) else "",
        )
    out.print(table)


def devices_show(
    mac: Mac, as_json: AsJson = False, data_dir: DataDir = None, config: ConfigFile = None
) -> None:
    """Everything about one phone: how far it came, its files, what it asked."""
    details = with_installation(
        data_dir, config, lambda installation: devices.show_device(installation, MacAddress.parse(mac))
    )
    if as_json:
        print_json(details)
        return
    _print_details(details)


def _print_details(details: devices.Details) -> None:
    summary, target = details.summary, details.summary.firmware_target
    ladder = "  ".join(f"[{'x' if rung in summary.rungs else ' '}] {rung}" for rung in Rung)
    lines = [
        f"{summary.mac}  {summary.model}  {summary.name}",
        f"customer {summary.customer}" + (f", site {summary.site}" if summary.site else ""),
        ladder,
        *details.accounts,
        f"firmware: {summary.firmware or 'not known yet'}"
        + (f"; shall have {target.file}: {target.standing}" if target else ""),
        f"last contact: {moment(summary.contacted_at) or 'never'} {summary.contacted_from or ''}".rstrip(),
        f"last fetched: {moment(details.fetched_at) or 'never'}"
        + (f", revision {details.fetched_revision}" if details.fetched_revision else ""),
        f"token: {details.token}",
    ]
    if details.window is not None:
        window = details.window
        lines.append(
            f"window: {window.state}, until {moment(window.expires_at)}, for {window.source or 'the first'}"
        )
    for file in details.files:
        held = f", held at {file.held}" if file.held else ""
        staged = f", staged {file.staged}" if file.staged else ""
        lines.append(
            f"{file.name}: revision {file.revision}{held}{staged}, {moment(file.changed_at)},"
            f" {file.actor}: {file.cause}"
        )
    lines += [f"ALARM: {alarm}" for alarm in details.alarms]
    for line in lines:
        out.print(line, markup=False)
    if details.registrations:
        out.print(registration_table.table(details.registrations))
    if details.resyncs:
        out.print(resync.table(details.resyncs))
    table = Table("when", "from", "asked", "got", "why", "revision", "called itself")
    for request in details.requests:
        table.add_row(
            moment(request.at),
            request.source,
            f"{request.method} {request.path}",
            str(request.status),
            request.reason,
            str(request.revision or ""),
            request.user_agent,
        )
    if details.requests:
        out.print(table)
    events = Table("when", "from", "reported", "said")
    for event in details.events:
        said = ", ".join(f"{name} {value}" for name, value in event.details.items())
        events.add_row(moment(event.at), event.source, event.event, Text(said))
    if details.events:
        out.print(events)


def devices_claim(
    mac: Mac, as_json: AsJson = False, data_dir: DataDir = None, config: ConfigFile = None
) -> None:
    """Open the window in which a phone may fetch its first file by its MAC."""
    claimed = with_installation(
        data_dir,
        config,
        lambda installation: claims.claim(installation, MacAddress.parse(mac), COMMAND_LINE),
    )
    if as_json:
        print_json({"mac": str(claimed.mac), "expires_at": claimed.expires_at})
        return
    out.print(f"{claimed.mac} may fetch its file until {moment(claimed.expires_at)}: plug it in now.")


def devices_release(mac: Mac, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Revoke a phone's tokens and close its window."""
    address = MacAddress.parse(mac)
    with_installation(
        data_dir, config, lambda installation: claims.release(installation, address, COMMAND_LINE)
    )
    out.print(f"{address} is released: it gets nothing until it is claimed again.")
