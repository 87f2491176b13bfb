"""`/test-calls`: how the numbers of each company stand by their test calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final
from urllib.parse import quote

from aiohttp import web

from provisioner.centrex.errors import NotFound
from provisioner.operations.installation import utc_now
from provisioner.operations.proof_board import Result, Stand, Standing, Tested, proof_board, proof_stands
from provisioner.operations.proof_runs import ProofRun, list_runs
from provisioner.operations.sessions import Session
from provisioner.web.portal.listing import Choice, address, text_in
from provisioner.web.portal.moments import Moment, Reader, reader
from provisioner.web.portal.pages import Frame
from provisioner.web.portal.proof_words import PROOF_WORDS, ProofWords
from provisioner.web.portal.staff import DESK, frame_of, words_of

PATH: Final = "/test-calls"
NUMBERS: Final = 50
"Of a page; customers likewise."
KEPT: Final = 30
"Marks of a strip."
_STEP = 9
_RUNS, _LOOKED_AT = 5, 40
"Runs over many numbers that are shown, and of how many of all."


@dataclass(frozen=True, slots=True)
class Mark:
    """A run of the history."""

    x: int
    passed: bool
    live: bool
    title: str
    address: str


@dataclass(frozen=True, slots=True)
class History:
    """The strip of passes and failures, the oldest on the left."""

    label: str
    marks: tuple[Mark, ...]
    width: int = KEPT * _STEP


@dataclass(frozen=True, slots=True)
class NumberView:
    """A number of a company."""

    tested: Tested
    standing: str
    newest: Moment | None
    report: str | None
    red_before: str | None
    "The report of the test that makes it red, where newer ones have passed and did not try the same."
    history: History


@dataclass(frozen=True, slots=True)
class RunView:
    """A run over many numbers."""

    when: Moment | None
    cause: str
    state: str
    came_to: str
    is_red: bool
    goes_on: bool
    "Its time has come, and more will come of it."


@dataclass(frozen=True, slots=True)
class NumbersView:
    """The page of a company."""

    frame: Frame
    proof_words: ProofWords
    customer: str
    path: str
    text: str
    choices: tuple[Choice, ...]
    counts: tuple[tuple[Standing, int, str], ...]
    rows: tuple[NumberView, ...]
    runs: tuple[RunView, ...]
    "Over many numbers, this customer's among them; the newest."
    first: str | None
    next: str | None


@dataclass(frozen=True, slots=True)
class CustomersView:
    """The page that leads to those."""

    frame: Frame
    proof_words: ProofWords
    text: str
    rows: tuple[tuple[str, Stand], ...]
    "Each with its address."
    first: str | None
    next: str | None


async def show_customers(request: web.Request, session: Session) -> web.StreamResponse:
    """All customers; where there is but one, its page at once."""
    desk, words = request.app[DESK], words_of(request, session)
    text, after = text_in(request.query), request.query.get("after", "")[:100].replace("\0", "")
    found = await proof_stands(desk.installation, text, after, NUMBERS + 1)
    if len(found) == 1 and not request.query:
        raise web.HTTPSeeOther(path_of(found[0].login))
    shown = found[:NUMBERS]
    more = address(PATH, q=text, after=shown[-1].login) if len(found) > NUMBERS else None
    view = CustomersView(
        frame=await frame_of(request, session),
        proof_words=PROOF_WORDS[words.code],
        text=text,
        rows=tuple((path_of(each.login), each) for each in shown),
        first=address(PATH, q=text) if after else None,
        next=more,
    )
    return desk.pages.page("proof_customers.html", view)


async def show_numbers(request: web.Request, session: Session) -> web.StreamResponse:
    """The numbers of one customer."""
    desk, words = request.app[DESK], words_of(request, session)
    login, query = request.match_info["login"], request.query
    text, after = text_in(query), query.get("after", "")
    state = query.get("state", "")
    standing = Standing(state) if state in set(Standing) else None
    try:
        found = await proof_board(desk.installation, login, standing, text, after, NUMBERS)
    except NotFound:
        raise web.HTTPNotFound from None
    own, who, path = PROOF_WORDS[words.code], reader(words, session.time_zone, utc_now()), path_of(login)
    chosen = "" if standing is None else str(standing)
    view = NumbersView(
        frame=await frame_of(request, session),
        proof_words=own,
        customer=login,
        path=path,
        text=text,
        choices=(
            Choice("", words.every_state, standing is None),
            *(Choice(each, own.states[each], each is standing) for each in Standing),
        ),
        counts=tuple((each, found.counts[each], own.counts[each]) for each in Standing),
        rows=tuple(_rows(found.numbers, own, who)),
        runs=tuple(_runs((await list_runs(desk.installation, most=_LOOKED_AT)).runs, login, own, who)),
        first=address(path, q=text, state=chosen) if after else None,
        next=None if found.next is None else address(path, q=text, state=chosen, after=found.next),
    )
    return desk.pages.page("proof_numbers.html", view)


def path_of(login: str) -> str:
    """The page of a customer."""
    return f"{PATH}/of/{quote(login, safe='')}"


def path_of_made(proof_id: int) -> str:
    """The page of a result."""
    return f"{PATH}/made/{proof_id}"


def history(past: Sequence[Result], words: ProofWords, who: Reader) -> History:
    """The strip of a number."""
    shown = past[-KEPT:]
    right = sum(each.passed for each in shown)
    marks = (
        Mark(place * _STEP, each.passed, each.live, in_words(each, words, who), path_of_made(each.id))
        for place, each in enumerate(shown)
    )
    return History(words.strip.format(right=right, wrong=len(shown) - right), tuple(marks))


def in_words(result: Result, words: ProofWords, who: Reader) -> str:
    """When it was, and what came of it."""
    moment = who.moment(result.at)
    said = words.right if result.passed else words.wrong
    at = "" if moment is None else moment.text
    told = said.format(at=at, failed=result.failed, calls=result.calls)
    return f"{told}, {words.live}" if result.live else told


def _runs(runs: Sequence[ProofRun], login: str, words: ProofWords, who: Reader) -> Iterator[RunView]:
    mine = (run for run in runs if run.customer in (None, login))
    for run in islice(mine, _RUNS):
        yield RunView(
            when=who.moment(run.began_at or run.due_at),
            cause=words.causes[run.cause],
            state=words.run_states[run.state],
            came_to=words.run_came_to.format(
                green=run.green, red=run.red, unchanged=run.unchanged, untested=run.untested
            ),
            is_red=run.red > 0,
            goes_on=not run.is_over and run.due_at <= who.now,
        )


def _rows(numbers: Sequence[Tested], words: ProofWords, who: Reader) -> Iterator[NumberView]:
    for each in numbers:
        newest = each.newest
        yield NumberView(
            tested=each,
            standing=words.states[each.standing],
            newest=None if newest is None else who.moment(newest.at),
            report=None if newest is None else path_of_made(newest.id),
            red_before=None if each.red_before is None else path_of_made(each.red_before),
            history=history(each.past, words, who),
        )
