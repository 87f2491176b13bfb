"""Test calls of one number: asked for on a page, followed while they go on, and their report."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Final

from aiohttp import web

from provisioner.centrex.actor import Actor
from provisioner.centrex.errors import NotFound
from provisioner.operations.installation import utc_now
from provisioner.operations.proof_board import past_of
from provisioner.operations.proof_history import show_proof
from provisioner.operations.proof_runs import ask_for_run
from provisioner.operations.sessions import Session
from provisioner.operations.test_calls import USUAL_SPEED
from provisioner.web.call_report.page import body
from provisioner.web.call_report.words import LANGUAGES as REPORT_WORDS
from provisioner.web.portal.going import Run
from provisioner.web.portal.listing import number_in
from provisioner.web.portal.live import OVER
from provisioner.web.portal.moments import reader
from provisioner.web.portal.pages import HEADERS, Frame, Notice
from provisioner.web.portal.proof_words import PROOF_WORDS, ProofWords
from provisioner.web.portal.proofs import PATH, History, history, path_of, path_of_made
from provisioner.web.portal.staff import DESK, frame_of, words_of
from provisioner.web.portal.visitors import CSRF_FIELD, check_form, form_of
from provisioner.web.streams import HEARTBEAT, frame

_LOOK_S: Final = 10.0
"How long a stream says nothing at the most."


@dataclass(frozen=True, slots=True)
class Progress:
    """How far test calls are, in words."""

    text: str
    now: str
    wrong: str
    done: int
    calls: int
    "0: that is not known yet."


@dataclass(frozen=True, slots=True)
class GoingView:
    """The page of test calls that go on."""

    frame: Frame
    proof_words: ProofWords
    number: str
    back: str
    live: str
    progress: Progress
    is_over: bool
    problem: str


@dataclass(frozen=True, slots=True)
class MadeView:
    """The page of a report."""

    frame: Frame
    proof_words: ProofWords
    title: str
    customer: str
    number: str
    path: str
    "Of its customer."
    report: str
    "As HTML."
    history: History
    here: str


async def begin(request: web.Request, session: Session) -> web.StreamResponse:
    """Begins with test calls, and shows how they go on; without a number, of all that the customer has.

    Raises `Forbidden`, `TooManyTestCalls`, `NotFound`, `Conflict`.
    """
    desk = request.app[DESK]
    said = await form_of(request)
    check_form(desk.installation, request, said.get(CSRF_FIELD, ""), session.csrf)
    actor, login, number = Actor(session.login, session.role), request.match_info["login"], said.get("number")
    if number is None:
        await ask_for_run(desk.installation, login, round(USUAL_SPEED), actor)
        raise web.HTTPSeeOther(path_of(login))
    run = desk.going.begin(login, number[:100], actor)
    raise web.HTTPSeeOther(f"{PATH}/going/{run.id}")


async def show_going(request: web.Request, session: Session) -> web.StreamResponse:
    """How far they are; when they are over, their report."""
    desk, words = request.app[DESK], words_of(request, session)
    own = PROOF_WORDS[words.code]
    run = desk.going.run(request.match_info["id"])
    if run is None:
        return desk.pages.page(
            "notice.html", Notice(await frame_of(request, session), own.gone_title, own.gone), status=404
        )
    if run.made is not None:
        raise web.HTTPSeeOther(path_of_made(run.made))
    view = GoingView(
        frame=await frame_of(request, session),
        proof_words=own,
        number=run.number,
        back=path_of(run.customer),
        live=f"{PATH}/going/{run.id}/live",
        progress=_progress(run, own, words.code),
        is_over=run.is_over,
        problem="" if run.problem is None else own.problems.get(run.problem, own.problem),
    )
    return desk.pages.page("proof_going.html", view)


async def follow_going(request: web.Request, session: Session) -> web.StreamResponse:
    """The same as a stream, which ends with them."""
    desk, code = request.app[DESK], words_of(request, session).code
    run = desk.going.run(request.match_info["id"])
    if run is None:
        raise web.HTTPNotFound
    with desk.streams.admitted(request, session.id_hash):
        response = await desk.streams.begin(request, HEADERS)
        text = desk.streams.first_line
        with suppress(ConnectionError):
            while await desk.streams.send(request, response, text):
                if run.is_over:
                    await desk.streams.send(request, response, frame(OVER, "{}"))
                    break
                news, told = run.news, _told(_progress(run, PROOF_WORDS[code], code))
                if told != text:
                    text = told
                    continue
                try:
                    async with asyncio.timeout(_LOOK_S):
                        await news.wait()
                except TimeoutError:
                    text = HEARTBEAT
        return response


async def show_made(request: web.Request, session: Session) -> web.StreamResponse:
    """The report of test calls that are over."""
    desk, words = request.app[DESK], words_of(request, session)
    proof_id = number_in(request.match_info["id"])
    if proof_id is None:
        raise web.HTTPNotFound
    try:
        run, proof = await show_proof(desk.installation, proof_id, with_messages=True)
    except NotFound:
        raise web.HTTPNotFound from None
    own, report = PROOF_WORDS[words.code], REPORT_WORDS[words.code]
    past = await past_of(desk.installation, run.customer, run.number)
    who = reader(words, session.time_zone, utc_now())
    view = MadeView(
        frame=await frame_of(request, session),
        proof_words=own,
        title=report.title.format(number=run.number),
        customer=run.customer,
        number=run.number,
        path=path_of(run.customer),
        report=body(proof, report, who.zone),
        history=history(past, own, who),
        here=path_of_made(run.id),
    )
    return desk.pages.page("proof_made.html", view)


def _progress(run: Run, words: ProofWords, code: str) -> Progress:
    if run.calls is None:
        return Progress(words.starting, "", "", 0, 0)
    report = REPORT_WORDS[code]
    return Progress(
        text=words.progress.format(done=run.done, calls=run.calls),
        now="" if run.kind is None else words.now.format(what=report.scenarios[run.kind]),
        wrong=words.so_far_wrong.format(count=run.wrong) if run.wrong else "",
        done=run.done,
        calls=run.calls,
    )


def _told(progress: Progress) -> str:
    return frame("progress", json.dumps(asdict(progress), ensure_ascii=False))
