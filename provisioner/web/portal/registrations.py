"""`/registrations`: every line and phone, and how it stands now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

from aiohttp import web
from multidict import MultiMapping

from provisioner.operations.events import LineKind
from provisioner.operations.registered import LIVE, Registration, State
from provisioner.operations.registration_board import Board, Counts, board
from provisioner.operations.registration_history import Was
from provisioner.operations.registrations import Wanted
from provisioner.operations.sessions import Session
from provisioner.web.portal.drawings import Climb, Strip, climb, strip, was
from provisioner.web.portal.listing import Choice, address, text_in
from provisioner.web.portal.live import Drawn, follow
from provisioner.web.portal.moments import Moment, Reader, reader
from provisioner.web.portal.pages import Frame, Pages
from provisioner.web.portal.staff import DESK, Desk, frame_of, words_of
from provisioner.web.portal.words import Words

PATH: Final = "/registrations"
LIVE_PATH: Final = f"{PATH}/live"
LINES: Final = 50
"Of a page."
_GROUPS = {"live": LIVE, "dark": frozenset(State) - LIVE}
_CHOICES = (*_GROUPS, *State)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address says."""

    text: str
    state: str
    "One of the choices; empty: all."
    after: str
    "The line behind which the page begins."

    @property
    def wanted(self) -> Wanted:
        """The same for the operation."""
        states = _GROUPS.get(self.state) or (frozenset({State(self.state)}) if self.state else frozenset())
        return Wanted(states=states, text=self.text)

    def address(self, path: str, after: str | None = None) -> str:
        """A page that shows the same, behind the line `after`."""
        return address(path, q=self.text, state=self.state, after=after or "")


def asked_in(query: MultiMapping[str]) -> Asked:
    """What a query says; what can't be meant is left out, for people type addresses."""
    state, after = query.get("state", ""), query.get("after", "")
    return Asked(
        text=text_in(query),
        state=state if state in _CHOICES else "",
        after=after if after.isascii() and after.isdecimal() else "",
    )


@dataclass(frozen=True, slots=True)
class RowView:
    """One row."""

    words: Words
    key: str
    "The same for the same line on the same phone."
    row: Registration
    state: str
    otherwise: str | None
    "In what the phone says otherwise than it is listed, in words."
    climb: Climb | None
    strip: Strip
    since: Moment | None
    until: Moment | None
    heard: Moment | None
    ended: Moment | None


@dataclass(frozen=True, slots=True)
class Key:
    """A colour of the strip."""

    was: Was
    text: str


@dataclass(frozen=True, slots=True)
class RegistrationsView:
    """The page."""

    frame: Frame
    asked: Asked
    choices: tuple[Choice, ...]
    counts: Counts
    rows: tuple[str, ...]
    "Each as HTML, as it is sent when it changes."
    legend: tuple[Key, ...]
    live: str
    "Where changes come from."
    first: str | None
    next: str | None


async def show_registrations(request: web.Request, session: Session) -> web.StreamResponse:
    """The page as it is now."""
    desk, asked = request.app[DESK], asked_in(request.query)
    words = words_of(request, session)
    found = await board(desk.installation, asked.wanted, asked.after, LINES)
    drawn = drawn_rows(desk.pages, found, words, session)
    view = RegistrationsView(
        frame=await frame_of(request, session),
        asked=asked,
        choices=tuple(_choices(asked, words)),
        counts=found.counts,
        rows=tuple(drawn.values()),
        legend=tuple(Key(each, was(each, words)) for each in Was),
        live=asked.address(LIVE_PATH, asked.after),
        first=asked.address(PATH) if asked.after else None,
        next=asked.address(PATH, found.next) if found.next is not None else None,
    )
    return desk.pages.page("registrations.html", view)


async def follow_registrations(request: web.Request, session: Session) -> web.StreamResponse:
    """The rows of the page, as they change."""
    asked, words = asked_in(request.query), words_of(request, session)

    async def draw(desk: Desk) -> Drawn:
        found = await board(desk.installation, asked.wanted, asked.after, LINES)
        return Drawn(drawn_rows(desk.pages, found, words, session), asdict(found.counts))

    return await follow(request, session, frozenset(LineKind), draw)


def drawn_rows(pages: Pages, found: Board, words: Words, session: Session) -> dict[str, str]:
    """The HTML of each row by its key, in their order."""
    who = reader(words, session.time_zone, found.at)
    return {view.key: pages.text("registration.html", view) for view in _views(found, who)}


def _views(found: Board, who: Reader) -> Iterator[RowView]:
    words = who.words
    of_its_kind: Counter[str] = Counter()
    for row, spans in found.rows:
        place = f"{row.line}-{row.device.mac.replace(':', '') if row.device else 'none'}"
        of_its_kind[place] += 1
        differences = ", ".join(getattr(words, f"otherwise_{each}") for each in row.differences)
        yield RowView(
            words=words,
            key=f"r-{place}-{of_its_kind[place]}",
            row=row,
            state=getattr(words, f"state_{row.state}"),
            otherwise=words.said_otherwise.format(what=differences) if differences else None,
            climb=climb(row.rungs, words) if row.rungs else None,
            strip=strip(spans, who),
            since=who.moment(row.since),
            until=who.moment(row.until) if row.is_live else None,
            heard=who.moment(row.heard_at),
            ended=who.moment(row.ended_at),
        )


def _choices(asked: Asked, words: Words) -> Iterator[Choice]:
    yield Choice("", words.every_state, not asked.state)
    for value in _CHOICES:
        yield Choice(value, getattr(words, f"state_{value}"), asked.state == value)
