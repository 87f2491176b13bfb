"""`centralka test-calls`: runs over many numbers, and who is tested when."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.customer import ProofSchedule
from provisioner.centrex.errors import BadValue
from provisioner.cli.common import (
    AsJson,
    ConfigFile,
    DataDir,
    JUnitFile,
    check_place,
    chosen_data_dir,
    moment,
    out,
    print_json,
    with_installation,
    write_bytes,
)
from provisioner.control.client import ask
from provisioner.control.errors import ServerGone
from provisioner.operations import proof_runs, proof_schedules
from provisioner.operations.installation import Installation
from provisioner.operations.proof_history import Run, Wanted, all_proofs, list_proofs
from provisioner.operations.proof_runs import ProofRun, State, run_of
from provisioner.operations.proof_schedules import Schedule
from provisioner.operations.proofs import Proof
from provisioner.web.call_report.junit import junit_of_many

_SHOWN = 20
"Runs of the list, unless more are asked for."
Number = Annotated[int, typer.Argument(metavar="RUN", help="As `test-calls list` shows it.")]


def runs_list(
    customer: Annotated[str | None, typer.Option("--customer", help="Runs over this one alone.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=proof_runs.MOST_RUNS)] = _SHOWN,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Runs over many numbers, the newest first."""
    page = with_installation(
        data_dir, config, lambda each: proof_runs.list_runs(each, customer=customer, most=limit)
    )
    if as_json:
        print_json(page.runs)
        return
    out.print(_table(page.runs) if page.runs else "No run was made yet: centralka test-calls run --all")


def runs_show(
    number: Number,
    junit_file: JUnitFile = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """One run: what is red, and what was not tested. Exit code 0 only if it is through and nothing is red."""

    async def look(installation: Installation) -> tuple[ProofRun, tuple[Run, ...], list[Proof]]:
        run = await proof_runs.show_run(installation, number)
        red = await list_proofs(installation, Wanted(run_id=number, passed=False))
        whole = await all_proofs(installation, number) if junit_file is not None else []
        return run, red.runs, whole

    run, red, whole = with_installation(data_dir, config, look)
    if junit_file is not None:
        write_bytes(junit_file, junit_of_many(whole))
    if as_json:
        print_json({"run": run, "red": red})
    else:
        _tell(run, red)
    if run.state is not State.DONE or run.red:
        raise typer.Exit(1)


def runs_run(
    everybody: Annotated[bool, typer.Option("--all", help="All numbers of the installation.")] = False,
    customer: Annotated[str | None, typer.Option("--customer", help="All numbers of this one.")] = None,
    speed: Annotated[
        int | None, typer.Option(min=1, max=20, help="Divide ring times and delays by this.")
    ] = None,
    junit_file: JUnitFile = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Test all numbers now, and wait for it: nobody's phone rings. Exit code 0 only if nothing is red."""
    if everybody == (customer is not None):
        raise BadValue("say whose numbers are to be tested: --all, or --customer LOGIN")
    check_place(junit_file)
    question: dict[str, Any] = {"customer": customer}
    if speed is not None:
        question["speed"] = speed
    run = uvloop.run(_made(chosen_data_dir(data_dir), question, quiet=as_json))
    runs_show(run.id, junit_file, as_json, data_dir, config)


def runs_stop(number: Number, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """End a run where it is."""
    with_installation(data_dir, config, lambda each: proof_runs.stop_run(each, number))
    out.print(f"Run {number} ends within a minute; what it has not come to stays untested.")


def runs_schedule(
    customer: Annotated[
        str | None, typer.Option("--customer", help="Change what this one has otherwise than all.")
    ] = None,
    nightly: Annotated[
        bool | None, typer.Option("--nightly/--no-nightly", help="Whether its numbers are tested at night.")
    ] = None,
    after_changes: Annotated[
        bool | None,
        typer.Option("--after-changes/--no-after-changes", help="Whether they are after its changes."),
    ] = None,
    window: Annotated[
        str | None, typer.Option("--window", help="From when to when, in its time zone: 22:00-05:00.")
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Nothing otherwise any more.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """When numbers are tested by themselves: for all, and what some customers have otherwise."""
    said = ProofSchedule(nightly, after_changes, window)
    is_change = reset or said != ProofSchedule()
    if customer is None and is_change:
        raise BadValue("for all, change [test_calls] of the configuration file; or give --customer LOGIN")

    async def work(installation: Installation) -> list[Schedule]:
        if customer is not None and is_change:
            await proof_schedules.set_schedule(installation, customer, COMMAND_LINE, said, reset=reset)
        return await proof_schedules.list_schedules(installation)

    found = with_installation(data_dir, config, work)
    if as_json:
        print_json(found)
        return
    table = Table("customer", "at night", "window", "full length", "after changes")
    for each in found:
        table.add_row(
            each.customer or "all others",
            "tested" if each.nightly else "not tested",
            f"{each.window} {each.time_zone}" if each.nightly else "",
            each.full_length_day if each.nightly else "",
            "tested" if each.after_changes else "not tested",
        )
    out.print(table)


async def _made(data_dir: Path, question: dict[str, Any], *, quiet: bool) -> ProofRun:
    """The run when it is over; how far it is is shown meanwhile where somebody looks."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[told]}"),
        TimeElapsedColumn(),
    )
    run: ProofRun | None = None
    with Progress(*columns, console=out, disable=quiet or not out.is_terminal) as progress:
        bar = progress.add_task("numbers", total=None, told="")
        async with aclosing(ask(data_dir, "test-run", question)) as answers:
            async for said in answers:
                run = run_of(said["run"])
                told = f"{run.red} red" if run.red else ""
                total = run.numbers or None
                progress.update(bar, total=total, completed=run.tested + run.untested, told=told)
    if run is None or not run.is_over:
        raise ServerGone
    return run


def _table(runs: Iterable[ProofRun]) -> Table:
    table = Table(
        "run", "why", "whose", "began", "took", "state", "numbers", "green", "red", "not tested", "unchanged"
    )
    for run in runs:
        table.add_row(
            str(run.id),
            run.cause,
            run.customer or "all",
            moment(run.began_at),
            _took(run),
            run.state,
            str(run.numbers),
            str(run.green),
            Text(str(run.red), style="bold red" if run.red else ""),
            str(run.untested),
            str(run.unchanged),
        )
    return table


def _took(run: ProofRun) -> str:
    if run.began_at is None or run.finished_at is None:
        return ""
    minutes, seconds = divmod(round((run.finished_at - run.began_at).total_seconds()), 60)
    return f"{minutes}:{seconds:02} min"


def _tell(run: ProofRun, red: Iterable[Run]) -> None:
    out.print(_table([run]))
    for each in red:
        wrong = f"{each.failed} of {each.calls} calls"
        out.print(
            f"{each.customer} {each.number} does not ring as configured ({wrong}):"
            f" centralka test-call {each.number} --customer {each.customer}",
            markup=False,
        )
    for left_out in run.reasons:
        out.print(f"{left_out.customer} {left_out.number} was not tested: {left_out.why}", markup=False)
