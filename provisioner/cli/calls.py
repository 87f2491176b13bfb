"""The verbs of calls: list, watch, show one, ask why it did not ring, end one."""

from __future__ import annotations

import json
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
import uvloop
from pydantic import TypeAdapter
from rich.console import Group
from rich.live import Live
from rich.text import Text

from provisioner.cli.call_table import story, table
from provisioner.cli.common import (
    AsJson,
    ConfigFile,
    DataDir,
    Language,
    chosen_data_dir,
    moment,
    out,
    print_json,
    with_installation,
)
from provisioner.control.client import ask
from provisioner.operations.calls import MOST_CALLS, Call, Wanted, list_calls, show_call
from provisioner.operations.missing import no_call
from provisioner.operations.why import ask_why
from provisioner.web.answers.saying import said
from provisioner.web.portal.words import LANGUAGES

CallId = Annotated[str, typer.Argument(help="The id of a call, as the list has it.")]

_CALL = TypeAdapter(Call)
_AROUND = 6
"Lines of a terminal that rows can't have."


def calls(
    context: typer.Context,
    customer: Annotated[str | None, typer.Option("--customer", help="One customer's only.")] = None,
    line: Annotated[str | None, typer.Option("--line", help="That this line made or was tried for.")] = None,
    group: Annotated[str | None, typer.Option("--group", help="Of one hunt group.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Those alone that go on now.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST_CALLS, help="The newest ones alone.")] = 50,
    watching: Annotated[
        bool, typer.Option("--watch", help="Go on until Ctrl-C; with --json a line for each change.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Who calls whom, the newest first."""
    if context.invoked_subcommand is not None:
        return
    if watching:
        _watch(chosen_data_dir(data_dir), customer, as_json)
        return
    wanted = Wanted(customer=customer, line=line, group=group, is_live=True if live else None)
    found = with_installation(
        data_dir, config, lambda installation: list_calls(installation, wanted, most=limit)
    )
    if as_json:
        print_json(found.calls)
        return
    out.print(table(found.calls) if found.calls else "There are no calls.")


def calls_show(
    call: CallId, as_json: AsJson = False, data_dir: DataDir = None, config: ConfigFile = None
) -> None:
    """One call: who was tried, for how long it rang, and why each did or did not answer."""
    call_id = _id(call)
    found = with_installation(data_dir, config, lambda installation: show_call(installation, call_id))
    if as_json:
        print_json(found)
        return
    for line in story(found):
        out.print(line, markup=False)


def calls_why(
    call: CallId,
    at: Annotated[str, typer.Option("--at", help="The extension, or the number of a line.")],
    language: Annotated[Language, typer.Option(help="Of the answer.")] = Language.EN,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Why a call did not ring at an extension, and what to do about it."""
    call_id = _id(call)
    found = with_installation(data_dir, config, lambda installation: ask_why(installation, call_id))
    answer = found.answer(at)
    if as_json:
        print_json(answer)
        return
    told = said(found, at, answer, LANGUAGES[language], moment)
    for line in (told.text, told.advice, told.known):
        out.print(line, markup=False)


def calls_hangup(call: CallId, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """End a call that goes on."""
    question = {"call": str(_id(call))}

    async def run() -> Call:
        async with aclosing(ask(chosen_data_dir(data_dir), "hang-up", question)) as told:
            async for said in told:
                return _CALL.validate_python(said)
        raise no_call(call)

    ended = uvloop.run(run())
    out.print(f"The call from {ended.from_number} to {ended.to_number} is ended.", markup=False)


def _id(said: str) -> UUID:
    try:
        return UUID(said)
    except ValueError:
        raise no_call(repr(said)) from None


def _watch(data_dir: Path, customer: str | None, as_json: bool) -> None:
    try:
        uvloop.run(_lines(data_dir, customer) if as_json else _table(data_dir, customer))
    except KeyboardInterrupt:
        return


async def _lines(data_dir: Path, customer: str | None) -> None:
    """A line of JSON for each call to which something happens."""
    async with aclosing(ask(data_dir, "calls", {"customer": customer})) as told:
        async for said in told:
            for call in said["calls"]:
                sys.stdout.write(json.dumps(call, ensure_ascii=False) + "\n")
            # Whoever reads a pipe wants it now.
            sys.stdout.flush()


async def _table(data_dir: Path, customer: str | None) -> None:
    """A table that changes: calls that go on, then those that have ended while somebody looked."""
    rows: dict[str, Call] = {}
    async with aclosing(ask(data_dir, "calls", {"customer": customer})) as told:
        with Live(console=out, screen=out.is_terminal, auto_refresh=False) as screen:
            async for said in told:
                for each in said["calls"]:
                    call = _CALL.validate_python(each)
                    rows.pop(call.id, None)
                    rows[call.id] = call
                ended = [call_id for call_id, call in rows.items() if not call.is_live]
                for call_id in ended[:-MOST_CALLS]:
                    del rows[call_id]
                screen.update(_shown(rows), refresh=True)


def _shown(rows: dict[str, Call]) -> Group:
    newest = sorted(rows.values(), key=lambda call: (call.is_live, call.started_at), reverse=True)
    live = sum(call.is_live for call in newest)
    most = max(1, out.height - _AROUND) if out.is_terminal else len(newest)
    return Group(table(newest[:most]), Text(f"{live} calls go on. Ctrl-C ends."))
