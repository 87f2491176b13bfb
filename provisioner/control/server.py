"""The server's end of the control socket: verbs, each of which takes one JSON object and answers with many.

`POST /VERB` with the object; the answers come as lines of JSON while the verb goes on, the last one says how
it ended. Whoever may open the socket, which is the owner of the data directory, may do everything.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from aiohttp import web

from db.errors import StorageError
from provisioner.centrex.errors import BadValue, CentralkaError, NotFound
from provisioner.control.errors import AlreadyServing
from provisioner.control.place import LOCK, SOCKET, short_path

Said = Mapping[str, Any]
"What is asked or told, as JSON takes it; times are told as ISO 8601 has them."
Say = Callable[[Said], Awaitable[None]]
Verb = Callable[[Said, Say], Awaitable[None]]
"""Does what is asked, and says what there is to tell as it comes. What it raises as `CentralkaError` or
`StorageError` is told in its own words. It is cancelled when nobody listens any more."""

_LONGEST = 1 << 16
"Bytes of a question."
_MOST_GOING = 64
"Verbs that go on at once: some watch."
_END_S = 0.2
"How long verbs may go on when the server ends."


class Control:
    """The verbs that can be asked for."""

    def __init__(self) -> None:
        self._verbs: dict[str, Verb] = {}
        self._going = 0

    def on(self, name: str, verb: Verb) -> None:
        """`verb` is what `name` asks for from now on."""
        self._verbs[name] = verb

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One verb, from its question to its last word."""
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)

        async def say(said: Said) -> None:
            await response.write(_line({"said": said}))

        try:
            await self._do(request.match_info["verb"], await request.read(), say)
            last: Said = {"end": True}
        except CentralkaError as error:
            last = _refusal(error.code, error)
        except StorageError as error:
            last = _refusal("unavailable", error)
        with suppress(ConnectionError):
            await response.write(_line(last))
            await response.write_eof()
        return response

    async def _do(self, name: str, body: bytes, say: Say) -> None:
        verb = self._verbs.get(name)
        if verb is None:
            raise NotFound(
                f"the server does not know {name!r}: start it again with this version of Centralka"
            )
        if self._going >= _MOST_GOING:
            raise CentralkaError("too many commands wait for this server: end some of them")
        self._going += 1
        try:
            await verb(_question(body), say)
        finally:
            self._going -= 1


@asynccontextmanager
async def control_socket(data_dir: Path) -> AsyncIterator[Control]:
    """The control socket of a data directory, open while the context lasts.

    What a killed server has left is replaced. Raises `AlreadyServing` where a server lives on the directory.
    """
    control = Control()
    app = web.Application(client_max_size=_LONGEST)
    app.router.add_post("/{verb}", control.answer)
    runner = web.AppRunner(app, handle_signals=False, handler_cancellation=True, shutdown_timeout=_END_S)
    with _locked(data_dir), _bound(data_dir) as listening:
        await runner.setup()
        try:
            # It is there after `setup`.
            server = await asyncio.get_running_loop().create_unix_server(
                cast(web.Server, runner.server), sock=listening
            )
            try:
                yield control
            finally:
                server.close()
        finally:
            await runner.cleanup()


@contextmanager
def _locked(data_dir: Path) -> Iterator[None]:
    """The data directory is this server's while the context lasts."""
    lock = os.open(data_dir / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyServing(data_dir) from None
        yield
    finally:
        os.close(lock)


@contextmanager
def _bound(data_dir: Path) -> Iterator[socket.socket]:
    """The listening socket; its file is there while the context lasts."""
    file = data_dir / SOCKET
    # The directory is ours, so whoever made this file is no more.
    file.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        # The file gets this mode when it is made (unix(7)): there is no moment at which others may open it.
        os.fchmod(listening.fileno(), 0o600)
        with short_path(data_dir) as path:
            listening.bind(path)
        try:
            listening.setblocking(False)
            yield listening
        finally:
            file.unlink(missing_ok=True)


def _refusal(code: str, error: Exception) -> Said:
    return {"refused": {"code": code, "text": str(error)}}


def _line(said: Said) -> bytes:
    return json.dumps(said, default=_text, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"JSON has no {type(value).__name__}")


def _question(body: bytes) -> Said:
    try:
        asked = json.loads(body or b"{}")
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise BadValue("a verb is asked for with one JSON object")
    return asked
