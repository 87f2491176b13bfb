"""The verbs that look after an installation: backup and restore, export, doctor."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from provisioner.cli.common import (
    AsJson,
    ConfigFile,
    DataDir,
    chosen_data_dir,
    chosen_settings,
    moment,
    out,
    print_json,
    with_installation,
)
from provisioner.operations import backup as backups
from provisioner.operations import export as exports
from provisioner.operations.doctor import Health, diagnose
from provisioner.operations.installation import KEY_FILE, utc_now


def backup(
    file: Annotated[Path, typer.Argument(help="The archive to write; an older backup there is replaced.")],
    without_key: Annotated[
        bool, typer.Option("--without-key", help="Leave out the key, without which no secret can be read.")
    ] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Write the whole installation into one archive, while the server runs."""
    folder = chosen_data_dir(data_dir)
    written = backups.back_up(folder, chosen_settings(config), file, with_key=not without_key)
    out.print(
        f"{file}: {written.header.database} database, {written.files} firmware and media files,"
        f" {written.size} bytes.",
        markup=False,
    )
    if without_key:
        out.print(f"The key is not in it: keep {folder / KEY_FILE} somewhere else, or no secret can be read.")
    else:
        out.print("It holds the key of every password and token: keep it as safe as the server itself.")


def restore(
    file: Annotated[Path, typer.Argument(help="An archive that `backup` wrote.")],
    key: Annotated[
        Path | None, typer.Option("--key", help="The key file of a backup that was made --without-key.")
    ] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Make the installation of a backup, in an empty data directory and an empty database."""
    folder = chosen_data_dir(data_dir)
    restored = backups.restore(file, folder, chosen_settings(config), key)
    out.print(
        f"{folder} is as it was at {moment(restored.header.created_at)}: {restored.header.database} database,"
        f" {restored.files} firmware and media files.",
        markup=False,
    )


def export(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A new directory; an earlier export there is replaced.")
    ],
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Write the files of all phones as a tree for a plain web server."""
    exported = with_installation(data_dir, config, lambda installation: exports.export(installation, folder))
    out.print(f"{folder}: {exported.files} files of {exported.phones} phones.", markup=False)
    out.print(
        "It holds every password and token: let the web server list no directory, and serve it over TLS or to"
        " the phones' own networks alone. No phone gets its first file there: claims are opened by `serve`."
    )
    if exported.phones_with_login:
        out.print(
            f"{exported.phones_with_login} of the phones log in (http_auth), and find nothing there: a plain"
            " web server can't hold a password for each. Set http_auth: false, and let them fetch that from"
            " `serve` before you export again."
        )


_COLOURS = {Health.OK: "green", Health.WARNING: "yellow", Health.FAILURE: "red"}


def doctor(as_json: AsJson = False, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Look at all that has to be right, and say what to do. Exit code 1 where there is a failure."""
    checks = uvloop.run(diagnose(chosen_data_dir(data_dir), chosen_settings(config), utc_now()))
    if as_json:
        print_json(checks)
    else:
        for check in checks:
            out.print(
                f"{check.health:8}{check.name}: {check.message}", markup=False, style=_COLOURS[check.health]
            )
            if check.advice:
                out.print(f"        -> {check.advice}", markup=False)
        counts = Counter(check.health for check in checks)
        out.print(", ".join(f"{counts[health]} {health}" for health in Health) + ".")
    if any(check.health is Health.FAILURE for check in checks):
        raise typer.Exit(1)
