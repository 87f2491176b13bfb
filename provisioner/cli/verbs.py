"""Where each verb is. Its module is loaded when it is asked for: most verbs need little of the program."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command


@dataclass(frozen=True, slots=True)
class Group:
    """Verbs with a first word in common."""

    help: str
    verbs: dict[str, str]
    alone: str | None = None
    "What the first word does where no verb follows it; None prints the help."
    lists_by_default: bool = False
    "Whether `list` is meant where the next word is no verb."


VERBS: dict[str, str | Group] = {
    "init": "installation.init",
    "demo": "server.demo",
    "serve": "server.serve",
    "migrate": "installation.migrate",
    "rotate-key": "installation.rotate_key",
    "apply": "devices.apply",
    "render": "files.render",
    "diff": "files.diff",
    "rollback": "files.rollback",
    "lint": "lint.lint",
    "registrations": "registrations.registrations",
    "simulate": "simulate.simulate",
    "backup": "care.backup",
    "restore": "care.restore",
    "export": "care.export",
    "doctor": "care.doctor",
    "test-call": "test_calls.prove",
    "test-calls": Group(
        "Runs of test calls over many numbers.",
        {
            "list": "test_runs.runs_list",
            "show": "test_runs.runs_show",
            "run": "test_runs.runs_run",
            "stop": "test_runs.runs_stop",
            "schedule": "test_runs.runs_schedule",
        },
    ),
    "encryption": Group(
        "The AES keys of customers' phones.",
        {"show": "encryption.encryption_show", "rotate": "encryption.encryption_rotate"},
    ),
    "devices": Group(
        "The phones.",
        {
            "import": "devices.devices_import",
            "list": "devices.devices_list",
            "show": "devices.devices_show",
            "claim": "devices.devices_claim",
            "release": "devices.devices_release",
            "resync": "resync.devices_resync",
        },
    ),
    "rollout": Group(
        "A staged change.",
        {
            "show": "rollouts.rollout_show",
            "release": "rollouts.rollout_release",
            "back": "rollouts.rollout_back",
        },
    ),
    "uploads": Group(
        "What phones bring.",
        {
            "list": "uploads.uploads_list",
            "show": "uploads.uploads_show",
            "diff": "uploads.uploads_diff",
            "carry": "uploads.uploads_carry",
        },
        lists_by_default=True,
    ),
    "token": Group(
        "Keys of programs for the API.",
        {"create": "tokens.token_create", "list": "tokens.token_list", "revoke": "tokens.token_revoke"},
    ),
    "firmware": Group(
        "Firmware files.",
        {
            "add": "firmware.firmware_add",
            "list": "firmware.firmware_list",
            "remove": "firmware.firmware_remove",
            "check": "firmware.firmware_check",
        },
    ),
    "pnp": Group(
        "Phones that look for a server.",
        {"list": "pnp.pnp_list", "approve": "pnp.pnp_approve", "dismiss": "pnp.pnp_dismiss"},
    ),
    "bans": Group(
        "Sources that get nothing without a token.",
        {"list": "bans.bans_list", "lift": "bans.bans_lift", "add": "bans.bans_add"},
    ),
    "calls": Group(
        "Who calls whom, the newest first.",
        {"show": "calls.calls_show", "why": "calls.calls_why", "hangup": "calls.calls_hangup"},
        alone="calls.calls",
    ),
    "alarms": Group("What waits for somebody.", {"list": "alarms.alarms_list", "ack": "alarms.alarms_ack"}),
}
"""By their first words: `module.function` in `provisioner.cli`."""


class _WhenAsked(Mapping[str, Any]):
    """What each first word does, loaded when it is asked for."""

    def __getitem__(self, name: str) -> Any:
        what = VERBS[name]
        return get_command(_group(what) if isinstance(what, Group) else _app_of(name, what))

    def __iter__(self) -> Iterator[str]:
        return iter(VERBS)

    def __len__(self) -> int:
        return len(VERBS)


class Verbs(TyperGroup):
    """All of `VERBS`."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes | {"commands": _WhenAsked()})


class ListsByDefault(TyperGroup):
    """`uploads MAC` is `uploads list MAC`."""

    # Newer typers bring a click of their own, so its types have no one name.
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The verb, or `list` where the first word is none."""
        known = args and (args[0] in self.commands or args[0].startswith("-"))
        return super().resolve_command(ctx, args if known else ["list", *args])


def _app_of(name: str, function: str) -> typer.Typer:
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name)(_loaded(function))
    return app


def _group(group: Group) -> typer.Typer:
    app = typer.Typer(
        cls=ListsByDefault if group.lists_by_default else TyperGroup,
        no_args_is_help=group.alone is None,
        help=group.help,
        add_completion=False,
        rich_markup_mode=None,
    )
    if group.alone is not None:
        app.callback(invoke_without_command=True)(_loaded(group.alone))
    for name, function in group.verbs.items():
        app.command(name)(_loaded(function))
    return app


def _loaded(function: str) -> Callable[..., Any]:
    """The function; its module is loaded without a collector that looks for garbage where none is made."""
    module, _, name = function.partition(".")
    gc.disable()
    try:
        loaded: Callable[..., Any] = getattr(import_module(f"provisioner.cli.{module}"), name)
    finally:
        gc.enable()
    return loaded
