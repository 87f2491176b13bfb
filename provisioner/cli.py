"""The command `centralka`."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from db.errors import StorageError
from db.rotation import rotate
from phone_templates.errors import PhoneTemplatesError
from provisioner.app import serving
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import BadValue, CentralkaError
from provisioner.centrex.mac import MacAddress
from provisioner.demo.show import run_demo
from provisioner.files.company import read_company_file
from provisioner.files.devices_csv import read_devices_csv
from provisioner.operations import claims, companies, devices
from provisioner.operations.installation import KEY_FILE, Installation, database_url, initialise, opened
from provisioner.phones.render import DeviceFile
from provisioner.settings import Settings, read_settings

T = TypeVar("T")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="IP-phone provisioning server.",
    rich_markup_mode=None,
    # Pretty tracebacks show local variables, and those may be secrets.
    pretty_exceptions_enable=False,
)
devices_app = typer.Typer(no_args_is_help=True, help="The phones: list, show, claim, release, import.")
app.add_typer(devices_app, name="devices")
# Tables that go into a file or a pipe are not squeezed into a terminal that isn't there.
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 220)
err = Console(stderr=True, highlight=False, soft_wrap=True)

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", envvar="CENTRALKA_DATA_DIR", help="Where everything is kept.")
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", envvar="CENTRALKA_CONFIG", help="Configuration file (TOML).")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")]
Mac = Annotated[str, typer.Argument(help="MAC address, in any spelling.")]
FileOption = Annotated[
    str | None, typer.Option("--file", help="Which file: mac, model, boot, or its name. Default: mac.")
]

DEFAULT_DATA_DIR = Path("centralka-data")
_chosen: dict[str, Path | None] = {"data_dir": None, "config": None}


@app.callback()
def _everywhere(data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Takes the two options that may stand before the verb as well as after it."""
    _chosen.update(data_dir=data_dir, config=config)


def _data_dir(data_dir: Path | None) -> Path:
    return data_dir or _chosen["data_dir"] or DEFAULT_DATA_DIR


def _settings(config: Path | None, **listen: Any) -> Settings:
    return read_settings(config or _chosen["config"], **listen)


def _with_installation(
    data_dir: Path | None, config: Path | None, work: Callable[[Installation], Awaitable[T]]
) -> T:
    """Runs `work` on the opened installation."""

    async def run() -> T:
        async with opened(_data_dir(data_dir), _settings(config)) as installation:
            return await work(installation)

    return uvloop.run(run())


@app.command()
def init(data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Make the data directory, the schema and the first operator; print the password once."""
    folder = _data_dir(data_dir)
    password = asyncio.run(initialise(folder, _settings(config)))
    out.print(f"{folder} is ready. Operator: operator, password: {password}")
    out.print("The password is not kept anywhere: write it down now.")


@app.command()
def serve(
    data_dir: DataDir = None,
    config: ConfigFile = None,
    portal: Annotated[str | None, typer.Option(help="HOST:PORT of pages, API and /healthz.")] = None,
    provisioning: Annotated[str | None, typer.Option(help="HOST:PORT for phones.")] = None,
    provisioning_tls: Annotated[str | None, typer.Option(help="HOST:PORT for phones, TLS.")] = None,
    sip: Annotated[str | None, typer.Option(help="HOST:PORT of SIP over UDP and TCP.")] = None,
    sips: Annotated[str | None, typer.Option(help="HOST:PORT of SIP over TLS.")] = None,
    rtp_ports: Annotated[str | None, typer.Option(help="LOW-HIGH.")] = None,
    pnp: Annotated[
        bool | None, typer.Option("--pnp/--no-pnp", help="Answer phones that look for a server.")
    ] = None,
) -> None:
    """Run the server until Ctrl-C."""
    settings = _settings(
        config,
        portal=portal,
        provisioning=provisioning,
        provisioning_tls=provisioning_tls,
        sip=sip,
        sips=sips,
        rtp_ports=rtp_ports,
        pnp=pnp,
    )

    async def run() -> None:
        async with (
            opened(_data_dir(data_dir), settings) as installation,
            serving(installation, lambda line: print(line, flush=True)),
        ):
            await _interrupted()

    uvloop.run(run())


async def _interrupted() -> None:
    """Returns on Ctrl-C or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


@app.command()
def demo(
    check: Annotated[bool, typer.Option("--check", help="End when all that it shows has passed.")] = False,
    portal: Annotated[str, typer.Option(help="HOST:PORT, loopback only.")] = "127.0.0.1:0",
    provisioning: Annotated[str, typer.Option(help="HOST:PORT, loopback only.")] = "127.0.0.1:0",
    sip: Annotated[str, typer.Option(help="HOST:PORT, loopback only.")] = "127.0.0.1:5060",
    provisioning_tls: Annotated[str | None, typer.Option(help="HOST:PORT, loopback only.")] = None,
    sips: Annotated[str | None, typer.Option(help="HOST:PORT, loopback only.")] = None,
    rtp_ports: Annotated[str | None, typer.Option(help="LOW-HIGH.")] = None,
    pnp: Annotated[bool | None, typer.Option("--pnp/--no-pnp")] = None,
) -> None:
    """Boot the sample company's phones against a throw-away server on this machine."""
    settings = read_settings(
        None,
        portal=portal,
        provisioning=provisioning,
        provisioning_tls=provisioning_tls,
        sip=sip,
        sips=sips,
        rtp_ports=rtp_ports,
        pnp=pnp,
    )
    passed = uvloop.run(run_demo(settings, out, None if check else _interrupted))
    if not passed:
        raise typer.Exit(1)


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="Company file (YAML).")],
    dry_run: DryRun = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Make the company what the file says; print what changes, and which phones."""
    read = read_company_file(_read(file), file.name)
    plan = _with_installation(
        data_dir,
        config,
        lambda installation: companies.apply(installation, read, COMMAND_LINE, dry_run=dry_run),
    )
    _print_plan(plan, dry_run, as_json)


def _print_plan(plan: companies.Plan, dry_run: bool, as_json: bool) -> None:
    if as_json:
        _print_json({"dry_run": dry_run, "changes": plan.changes, "files": plan.files})
        return
    for change in plan.changes:
        out.print(str(change), markup=False)
    if not plan.changes:
        out.print("Nothing changes.")
        return
    for file in plan.files:
        out.print(f"new bytes: {file.owner} {file.file} revision {file.number}", markup=False)
    phones = len({file.owner for file in plan.files if ":" in file.owner})
    out.print(
        f"{len(plan.changes)} changes, {phones} phones get new bytes."
        + (" Nothing was kept." if dry_run else "")
    )


@devices_app.command("import")
def devices_import(
    file: Annotated[Path, typer.Argument(help="Spreadsheet (CSV): mac,model,line,extension,name,site.")],
    customer: Annotated[str, typer.Option("--customer", help="Login of the customer.")],
    dry_run: DryRun = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """List the phones of a spreadsheet: all rows or none."""
    rows = read_devices_csv(_read(file), file.name)
    plan = _with_installation(
        data_dir,
        config,
        lambda installation: devices.import_devices(
            installation, customer, rows, COMMAND_LINE, dry_run=dry_run
        ),
    )
    _print_plan(plan, dry_run, as_json)


@devices_app.command("list")
def devices_list(
    customer: Annotated[str | None, typer.Option("--customer", help="One customer's only.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """All phones, and how far each came."""
    rows = _with_installation(
        data_dir, config, lambda installation: devices.list_devices(installation, customer)
    )
    if as_json:
        _print_json(rows)
        return
    table = Table(
        "MAC", "model", "name", "customer", "site", "came as far as", "last contact", "from", "firmware"
    )
    for row in rows:
        table.add_row(
            row.mac,
            row.model,
            row.name,
            row.customer,
            row.site or "",
            row.rung,
            _moment(row.contacted_at),
            row.contacted_from or "",
            row.firmware or "",
        )
    out.print(table)


@devices_app.command("show")
def devices_show(
    mac: Mac, as_json: AsJson = False, data_dir: DataDir = None, config: ConfigFile = None
) -> None:
    """Everything about one phone: how far it came, its files, what it asked."""
    details = _with_installation(
        data_dir, config, lambda installation: devices.show_device(installation, MacAddress.parse(mac))
    )
    if as_json:
        _print_json(details)
        return
    _print_details(details)


def _print_details(details: devices.Details) -> None:
    summary = details.summary
    rungs = list(devices.Rung)
    reached = rungs.index(summary.rung)
    ladder = "  ".join(f"[{'x' if step <= reached else ' '}] {rung}" for step, rung in enumerate(rungs))
    lines = [
        f"{summary.mac}  {summary.model}  {summary.name}",
        f"customer {summary.customer}" + (f", site {summary.site}" if summary.site else ""),
        ladder,
        *details.accounts,
        f"firmware: {summary.firmware or 'not known yet'}",
        f"last contact: {_moment(summary.contacted_at) or 'never'} {summary.contacted_from or ''}".rstrip(),
        f"last fetched: {_moment(details.fetched_at) or 'never'}"
        + (f", revision {details.fetched_revision}" if details.fetched_revision else ""),
        f"token: {details.token}",
    ]
    if details.window is not None:
        window = details.window
        lines.append(
            f"window: {window.state}, until {_moment(window.expires_at)}, for {window.source or 'the first'}"
        )
    for file in details.files:
        held = f", held at {file.held}" if file.held else ""
        lines.append(
            f"{file.name}: revision {file.revision}{held}, {_moment(file.changed_at)},"
            f" {file.actor}: {file.cause}"
        )
    lines += [f"ALARM: {alarm}" for alarm in details.alarms]
    for line in lines:
        out.print(line, markup=False)
    table = Table("when", "from", "asked", "got", "why", "revision", "called itself")
    for request in details.requests:
        table.add_row(
            _moment(request.at),
            request.source,
            f"{request.method} {request.path}",
            str(request.status),
            request.reason,
            str(request.revision or ""),
            request.user_agent,
        )
    if details.requests:
        out.print(table)


@devices_app.command("claim")
def devices_claim(
    mac: Mac, as_json: AsJson = False, data_dir: DataDir = None, config: ConfigFile = None
) -> None:
    """Open the window in which a phone may fetch its first file by its MAC."""
    claimed = _with_installation(
        data_dir,
        config,
        lambda installation: claims.claim(installation, MacAddress.parse(mac), COMMAND_LINE),
    )
    if as_json:
        _print_json({"mac": str(claimed.mac), "expires_at": claimed.expires_at})
        return
    out.print(f"{claimed.mac} may fetch its file until {_moment(claimed.expires_at)}: plug it in now.")


@devices_app.command("release")
def devices_release(mac: Mac, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Revoke a phone's tokens and close its window."""
    address = MacAddress.parse(mac)
    _with_installation(
        data_dir, config, lambda installation: claims.release(installation, address, COMMAND_LINE)
    )
    out.print(f"{address} is released: it gets nothing until it is claimed again.")


@app.command()
def render(
    mac: Mac,
    file: FileOption = None,
    mask: Annotated[bool, typer.Option("--mask", help="Names instead of secrets.")] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """The exact bytes that a phone gets."""
    text = _with_installation(
        data_dir,
        config,
        lambda installation: devices.render_device(
            installation, MacAddress.parse(mac), _file(file), mask=mask
        ),
    )
    sys.stdout.write(text)


@app.command()
def diff(
    mac: Mac,
    revision: Annotated[
        int | None, typer.Option("--revision", help="From this one; default: the one before.")
    ] = None,
    file: FileOption = None,
    history: Annotated[bool, typer.Option("--history", help="List the revisions instead.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """What changed in a phone's file, secrets masked."""
    address, which = MacAddress.parse(mac), _file(file)
    if history or as_json:
        revisions = _with_installation(
            data_dir, config, lambda installation: devices.history_of(installation, address, which)
        )
        if as_json:
            _print_json(revisions)
            return
        for each in revisions:
            out.print(f"{each.number}  {_moment(each.created_at)}  {each.actor}  {each.cause}", markup=False)
        return
    text = _with_installation(
        data_dir, config, lambda installation: devices.diff_device(installation, address, revision, which)
    )
    out.print(text or "Nothing differs.", markup=False)


@app.command()
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
    changed = _with_installation(
        data_dir,
        config,
        lambda installation: devices.roll_back(installation, address, revision, COMMAND_LINE, _file(file)),
    )
    for each in changed:
        out.print(f"new bytes: {each.owner} {each.file} revision {each.number}", markup=False)
    if not changed:
        out.print("The bytes are the same as before.")


@app.command("rotate-key")
def rotate_key(data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Seal every secret with a new key and drop the old one."""

    async def run(installation: Installation) -> None:
        await rotate(installation.database, installation.vault)

    _with_installation(data_dir, config, run)
    out.print(f"Every secret is sealed with a new key in {_data_dir(data_dir) / KEY_FILE}.")


@app.command()
def migrate(data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Bring the database to the schema of this version."""
    from db.migrations import upgrade  # Alembic is slow to load, and no other verb needs it.

    upgrade(database_url(_data_dir(data_dir), _settings(config)))
    out.print("The database is up to date.")


def _file(text: str | None) -> DeviceFile:
    if text is None:
        return DeviceFile.MAC
    name = text.lower()
    if name in set(DeviceFile):
        return DeviceFile(name)
    if name.endswith(".boot"):
        return DeviceFile.BOOT
    return DeviceFile.MODEL if name.startswith("y") else DeviceFile.MAC


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadValue(f"can't read {file}: {error.strerror}") from error


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else ""


def _print_json(value: Any) -> None:
    def plain(item: Any) -> Any:
        if isinstance(item, datetime):
            return item.isoformat()
        return asdict(item)

    sys.stdout.write(json.dumps(value, default=plain, ensure_ascii=False, indent=2) + "\n")


def main() -> None:
    """Runs the command; a refusal is one message on standard error and exit code 1."""
    try:
        app()
    except (CentralkaError, StorageError, PhoneTemplatesError) as error:
        err.print(str(error), markup=False, style="red")
        sys.exit(1)
    except BaseExceptionGroup as group:
        # What went wrong while serving comes out of the task group that held it.
        known, other = group.split((CentralkaError, StorageError))
        if known is None or other is not None:
            raise
        for each in known.exceptions:
            err.print(str(each), markup=False, style="red")
        sys.exit(1)
