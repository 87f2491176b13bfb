"""The staff's side: who may see which page, and how what goes wrong is said."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from aiohttp import web

from db.errors import StorageError
from provisioner.centrex.errors import BadValue, CentralkaError, Forbidden, NotFound
from provisioner.operations.alarms import count_waiting
from provisioner.operations.event_tail import EventTail
from provisioner.operations.installation import Installation
from provisioner.operations.sessions import Session
from provisioner.operations.sign_in import SignIn
from provisioner.web.portal.going import Going
from provisioner.web.portal.pages import HEADERS, Frame, Notice, Pages, frame_for
from provisioner.web.portal.visitors import session_in
from provisioner.web.portal.words import LANGUAGES, PL, Words, words_for
from provisioner.web.streams import STREAM_TYPE, Streams, TooManyStreams

logger = logging.getLogger(__name__)

LOG_IN = "/log-in"


@dataclass(frozen=True, slots=True)
class Desk:
    """What answers people."""

    installation: Installation
    sign_in: SignIn
    pages: Pages
    tail: EventTail
    streams: Streams
    going: Going
    "Test calls that people have asked for."


DESK = web.AppKey("desk", Desk)
_SESSION = web.RequestKey("session", Session)
"Of whom the page is for, once that is known."
_ALARMS = web.RequestKey("alarms", int)
"How many wait for somebody, likewise."

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
StaffHandler = Callable[[web.Request, Session], Awaitable[web.StreamResponse]]


def for_anybody(handler: Handler) -> Handler:
    """`handler`, whose refusals are said as pages."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPSeeOther as redirect:
            redirect.headers.update(HEADERS)
            raise
        except web.HTTPNotFound:
            words = _words(request)
            return _notice(request, HTTPStatus.NOT_FOUND, words.not_found_title, words.not_found)
        except TooManyStreams as error:
            return web.Response(status=HTTPStatus.TOO_MANY_REQUESTS, text=str(error), headers=HEADERS)
        except CentralkaError as error:
            return _refusal(request, error)
        except (StorageError, TimeoutError):
            logger.exception("page not answered path=%s", request.path)
            words = _words(request)
            return _notice(
                request, HTTPStatus.SERVICE_UNAVAILABLE, words.unavailable_title, words.unavailable
            )
        except web.HTTPException:
            raise
        except Exception:
            # A stream has begun by now, or its reader shows no page.
            if request.headers.get("Accept") == STREAM_TYPE:
                raise
            logger.exception("page failed path=%s", request.path)
            words = _words(request)
            return _notice(request, HTTPStatus.INTERNAL_SERVER_ERROR, words.failed_title, words.failed)

    return guarded


def for_staff(handler: StaffHandler) -> Handler:
    """`handler`, for nobody who is not logged in; others are sent to log in and come back."""

    @for_anybody
    async def guarded(request: web.Request) -> web.StreamResponse:
        session = await _received(request)
        if session is None:
            raise web.HTTPSeeOther(f"{LOG_IN}?next={quote(request.path_qs, safe='')}")
        return await handler(request, session)

    return guarded


def words_of(request: web.Request, session: Session | None) -> Words:
    """In the user's language, or in one that the browser takes."""
    if session is not None:
        return LANGUAGES.get(session.language, PL)
    return words_for(request.headers.get("Accept-Language", ""))


async def nothing(request: web.Request) -> web.StreamResponse:
    """Where there is no page; who is logged in is told so in a frame as usual."""
    await _received(request)
    raise web.HTTPNotFound


def frame_of(request: web.Request, session: Session) -> Frame:
    """What stands around the page that is asked for."""
    return frame_for(words_of(request, session), session, alarms=request.get(_ALARMS, 0))


async def _received(request: web.Request) -> Session | None:
    """Who is logged in, if anybody is; what the frame of a page says is known from then on."""
    installation = request.app[DESK].installation
    session = await session_in(installation, request)
    if session is not None:
        request[_SESSION] = session
        request[_ALARMS] = await count_waiting(installation)
    return session


def _words(request: web.Request) -> Words:
    return words_of(request, request.get(_SESSION))


def _refusal(request: web.Request, error: CentralkaError) -> web.Response:
    words = _words(request)
    status = {
        NotFound: HTTPStatus.NOT_FOUND,
        Forbidden: HTTPStatus.FORBIDDEN,
        BadValue: HTTPStatus.UNPROCESSABLE_ENTITY,
    }.get(type(error), HTTPStatus.BAD_REQUEST)
    text = words.form_too_old if isinstance(error, Forbidden) else str(error)
    return _notice(request, status, words.refused_title, text)


def _notice(request: web.Request, status: HTTPStatus, title: str, text: str) -> web.Response:
    pages, session = request.app[DESK].pages, request.get(_SESSION)
    frame = frame_for(words_of(request, None), None) if session is None else frame_of(request, session)
    return pages.page("notice.html", Notice(frame, title, text), status)
