"""`/calls/ID`: one call, and for each extension of the company why it did not ring."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from aiohttp import web

from provisioner.centrex.errors import NotFound
from provisioner.operations.installation import utc_now
from provisioner.operations.sessions import Session
from provisioner.operations.unrung import Reason
from provisioner.operations.why import Asked, ask_why
from provisioner.web.answers.saying import Said, said
from provisioner.web.portal.call_drawings import Bar, bars, state_of, talked, told
from provisioner.web.portal.call_words import CALL_WORDS, CallWords
from provisioner.web.portal.moments import Moment, Reader, reader
from provisioner.web.portal.pages import Frame
from provisioner.web.portal.staff import DESK, frame_of, words_of

_MOST: Final = 60
"Extensions that are answered for on the page; for others one asks."
_LONGEST_NUMBER: Final = 40


@dataclass(frozen=True, slots=True)
class AnswerView:
    """The answer for one extension."""

    number: str
    name: str
    rang: bool
    said: Said


@dataclass(frozen=True, slots=True)
class CallPage:
    """The page."""

    frame: Frame
    call_words: CallWords
    caller: str
    dialled: str
    customer: str
    was: str
    state: str
    began: Moment | None
    told: str
    talked: str | None
    bars: tuple[Bar, ...]
    asked: AnswerView | None
    "For whom somebody has asked."
    unknown: str
    "A number somebody has asked about, and there is no such extension; empty: there is."
    concerned: tuple[AnswerView, ...]
    "Those that the number led to."
    others: tuple[AnswerView, ...]


async def show_call(request: web.Request, session: Session) -> web.StreamResponse:
    """The page."""
    desk, words = request.app[DESK], words_of(request, session)
    try:
        call_id = UUID(request.match_info["id"])
    except ValueError:
        raise web.HTTPNotFound from None
    try:
        asked = await ask_why(desk.installation, call_id)
    except NotFound:
        raise web.HTTPNotFound from None
    call, who = asked.call, reader(words, session.time_zone, utc_now())
    was, state = state_of(call, words)
    wanted = request.query.get("at", "").strip()[:_LONGEST_NUMBER]
    unknown, chosen = "", None
    try:
        chosen = _answer(asked, wanted, who) if wanted else None
    except NotFound:
        unknown = wanted
    concerned = asked.concerned[:_MOST]
    others = sorted(set(asked.exchange.extensions) - set(concerned))
    view = CallPage(
        frame=await frame_of(request, session),
        call_words=CALL_WORDS[words.code],
        caller=" ".join(filter(None, (call.from_number, call.from_name))),
        dialled=call.to_number,
        customer=call.customer,
        was=was,
        state=state,
        began=who.moment(call.started_at),
        told=told(call, words),
        talked=talked(call, who.now),
        bars=bars(call, who.now, words),
        asked=chosen,
        unknown=unknown,
        concerned=_answers(asked, concerned, who),
        others=_answers(asked, others[: max(0, _MOST - len(concerned))], who),
    )
    return desk.pages.page("one_call.html", view)


def _answers(asked: Asked, numbers: Iterable[str], who: Reader) -> tuple[AnswerView, ...]:
    return tuple(_answer(asked, number, who) for number in numbers)


def _answer(asked: Asked, number: str, who: Reader) -> AnswerView:
    found = asked.answer(number)
    extension = asked.exchange.extensions.get(number)

    def moment(at: datetime) -> str:
        return f"{at.astimezone(who.zone):%H:%M:%S}"

    return AnswerView(
        number=number,
        name="" if extension is None else extension.name,
        rang=found.reason in (Reason.RANG, Reason.ANSWERED),
        said=said(asked, number, found, who.words, moment),
    )
