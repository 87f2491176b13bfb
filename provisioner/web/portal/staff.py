"""The staff's side: who may see which page, and how what goes wrong is said."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from aiohttp import web

from db.errors import StorageError
from provisioner.centrex.errors import CentralkaError
from provisioner.operations.alarms import count_waiting
from provisioner.operations.event_tail import EventTail
from provisioner.operations.installation import Installation
from provisioner.operations.sessions import Session
from provisioner.operations.sign_in import SignIn
from provisioner.web.portal.going import Going
from provisioner.web.portal.pages import HEADERS, Frame, Notice, Pages, frame_for
from provisioner.web.portal.refusal_words import REFUSAL_WORDS, RefusalWords, Saying
from provisioner.web.portal.visitors import session_in
from provisioner.web.portal.words import LANGUAGES, PL, Words, words_for
from provisioner.web.refusing import headers_of, status_of
from provisioner.web.streams import STREAM_TYPE, Streams

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
            return await _notice(request, HTTPStatus.NOT_FOUND, _sayings(request).not_found)
        except CentralkaError as error:
            return await _refusal(request, error)
        except (StorageError, TimeoutError):
            logger.exception("page not answered path=%s", request.path)
            return await _notice(request, HTTPStatus.SERVICE_UNAVAILABLE, _sayings(request).unavailable)
        except web.HTTPException:
            raise
        except Exception:
            # A stream has begun by now, or its reader shows no page.
            if _follows(request):
                raise
            logger.exception("page failed path=%s", request.path)
            return await _notice(request, HTTPStatus.INTERNAL_SERVER_ERROR, _sayings(request).failed)

    return guarded


@web.middleware
async def for_other_methods(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Says as a page what the router says itself: that a page takes no request of that method."""
    try:
        return await handler(request)
    except web.HTTPMethodNotAllowed as error:
        with suppress(StorageError, TimeoutError):
            await _received(request)
        allowed = {"Allow": ", ".join(sorted(error.allowed_methods))}
        return await _notice(request, HTTPStatus.METHOD_NOT_ALLOWED, _sayings(request).method, allowed)


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


async def frame_of(request: web.Request, session: Session, waiting: int | None = None) -> Frame:
    """What stands around the page that is asked for. `waiting` are the alarms, if they have been counted."""
    if waiting is None:
        waiting = await count_waiting(request.app[DESK].installation)
    return frame_for(words_of(request, session), session, alarms=waiting)


async def _received(request: web.Request) -> Session | None:
    """Who is logged in, if anybody is; for whom a page is, is known from then on."""
    session = await session_in(request.app[DESK].installation, request)
    if session is not None:
        request[_SESSION] = session
    return session


def _words(request: web.Request) -> Words:
    return words_of(request, request.get(_SESSION))


def _sayings(request: web.Request) -> RefusalWords:
    return REFUSAL_WORDS[_words(request).code]


def _follows(request: web.Request) -> bool:
    """Whether a page asks for what is new on it."""
    return request.headers.get("Accept") == STREAM_TYPE


async def _refusal(request: web.Request, error: CentralkaError) -> web.Response:
    words = _sayings(request)
    if error.code not in words.by_code:
        logger.warning("page refused path=%s code=%s error=%s", request.path, error.code, error)
    saying, status, headers = words.of(error.code), status_of(error), headers_of(error)
    if _follows(request):
        # Nobody sees it, and it is asked for again and again.
        return web.Response(status=status, text=saying.text, headers={**HEADERS, **headers})
    return await _notice(request, status, saying, headers)


async def _notice(
    request: web.Request, status: HTTPStatus, saying: Saying, headers: Mapping[str, str] | None = None
) -> web.Response:
    pages, session = request.app[DESK].pages, request.get(_SESSION)
    frame = frame_for(_words(request), session)
    if session is not None:
        # Without the count, where the database is away.
        with suppress(StorageError, TimeoutError):
            frame = await frame_of(request, session)
    response = pages.page("notice.html", Notice(frame, saying.title, saying.text), status)
    response.headers.update(headers or {})
    return response
