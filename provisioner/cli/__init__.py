"""The command `centralka`."""

from __future__ import annotations

import sys

import typer

from db.errors import DatabaseUnavailable, StorageError
from phone_templates.errors import PhoneTemplatesError
from provisioner.centrex.errors import CentralkaError, within
from provisioner.cli.common import err, everywhere
from provisioner.cli.verbs import Verbs

app = typer.Typer(
    cls=Verbs,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    # Pretty tracebacks show local variables, and those may be secrets.
    pretty_exceptions_enable=False,
)
app.callback()(everywhere)


def main() -> None:
    """Runs the command; a refusal is one message on standard error and exit code 1."""
    try:
        app()
    except DatabaseUnavailable as error:
        # What drivers say may have lines.
        said = " ".join(str(error).split()).rstrip(".?")
        err.print(f"{said}: `centralka doctor` says what to do", markup=False, style="red")
        sys.exit(1)
    except (CentralkaError, StorageError, PhoneTemplatesError) as error:
        err.print(str(error), markup=False, style="red")
        sys.exit(1)
    except BaseExceptionGroup as group:
        # What went wrong while serving comes out of the task group that held it.
        known, other = group.split((CentralkaError, StorageError))
        if known is None or other is not None:
            raise
        for each in within(known):
            err.print(str(each), markup=False, style="red")
        sys.exit(1)
