"""`/alarms`: what waits for somebody, and what did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from multidict import MultiMapping

from provisioner.centrex.actor import Actor
from provisioner.centrex.errors import NotFound
from provisioner.operations.alarms import (
    Alarm,
    AlarmKind,
    Page,
    Standing,
    Wanted,
    acknowledge,
    alarm_page,
    count_alarms,
    is_cursor,
)
from provisioner.operations.events import TestKind
from provisioner.operations.installation import utc_now
from provisioner.operations.sessions import Session
from provisioner.web.portal.alarm_words import ALARM_WORDS, COMMANDS, AlarmWords
from provisioner.web.portal.listing import Choice, address, number_in, text_in
from provisioner.web.portal.live import Drawn, follow
from provisioner.web.portal.moments import Moment, Reader, reader
from provisioner.web.portal.pages import Frame, Pages
from provisioner.web.portal.proofs import path_of, path_of_made
from provisioner.web.portal.registrations import PATH as PHONES
from provisioner.web.portal.staff import DESK, Desk, frame_of, words_of
from provisioner.web.portal.visitors import CSRF_FIELD, check_form, form_of
from provisioner.web.portal.words import Words

PATH: Final = "/alarms"
LIVE_PATH: Final = f"{PATH}/live"
ALARMS: Final = 50
"Of a page."


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address says."""

    text: str
    state: str
    "One of the choices; empty: all."
    after: str | None
    "What the page begins behind."

    @property
    def wanted(self) -> Wanted:
        """The same for the operation."""
        return Wanted(text=self.text, standing=Standing(self.state) if self.state else None)

    def address(self, path: str, after: str | None = None) -> str:
        """A page that shows the same, behind that."""
        return address(path, q=self.text, state=self.state, after=after or "")


def asked_in(query: MultiMapping[str]) -> Asked:
    """What a query says; what can't be meant is left out, for people type addresses."""
    state, after = query.get("state", ""), query.get("after", "")
    return Asked(
        text=text_in(query),
        state=state if state in set(Standing) else "",
        after=after if is_cursor(after) else None,
    )


@dataclass(frozen=True, slots=True)
class Link:
    """Where more is to be seen."""

    address: str
    text: str


@dataclass(frozen=True, slots=True)
class AlarmView:
    """One alarm."""

    words: Words
    alarm_words: AlarmWords
    key: str
    alarm: Alarm
    state: str
    happened: str
    advice: str
    command: str
    "What to type; empty: nothing."
    links: tuple[Link, ...]
    raised: Moment | None
    ended: tuple[str, Moment] | None
    "Which of both it was, and when."
    see_to: str | None
    "Where the button leads; None: it does not wait."
    csrf: str


@dataclass(frozen=True, slots=True)
class AlarmsView:
    """The page."""

    frame: Frame
    alarm_words: AlarmWords
    asked: Asked
    choices: tuple[Choice, ...]
    counts: tuple[tuple[Standing, int, str], ...]
    rows: tuple[str, ...]
    "Each as HTML, as it is sent when it changes."
    live: str
    "Where changes come from."
    first: str | None
    next: str | None


async def show_alarms(request: web.Request, session: Session) -> web.StreamResponse:
    """The page as it is now."""
    desk, asked = request.app[DESK], asked_in(request.query)
    words = words_of(request, session)
    own = ALARM_WORDS[words.code]
    found = await alarm_page(desk.installation, asked.wanted, asked.after, ALARMS)
    counts = await count_alarms(desk.installation)
    view = AlarmsView(
        frame=await frame_of(request, session, counts[Standing.WAITING]),
        alarm_words=own,
        asked=asked,
        choices=(
            Choice("", words.every_state, not asked.state),
            *(Choice(each, words.named("alarms", each), asked.state == each) for each in Standing),
        ),
        counts=tuple((each, counts[each], own.counts[each]) for each in Standing),
        rows=tuple(_drawn(desk.pages, found, asked, words, session).values()),
        live=asked.address(LIVE_PATH, asked.after),
        first=asked.address(PATH) if asked.after is not None else None,
        next=asked.address(PATH, found.next) if found.next is not None else None,
    )
    return desk.pages.page("alarms.html", view)


async def follow_alarms(request: web.Request, session: Session) -> web.StreamResponse:
    """The rows of the page, as they change."""
    asked, words = asked_in(request.query), words_of(request, session)

    async def draw(desk: Desk) -> Drawn:
        found = await alarm_page(desk.installation, asked.wanted, asked.after, ALARMS)
        counts = await count_alarms(desk.installation)
        told = {**{str(each): count for each, count in counts.items()}, "badge": counts[Standing.WAITING]}
        return Drawn(_drawn(desk.pages, found, asked, words, session), told)

    # Numbers that turn red are told of at once; of the others a look is taken every few seconds.
    return await follow(request, session, frozenset(TestKind), draw)


async def see_to(request: web.Request, session: Session) -> web.StreamResponse:
    """Notes that somebody has seen to one, and shows the same page again. Raises `Forbidden`."""
    desk, asked = request.app[DESK], asked_in(request.query)
    said = await form_of(request)
    check_form(desk.installation, request, said.get(CSRF_FIELD, ""), session.csrf)
    number = number_in(request.match_info["id"])
    if number is None:
        raise web.HTTPNotFound
    # A colleague may have been faster, or it is over: then it waits no more, as was wanted.
    with suppress(NotFound):
        await acknowledge(desk.installation, number, Actor(session.login, session.role), utc_now())
    raise web.HTTPSeeOther(asked.address(PATH, asked.after))


def _drawn(pages: Pages, found: Page, asked: Asked, words: Words, session: Session) -> dict[str, str]:
    """The HTML of each alarm by its key, in their order."""
    who = reader(words, session.time_zone, utc_now())
    views = (_view(alarm, asked, who, session.csrf) for alarm in found.alarms)
    return {view.key: pages.text("alarm.html", view) for view in views}


def _view(alarm: Alarm, asked: Asked, who: Reader, csrf: str) -> AlarmView:
    words = ALARM_WORDS[who.words.code]
    # A newer version may have known more kinds.
    kind = AlarmKind(alarm.kind) if alarm.kind in set(AlarmKind) else None
    mac = alarm.mac or words.gone_phone
    named = {"number": alarm.about or "", "mac": mac, "source": alarm.source or ""}
    command = "" if kind is None else COMMANDS.get(kind, "")
    waits = alarm.standing is Standing.WAITING
    return AlarmView(
        words=who.words,
        alarm_words=words,
        key=f"a-{alarm.number}",
        alarm=alarm,
        state=words.states[alarm.standing],
        happened=words.happened_otherwise if kind is None else words.happened[kind].format(**named),
        advice=words.do_otherwise if kind is None else words.do[kind],
        command="" if "{mac}" in command and alarm.mac is None else command.format(**named),
        links=tuple(_links(alarm, words)),
        raised=who.moment(alarm.at),
        ended=_ended(alarm, words, who),
        see_to=asked.address(f"{PATH}/{alarm.number}", asked.after) if waits else None,
        csrf=csrf,
    )


def _links(alarm: Alarm, words: AlarmWords) -> Iterator[Link]:
    if alarm.test_call is not None:
        yield Link(path_of_made(alarm.test_call), words.report)
    if alarm.about is not None and alarm.customer is not None:
        numbers = address(path_of(alarm.customer), q=alarm.about)
        yield Link(numbers, words.number.format(number=alarm.about))
    if alarm.mac is not None:
        yield Link(address(PHONES, q=alarm.mac), words.phone.format(mac=alarm.mac))


def _ended(alarm: Alarm, words: AlarmWords, who: Reader) -> tuple[str, Moment] | None:
    for said, at in ((words.over, alarm.over_at), (words.seen, alarm.acknowledged_at)):
        moment = who.moment(at)
        if moment is not None:
            return said, moment
    return None
