"""Phones ask, `operations.provisioning` decides, this file says it in HTTP (RFC 9110)."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from db.errors import StorageError
from provisioner.operations.asking import Answer, Ask, Reason
from provisioner.operations.installation import Installation
from provisioner.operations.memory import Memory
from provisioner.operations.provisioning import answer
from provisioner.operations.requests import RequestLog, Trace
from provisioner.web.autoprovision.digest import FOLDER, Logins, Said
from provisioner.web.autoprovision.uploads import receive
from provisioner.web.caller import caller_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What answers phones, at whichever door they come in."""

    installation: Installation
    log: RequestLog
    memory: Memory
    logins: Logins


_TOKEN = re.compile(r"[0-9a-f]{32}")
_FETCHING = ("GET", "HEAD")
_BRINGING = ("PUT", "POST")
_REFUSED_TO_KNOWN_PHONES: dict[str, tuple[int, bytes]] = {
    Reason.TOO_LARGE: (413, b"Too large.\n"),
    Reason.TOO_SLOW: (408, b"Too slow.\n"),
    Reason.UNREADABLE: (422, b"Not what its name says.\n"),
}
_CLOSED_BODY = b"Not found.\n"
_TEXT = "text/plain; charset=utf-8"
_SERVER = {"Server": "centralka"}
"Every answer has it, so that none says which software answers."


def read_ask(request: web.BaseRequest) -> Ask:
    """What the phone asks for. A slash too many, as a base URL that ends in one makes, means nothing."""
    token, _, rest = request.path.lstrip("/").partition("/")
    if not _TOKEN.fullmatch(token):
        token, rest = "", request.path.lstrip("/")
    caller = caller_of(request)
    return Ask(
        token=token or None,
        path=rest.lstrip("/"),
        source=request.remote or "",
        agent=request.headers.get("User-Agent", "")[:300],
        clear_text=caller.arrival.clear_text,
        # Most have none, and to make a mapping of it takes a while.
        query=tuple(request.query.items()) if request.query_string else (),
        certificate=caller.arrival.certificate,
        counts_as_fetch=request.method != "HEAD",
        received_at=caller.received_at,
    )


async def serve_phone(desk: Desk, request: web.BaseRequest) -> web.StreamResponse:
    """Any request of a phone."""
    ask = read_ask(request)
    now = datetime.now(UTC)
    try:
        if request.method in _FETCHING:
            decided = await _fetched(desk, request, ask, now)
        elif request.method in _BRINGING:
            decided = await receive(desk.installation, request, ask, now)
        else:
            decided = Answer(Reason.METHOD)
    except StorageError as error:
        # A line each: while a database is away, every phone comes by.
        logger.warning("not answered source=%s error=%s", ask.source, error)
        return _unavailable()
    if decided.file is not None:
        return _StoredFile(decided.file, partial(_noted, desk, request, now, ask, decided))
    response = _response(request, decided)
    if decided.reported is not None:
        # Nothing that is acknowledged is lost (rule 5).
        stored = await desk.log.stored(_trace(request, now, ask, decided, response))
        return response if stored else _unavailable()
    _noted(desk, request, now, ask, decided, response)
    return response


async def _fetched(desk: Desk, request: web.BaseRequest, ask: Ask, now: datetime) -> Answer:
    if ask.token is None and ask.path.startswith(FOLDER):
        said = Said(request.method, request.raw_path, request.headers.getall("Authorization", []))
        return await desk.logins.answer(ask, said, now, desk.memory)
    return await answer(desk.installation, ask, now, desk.memory)


def _noted(
    desk: Desk,
    request: web.BaseRequest,
    now: datetime,
    ask: Ask,
    decided: Answer,
    response: web.StreamResponse,
) -> None:
    desk.log.note(_trace(request, now, ask, decided, response))


def _trace(
    request: web.BaseRequest, now: datetime, ask: Ask, decided: Answer, response: web.StreamResponse
) -> Trace:
    sent = request.method == "GET" and not decided.is_closed and response.status in (200, 206)
    return Trace(
        at=now,
        ask=ask,
        answer=decided,
        method=request.method,
        status=response.status,
        sent_bytes=(response.content_length or 0) if sent else 0,
    )


class _StoredFile(web.FileResponse):
    """A stored file; ranges, If-None-Match and HEAD are FileResponse's.

    Which part of it goes out, if any, is known when it has gone: `sent` is called then.
    """

    def __init__(self, path: Path, sent: Callable[[web.StreamResponse], None]) -> None:
        super().__init__(path, headers=_SERVER | {"Cache-Control": "no-cache"})
        self.content_type = "application/octet-stream"
        self._sent = sent

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        try:
            return await super().prepare(request)
        finally:
            self._sent(self)


def _response(request: web.BaseRequest, decided: Answer) -> web.Response:
    if decided.reason in _REFUSED_TO_KNOWN_PHONES:
        return _refused(decided)
    if decided.challenges:
        return _challenged(decided)
    if decided.content is None:
        return _closed() if request.method in _FETCHING else _wrong_method()
    headers = _SERVER | {"Cache-Control": "no-cache"}
    if decided.etag:
        headers["ETag"] = f'"{decided.etag}"'
        if _matches(request, decided.etag):
            return web.Response(status=304, headers=headers)
    headers["Content-Type"] = decided.content_type
    # aiohttp leaves the body out for HEAD and keeps the length.
    return web.Response(body=decided.content, headers=headers)


def _closed() -> web.Response:
    """The one answer to whatever is unknown, closed or wrong: it must not tell which (rule 4)."""
    return web.Response(status=404, body=_CLOSED_BODY, headers=_SERVER | {"Content-Type": _TEXT})


def _challenged(decided: Answer) -> web.Response:
    """The same for every name under `/auth`, but for the nonce (RFC 9110 §15.5.2)."""
    response = web.Response(
        status=401, body=b"Say who you are.\n", headers=_SERVER | {"Content-Type": _TEXT}
    )
    for challenge in decided.challenges:
        response.headers.add("WWW-Authenticate", challenge)
    return response


def _refused(decided: Answer) -> web.Response:
    """A file that a phone with a token brought, and that is not kept."""
    status, why = _REFUSED_TO_KNOWN_PHONES[decided.reason]
    response = web.Response(status=status, body=why, headers=_SERVER | {"Content-Type": _TEXT})
    # The rest of the body would stand before the next request.
    response.force_close()
    return response


def _wrong_method() -> web.Response:
    """The same for every path, whatever is there."""
    headers = _SERVER | {"Content-Type": _TEXT, "Allow": ", ".join(_FETCHING)}
    return web.Response(status=405, body=b"Method not allowed.\n", headers=headers)


def _unavailable() -> web.Response:
    """The database can't be used: the phone keeps what it has and asks again."""
    headers = _SERVER | {"Content-Type": _TEXT, "Retry-After": "60"}
    return web.Response(status=503, body=b"Try again later.\n", headers=headers)


def _matches(request: web.BaseRequest, etag: str) -> bool:
    """If-None-Match by weak comparison (RFC 9110 §13.1.2)."""
    wanted = request.if_none_match
    return wanted is not None and any(each.value in ("*", etag) for each in wanted)


def phones_server(desk: Desk) -> web.Server:
    """The phones' server, without a router: every path goes to one handler, so that all paths look alike."""
    return web.Server(partial(serve_phone, desk))
