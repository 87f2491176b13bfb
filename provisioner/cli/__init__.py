"""The command `centralka`."""

from __future__ import annotations

import sys

import typer

from db.errors import StorageError
from phone_templates.errors import PhoneTemplatesError
from provisioner.centrex.errors import CentralkaError, within
from provisioner.cli import (
    alarms,
    bans,
    calls,
    care,
    devices,
    encryption,
    files,
    firmware,
    lint,
    pnp,
    registrations,
    resync,
    rollouts,
    server,
    test_calls,
    tokens,
    uploads,
)
from provisioner.cli.common import err, everywhere

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    # Pretty tracebacks show local variables, and those may be secrets.
    pretty_exceptions_enable=False,
)
app.callback()(everywhere)
for verb in (
    server.init,
    server.demo,
    server.serve,
    server.migrate,
    server.rotate_key,
    devices.apply,
    files.render,
    files.diff,
    files.rollback,
    lint.lint,
    registrations.registrations,
    care.backup,
    care.restore,
    care.export,
    care.doctor,
):
    app.command()(verb)
app.command("test-call")(test_calls.prove)

encryption_app = typer.Typer(
    no_args_is_help=True, help="The AES keys of customers' phones.", rich_markup_mode=None
)
for name, verb_of_encryption in (
    ("show", encryption.encryption_show),
    ("rotate", encryption.encryption_rotate),
):
    encryption_app.command(name)(verb_of_encryption)
app.add_typer(encryption_app, name="encryption")

devices_app = typer.Typer(no_args_is_help=True, help="The phones.", rich_markup_mode=None)
for name, verb_of_devices in (
    ("import", devices.devices_import),
    ("list", devices.devices_list),
    ("show", devices.devices_show),
    ("claim", devices.devices_claim),
    ("release", devices.devices_release),
    ("resync", resync.devices_resync),
):
    devices_app.command(name)(verb_of_devices)
app.add_typer(devices_app, name="devices")

rollout_app = typer.Typer(no_args_is_help=True, help="A staged change.", rich_markup_mode=None)
for name, verb_of_rollouts in (
    ("show", rollouts.rollout_show),
    ("release", rollouts.rollout_release),
    ("back", rollouts.rollout_back),
):
    rollout_app.command(name)(verb_of_rollouts)
app.add_typer(rollout_app, name="rollout")

uploads_app = typer.Typer(
    cls=uploads.ListsByDefault, no_args_is_help=True, help="What phones bring.", rich_markup_mode=None
)
for name, verb_of_uploads in (
    ("list", uploads.uploads_list),
    ("show", uploads.uploads_show),
    ("diff", uploads.uploads_diff),
    ("carry", uploads.uploads_carry),
):
    uploads_app.command(name)(verb_of_uploads)
app.add_typer(uploads_app, name="uploads")

token_app = typer.Typer(no_args_is_help=True, help="Keys of programs for the API.", rich_markup_mode=None)
for name, verb_of_tokens in (
    ("create", tokens.token_create),
    ("list", tokens.token_list),
    ("revoke", tokens.token_revoke),
):
    token_app.command(name)(verb_of_tokens)
app.add_typer(token_app, name="token")

firmware_app = typer.Typer(no_args_is_help=True, help="Firmware files.", rich_markup_mode=None)
for name, verb_of_firmware in (
    ("add", firmware.firmware_add),
    ("list", firmware.firmware_list),
    ("remove", firmware.firmware_remove),
    ("check", firmware.firmware_check),
):
    firmware_app.command(name)(verb_of_firmware)
app.add_typer(firmware_app, name="firmware")

pnp_app = typer.Typer(no_args_is_help=True, help="Phones that look for a server.", rich_markup_mode=None)
for name, verb_of_pnp in (
    ("list", pnp.pnp_list),
    ("approve", pnp.pnp_approve),
    ("dismiss", pnp.pnp_dismiss),
):
    pnp_app.command(name)(verb_of_pnp)
app.add_typer(pnp_app, name="pnp")

bans_app = typer.Typer(
    no_args_is_help=True, help="Sources that get nothing without a token.", rich_markup_mode=None
)
for name, verb_of_bans in (("list", bans.bans_list), ("lift", bans.bans_lift), ("add", bans.bans_add)):
    bans_app.command(name)(verb_of_bans)
app.add_typer(bans_app, name="bans")

calls_app = typer.Typer(rich_markup_mode=None)
calls_app.callback(invoke_without_command=True)(calls.calls)
for name, verb_of_calls in (("show", calls.calls_show), ("hangup", calls.calls_hangup)):
    calls_app.command(name)(verb_of_calls)
app.add_typer(calls_app, name="calls")

alarms_app = typer.Typer(no_args_is_help=True, help="What waits for somebody.", rich_markup_mode=None)
for name, verb_of_alarms in (("list", alarms.alarms_list), ("ack", alarms.alarms_ack)):
    alarms_app.command(name)(verb_of_alarms)
app.add_typer(alarms_app, name="alarms")


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
        for each in within(known):
            err.print(str(each), markup=False, style="red")
        sys.exit(1)
