"""`/calls`: calls that go on and calls that are over, each with whom it rang."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

from aiohttp import web
from multidict import MultiMapping

from provisioner.operations.call_board import CallBoard, Counts, call_board
from provisioner.operations.calls import Call, Wanted
from provisioner.operations.events import CallKind
from provisioner.operations.sessions import Session
from provisioner.web.portal.call_drawings import Bar, bars, state_of, talked, told
from provisioner.web.portal.listing import Choice, address, number_in, text_in
from provisioner.web.portal.live import Drawn, follow
from provisioner.web.portal.moments import Moment, Reader, reader
from provisioner.web.portal.pages import Frame, Pages
from provisioner.web.portal.staff import DESK, Desk, frame_of, words_of
from provisioner.web.portal.words import Words

PATH: Final = "/calls"
LIVE_PATH: Final = f"{PATH}/live"
CALLS: Final = 50
"Of a page."
_CHOICES = {
    "live": Wanted(is_live=True),
    "answered": Wanted(is_live=False, is_answered=True),
    "unanswered": Wanted(is_live=False, is_answered=False),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address says."""

    text: str
    state: str
    "One of the choices; empty: all."
    before: int | None
    "What the page begins before."

    @property
    def wanted(self) -> Wanted:
        """The same for the operation."""
        chosen = _CHOICES.get(self.state, Wanted())
        return Wanted(text=self.text, is_live=chosen.is_live, is_answered=chosen.is_answered)

    def address(self, path: str, before: int | None = None) -> str:
        """A page that shows the same, before that number."""
        return address(path, q=self.text, state=self.state, before=str(before or ""))


def asked_in(query: MultiMapping[str]) -> Asked:
    """What a query says; what can't be meant is left out, for people type addresses."""
    state = query.get("state", "")
    return Asked(
        text=text_in(query),
        state=state if state in _CHOICES else "",
        before=number_in(query.get("before", "")),
    )


@dataclass(frozen=True, slots=True)
class CallView:
    """One call."""

    words: Words
    key: str
    call: Call
    was: str
    "`ringing`, `talking`, `answered` or `unanswered`."
    state: str
    "The same in words, and how it ended."
    told: str
    "What the caller was told that nobody answered."
    began: Moment | None
    talked: str | None
    bars: tuple[Bar, ...]
    address: str
    "Of the page about it."


@dataclass(frozen=True, slots=True)
class CallsView:
    """The page."""

    frame: Frame
    asked: Asked
    choices: tuple[Choice, ...]
    counts: Counts
    rows: tuple[str, ...]
    "Each as HTML, as it is sent when it changes."
    live: str
    "Where changes come from."
    first: str | None
    next: str | None


async def show_calls(request: web.Request, session: Session) -> web.StreamResponse:
    """The page as it is now."""
    desk, asked = request.app[DESK], asked_in(request.query)
    words = words_of(request, session)
    found = await call_board(desk.installation, asked.wanted, asked.before, CALLS)
    view = CallsView(
        frame=await frame_of(request, session),
        asked=asked,
        choices=tuple(_choices(asked, words)),
        counts=found.counts,
        rows=tuple(_drawn(desk.pages, found, words, session).values()),
        live=asked.address(LIVE_PATH, asked.before),
        first=asked.address(PATH) if asked.before is not None else None,
        next=asked.address(PATH, found.next) if found.next is not None else None,
    )
    return desk.pages.page("calls.html", view)


async def follow_calls(request: web.Request, session: Session) -> web.StreamResponse:
    """The rows of the page, as they change."""
    asked, words = asked_in(request.query), words_of(request, session)

    async def draw(desk: Desk) -> Drawn:
        found = await call_board(desk.installation, asked.wanted, asked.before, CALLS)
        return Drawn(_drawn(desk.pages, found, words, session), asdict(found.counts))

    return await follow(request, session, frozenset(CallKind), draw)


def _drawn(pages: Pages, found: CallBoard, words: Words, session: Session) -> dict[str, str]:
    """The HTML of each call by its key, in their order."""
    who = reader(words, session.time_zone, found.at)
    views = (_view(call, found, who) for call in found.calls)
    return {view.key: pages.text("call.html", view) for view in views}


def _view(call: Call, found: CallBoard, who: Reader) -> CallView:
    words = who.words
    was, state = state_of(call, words)
    return CallView(
        words=words,
        key=f"c-{call.id}",
        call=call,
        was=was,
        state=state,
        told=told(call, words),
        began=who.moment(call.started_at),
        talked=talked(call, found.at),
        bars=bars(call, found.at, words),
        address=f"{PATH}/{call.id}",
    )


def _choices(asked: Asked, words: Words) -> Iterator[Choice]:
    yield Choice("", words.every_state, not asked.state)
    for value in _CHOICES:
        yield Choice(value, words.named("calls", value), asked.state == value)
