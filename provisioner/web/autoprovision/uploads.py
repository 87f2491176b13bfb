"""The bodies that phones send: taken only from a known phone, bounded in length and time."""

from __future__ import annotations

import asyncio
from datetime import datetime

from aiohttp import ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError

from provisioner.operations.asking import Answer, Ask, Reason
from provisioner.operations.installation import Installation
from provisioner.operations.uploads import announce, keep

_BODY_S = 30.0
"The longest that a body may take."
_AROUND_A_FILE = 16 * 1024
"Bytes of a form beside the file in it."


async def receive(installation: Installation, request: web.BaseRequest, ask: Ask, now: datetime) -> Answer:
    """A PUT or POST: an event, or a file that the phone brings. A stranger's body is never read.

    Raises `StorageError` where the database can't be used.
    """
    announced = await announce(installation, ask)
    if isinstance(announced, Answer):
        return announced
    longest = announced.backup.longest
    boundary = _boundary(request)
    try:
        async with asyncio.timeout(_BODY_S):
            body = await _body(request, longest + (_AROUND_A_FILE if boundary else 0))
    except TimeoutError:
        return announced.refused(Reason.TOO_SLOW)
    except (ClientPayloadError, web.RequestPayloadError, HttpProcessingError, ConnectionError):
        return announced.refused(Reason.UNREADABLE)
    content = _file_in_form(body, boundary) if boundary and body is not None else body
    if body is None or (content is not None and len(content) > longest):
        return announced.refused(Reason.TOO_LARGE)
    if content is None:
        return announced.refused(Reason.UNREADABLE)
    return await keep(installation, announced, content, ask, now)


async def _let_come(request: web.BaseRequest) -> None:
    """Sends `100 Continue`, now that it is known who asks (RFC 9110 §10.1.1)."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # What was written counts as sent of the response, which has not begun.
        request.writer.output_size = 0


async def _body(request: web.BaseRequest, longest: int) -> bytes | None:
    """The body, None where it has more than `longest` bytes, whatever it says of its length."""
    if (request.content_length or 0) > longest:
        return None
    await _let_come(request)
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > longest:
            return None
    return bytes(body)


def _boundary(request: web.BaseRequest) -> bytes | None:
    """What stands between the parts of a form; None where the body is the file itself."""
    if request.method != "POST" or request.content_type != "multipart/form-data":
        return None
    boundary = request.headers.get("Content-Type", "").partition("boundary=")[2].partition(";")[0].strip(' "')
    return boundary.encode("utf-8", "surrogateescape") or None


def _file_in_form(body: bytes, boundary: bytes) -> bytes | None:
    """The first file of a form (RFC 7578 §4.2), None where it has none."""
    _, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary)
    for part in parts:
        head, blank, content = part.partition(b"\r\n\r\n")
        if blank and b"filename" in head.lower():
            return content
    return None
