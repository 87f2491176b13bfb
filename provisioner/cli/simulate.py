"""`centralka simulate`: many virtual phones on a server, before the real ones come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Annotated

import typer
import uvloop
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from provisioner.centrex.errors import BadValue
from provisioner.centrex.mac import MacAddress
from provisioner.cli.common import (
    AsJson,
    ConfigFile,
    DataDir,
    chosen_data_dir,
    chosen_settings,
    err,
    out,
    print_json,
)
from provisioner.cli.server import on_stop
from provisioner.cli.simulated import tables
from provisioner.simulation.profile import Profile, profiles
from provisioner.simulation.ready import Ready, Wanted, from_nothing, from_stock
from provisioner.simulation.run import Plan, Simulation
from provisioner.simulation.tally import Report

_LOOK_S = 0.25
"How often what is shown is looked at."
_NAMED = 5


def simulate(
    customer: Annotated[
        str | None, typer.Option("--customer", help="Login of whose phones they are. Default: all.")
    ] = None,
    device: Annotated[
        list[str] | None, typer.Option("--device", help="A phone by its MAC; may be given several times.")
    ] = None,
    phones: Annotated[
        int | None, typer.Option("--phones", min=1, help="So many of them. Default: all.")
    ] = None,
    made_up: Annotated[
        int | None,
        typer.Option("--made-up", min=1, max=100_000, help="So many made-up ones, on a server of their own."),
    ] = None,
    over: Annotated[float, typer.Option(min=0, help="Seconds in which they are plugged in.")] = 10.0,
    lasts: Annotated[
        float, typer.Option("--for", min=0, help="Seconds in which they call, once all are up.")
    ] = 60.0,
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds after the last plug in which phones may come up.")
    ] = 60.0,
    profile: Annotated[
        str, typer.Option(help="What people do: office, call-centre or quiet.")
    ] = "office",
    calls_per_hour: Annotated[
        float | None, typer.Option(min=0, help="Calls that each phone begins; default: the profile's.")
    ] = None,
    talks: Annotated[
        float | None, typer.Option(min=0.1, help="Seconds of a call, on average; default: the profile's.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same one has people do the same.")] = 1,
    hurry: Annotated[
        float, typer.Option(min=1, max=1000, help="Divide by this what phones wait before they try again.")
    ] = 1.0,
    server: Annotated[
        str | None, typer.Option("--server", help="URL of the server, if it is not this machine's.")
    ] = None,
    claim: Annotated[
        bool, typer.Option("--claim", help="Claim those that never came; claim them again for the real ones.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Also beside phones that are registered now.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Plug in virtual phones that boot, register and call as real ones do, and say how the server bore it.

    Exit code 0 only if all of them came up and no call failed. Ctrl-C ends it early, and in order.
    """
    plan = Plan(_profile(profile, calls_per_hour, talks), over, lasts, patience, seed, hurry)
    macs = frozenset(map(MacAddress.parse, device or ()))
    chosen = customer, device, phones, server, claim or None
    if made_up is not None and any(each is not None for each in chosen):
        raise BadValue("--made-up phones are nobody's, and have a server of their own: leave the rest out")
    wanted = Wanted(customer, macs, phones, claim, yes, server)

    async def run() -> Report:
        stop = on_stop()
        shown = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[said]}"),
            TimeElapsedColumn(),
            console=err,
            disable=as_json or not err.is_terminal,
        )
        with shown:
            if made_up is None:
                making = from_stock(chosen_data_dir(data_dir), chosen_settings(config), wanted)
            else:
                bar = shown.add_task("made up and claimed", total=made_up, said="")
                making = from_nothing(made_up, lambda done: shown.update(bar, completed=done), stop)
            async with making as ready:
                if not as_json:
                    _say(ready)
                simulation = Simulation(ready.packed.boxes, ready.network, plan, ready.server)
                async with _showing(shown, simulation, lasts):
                    return await simulation.run(stop)

    report = uvloop.run(run())
    if as_json:
        print_json(report)
    else:
        for table in tables(report):
            out.print(table)
    if not report.passed:
        raise typer.Exit(1)


def _profile(name: str, calls_per_hour: float | None, talks_s: float | None) -> Profile:
    found = profiles().get(name)
    if found is None:
        raise BadValue(f"there is no profile {name!r}: choose one of {', '.join(profiles())}")
    if calls_per_hour is not None:
        found = replace(found, calls_per_hour=calls_per_hour)
    return found if talks_s is None else replace(found, talks_s=talks_s)


def _say(ready: Ready) -> None:
    err.print(
        f"{len(ready.packed.boxes)} virtual phones are plugged in and fetch their files from {ready.where}."
        " The server takes them for the real ones: they register those lines, and are what is seen of them.",
        markup=False,
    )
    if left_out := ready.packed.left_out:
        err.print(f"{len(left_out)} are left out:", markup=False)
        for mac, why in left_out[:_NAMED]:
            err.print(f"  {mac}: {why}", markup=False)


@asynccontextmanager
async def _showing(shown: Progress, simulation: Simulation, lasts_s: float) -> AsyncIterator[None]:
    """How far it is, while the context lasts."""

    async def show() -> None:
        tally, total = simulation.tally, simulation.phones
        plugged = shown.add_task("plugged in", total=total, said="")
        up = shown.add_task("registered", total=total, said="")
        calling = shown.add_task("seconds of calls", total=round(lasts_s), said="")
        began: float | None = None
        clock = asyncio.get_running_loop().time
        while True:
            shown.update(plugged, completed=tally.powered_on)
            failed = sum(failure.times for failure in tally.failures.values())
            shown.update(up, completed=tally.up, said=f"{failed} failures")
            if simulation.is_calling:
                began = clock() if began is None else began
                said = f"{tally.calls} calls, {tally.failed} failed"
                shown.update(calling, completed=min(round(clock() - began), round(lasts_s)), said=said)
            await asyncio.sleep(_LOOK_S)

    task = asyncio.create_task(show())
    try:
        yield
    finally:
        task.cancel()
