"""The command's end of the control socket."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout, UnixConnector

from provisioner.control.errors import NoServer, Refused, ServerGone
from provisioner.control.place import short_path

_LONGEST_LINE = 1 << 24
"What a verb says at once, such as all registrations."
_PATIENCE = ClientTimeout(total=None, sock_connect=5)
"A verb may watch for days; whoever asks ends it."


async def ask(data_dir: Path, verb: str, question: Mapping[str, Any]) -> AsyncGenerator[Any, None]:
    """What the server on `data_dir` says to `verb`, as it comes. Nothing is started for it.

    Raises `NoServer`, `ServerGone`, or in the server's own words `Refused`.
    """
    try:
        with short_path(data_dir) as path:
            connector = UnixConnector(path=path)
            async with (
                ClientSession(connector=connector, timeout=_PATIENCE, read_bufsize=_LONGEST_LINE) as session,
                session.post(f"http://server/{verb}", json=question) as response,
            ):
                async for line in response.content:
                    match json.loads(line):
                        case {"said": said}:
                            yield said
                        case {"refused": {"code": code, "text": text}}:
                            raise Refused(code, text)
                        case {"end": True}:
                            return
    except (ClientConnectorError, FileNotFoundError, NotADirectoryError):
        raise NoServer(data_dir) from None
    except (ClientError, ConnectionError, ValueError):
        raise ServerGone from None
    raise ServerGone
