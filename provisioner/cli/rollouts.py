"""The verbs of a staged change: look how far it came, let it go on, take it back."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import BadValue
from provisioner.centrex.mac import MacAddress
from provisioner.cli.common import (
    AsJson,
    ConfigFile,
    DataDir,
    DryRun,
    moment,
    out,
    print_json,
    with_installation,
)
from provisioner.cli.plans import print_files
from provisioner.operations import rollouts
from provisioner.operations.customer_step import Plan
from provisioner.operations.rollouts import Reach

Customer = Annotated[str, typer.Argument(help="Login of the customer.")]
Device = Annotated[str | None, typer.Option("--device", help="One phone, by its MAC.")]
Site = Annotated[str | None, typer.Option("--site", help="The phones at this site.")]


def rollout_show(
    customer: Annotated[
        str | None, typer.Argument(help="Login of the customer, for its last rollout. Default: all open.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Which phones have a staged change, which keep what they had."""
    found = with_installation(
        data_dir, config, lambda installation: rollouts.show(installation, customer)
    )
    if as_json:
        print_json(found)
        return
    if not found:
        out.print("No rollout is open." if customer is None else f"{customer} never had a rollout.")
    for rollout in found:
        _print(rollout)


def _print(rollout: rollouts.Rollout) -> None:
    ended = f", closed {moment(rollout.closed_at)}" if rollout.closed_at else ""
    out.print(
        f"{rollout.customer}: {rollout.cause}, {rollout.actor}, opened {moment(rollout.opened_at)}{ended}",
        markup=False,
    )
    out.print(
        f"{rollout.waiting} phones wait, {rollout.released} are released,"
        f" {rollout.fetched} of these have fetched it."
    )
    table = Table("site", "MAC", "name", "standing", "file", "gets", "staged", "held", "fetched", "when")
    for phone in rollout.phones:
        standing = f"{phone.standing} {moment(phone.since)}".rstrip()
        for number, file in enumerate(phone.files):
            own = number == 0
            table.add_row(
                (phone.site or "") if own else "",
                phone.mac if own else "",
                phone.name if own else "",
                standing if own else "",
                file.name,
                str(file.revision or "none"),
                str(file.staged or ""),
                str(file.held or ""),
                str(phone.fetched_revision or "") if own else "",
                moment(phone.fetched_at) if own else "",
            )
    out.print(table)


def rollout_release(
    customer: Customer,
    device: Device = None,
    site: Site = None,
    everybody: Annotated[bool, typer.Option("--all", help="All phones: the rollout ends.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Let phones have the staged change: one, those at a site, or all."""
    if [device is not None, site is not None, everybody].count(True) != 1:
        raise BadValue("say which phones: --device MAC, --site NAME or --all")
    reach = _reach(device, site)
    plan = with_installation(
        data_dir,
        config,
        lambda installation: rollouts.release(installation, customer, reach, COMMAND_LINE, dry_run=dry_run),
    )
    _print_step(plan, dry_run, as_json)


def rollout_back(
    customer: Customer,
    device: Device = None,
    site: Site = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Give phones back what they had before the last rollout, with today's passwords; default: all."""
    if device is not None and site is not None:
        raise BadValue("say either --device MAC or --site NAME, or neither for all phones")
    reach = _reach(device, site)
    plan = with_installation(
        data_dir,
        config,
        lambda installation: rollouts.take_back(installation, customer, reach, COMMAND_LINE, dry_run=dry_run),
    )
    _print_step(plan, dry_run, as_json)


def _reach(device: str | None, site: str | None) -> Reach:
    return Reach(MacAddress.parse(device) if device is not None else None, site)


def _print_step(plan: Plan, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json({"dry_run": dry_run, "files": plan.files})
        return
    print_files(plan)
    phones = len({file.owner for file in plan.files if not file.staged})
    kept = " Nothing was kept." if dry_run else ""
    out.print(f"{phones} phones get new bytes.{kept}")
