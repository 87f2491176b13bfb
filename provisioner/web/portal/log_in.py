"""Logging in and out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from provisioner.operations.sessions import Session, begin_session, end_session
from provisioner.operations.sign_in import TryLater, WrongPassword
from provisioner.web.portal.pages import Frame, frame_for
from provisioner.web.portal.staff import DESK, LOG_IN, words_of
from provisioner.web.portal.visitors import (
    CSRF_FIELD,
    check_form,
    cookies_of,
    form_of,
    fresh_form_token,
    session_in,
    source_of,
)

START = "/registrations"
# A page of ours, and no stream: nothing that a browser could take for another host.
_PAGE = re.compile(
    r"/(?:registrations|calls|test-calls|alarms)(?:/(?!live(?:[/?]|$))[\w%.~&+-]{1,300}){0,3}"
    r"(?:\?[\w%.~&=+-]{0,500})?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class LogInView:
    """The form."""

    frame: Frame
    login: str
    next: str
    "Where to go then."
    problem: str | None
    "Why it is shown again."


async def start(request: web.Request) -> web.StreamResponse:
    """`/`: the first page, by way of the log-in where need be."""
    raise web.HTTPSeeOther(START)


async def show_log_in(request: web.Request) -> web.StreamResponse:
    """The form; nobody who is logged in sees it."""
    if await session_in(request.app[DESK].installation, request) is not None:
        raise web.HTTPSeeOther(_next(request.query.get("next")))
    return _form(request, "", _next(request.query.get("next")))


async def log_in(request: web.Request) -> web.StreamResponse:
    """What the form sent."""
    desk = request.app[DESK]
    said = await form_of(request)
    names = ("login", "password", "next", CSRF_FIELD)
    login, password, to, csrf = (said.get(name, "") for name in names)
    cookies = cookies_of(desk.installation)
    check_form(desk.installation, request, csrf, request.cookies.get(cookies.form))
    words = words_of(request, None)
    source = source_of(desk.installation, request)
    try:
        user_id = await desk.sign_in.user_of(login, password, source)
    except WrongPassword:
        return _form(request, login, _next(to), words.wrong_password, HTTPStatus.UNAUTHORIZED)
    except TryLater as error:
        problem = words.try_later.format(seconds=error.wait_s)
        response = _form(request, login, _next(to), problem, HTTPStatus.TOO_MANY_REQUESTS)
        response.headers["Retry-After"] = str(error.wait_s)
        return response
    # A new key, whatever key the browser had: nobody who slipped one in is logged in by it.
    key = await begin_session(desk.installation, user_id, source, request.cookies.get(cookies.session))
    redirect = web.HTTPSeeOther(_next(to))
    cookies.put(redirect, cookies.session, key)
    cookies.drop(redirect, cookies.form)
    raise redirect


async def log_out(request: web.Request, session: Session) -> web.StreamResponse:
    """Ends the session of this browser."""
    desk = request.app[DESK]
    said = await form_of(request)
    check_form(desk.installation, request, said.get(CSRF_FIELD, ""), session.csrf)
    await end_session(desk.installation, session)
    redirect = web.HTTPSeeOther(LOG_IN)
    cookies = cookies_of(desk.installation)
    cookies.drop(redirect, cookies.session)
    raise redirect


def _form(
    request: web.Request,
    login: str,
    to: str,
    problem: str | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> web.Response:
    desk = request.app[DESK]
    cookies = cookies_of(desk.installation)
    # The same one for all its tabs: a second form does not spoil the first.
    token = request.cookies.get(cookies.form) or fresh_form_token()
    view = LogInView(frame_for(words_of(request, None), None, token), login[:100], to, problem)
    response = desk.pages.page("log_in.html", view, status)
    cookies.put(response, cookies.form, token)
    return response


def _next(said: str | None) -> str:
    return said if said is not None and _PAGE.fullmatch(said) else START
