"""Following `/api/v1/events` over real HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from provisioner.app import Running
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.operations.api_tokens import create_token
from provisioner.operations.installation import Installation

_LONGEST_S = 60
"What takes longer has failed."


@dataclass(frozen=True, slots=True)
class Frame:
    """One event as it came."""

    id: str | None
    event: str
    data: dict[str, Any]


class Stream:
    """An open stream, read by the rules of WHATWG HTML §9.2.6."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.comments = 0
        self.retry: int | None = None

    async def next(self) -> Frame | None:
        """The next event; None at the end of the stream."""
        async with asyncio.timeout(_LONGEST_S):
            fields: dict[str, str] = {}
            while line := (await self.response.content.readline()).decode():
                name, _, value = line.rstrip("\n").partition(":")
                if line == "\n" and "data" in fields:
                    return Frame(fields.get("id"), fields["event"], json.loads(fields["data"]))
                if line.startswith(":"):
                    self.comments += 1
                elif name == "retry":
                    self.retry = int(value)
                elif name:
                    fields[name] = value.removeprefix(" ")
            return None

    async def take(self, count: int) -> list[Frame]:
        """So many events, none of which ends the stream."""
        frames = []
        for _ in range(count):
            frame = await self.next()
            assert frame is not None, "the stream ended"
            frames.append(frame)
        return frames


@asynccontextmanager
async def get(
    server: Running, path: str, token: str | None = None, headers: Mapping[str, str] | None = None
) -> AsyncIterator[aiohttp.ClientResponse]:
    """One request of a program."""
    sent = dict(headers or {})
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout()) as session,
        session.get(f"{server.portal_url}/api/v1{path}", headers=sent) as response,
    ):
        yield response


async def asked_of(
    resource: str,
    server: Running,
    token: str,
    method: str,
    path: str = "",
    body: object = None,
    status: int = 200,
) -> dict[str, Any]:
    """What a resource of the API answers a program with, which is to have this status."""
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{server.portal_url}/api/v1/{resource}{path}"
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, url, headers=headers, json=body) as response,
    ):
        said: dict[str, Any] = await response.json()
        assert response.status == status, said
        return said


@asynccontextmanager
async def following(
    server: Running, token: str, query: str = "", last: str | None = None
) -> AsyncIterator[Stream]:
    """An open stream; `last` is the id of the last event that was received."""
    headers = {"Last-Event-ID": last} if last is not None else {}
    async with get(server, f"/events{query}", token, headers) as response:
        assert response.status == 200, await response.text()
        stream = Stream(response)
        # It is open when its first line has come: what happens from now on will be in it.
        async with asyncio.timeout(_LONGEST_S):
            assert (await response.content.readline()).startswith(b"retry:")
        yield stream


async def token_for(installation: Installation, customer: str | None = None) -> str:
    """A program's token."""
    return (await create_token(installation, "a program", COMMAND_LINE, customer=customer)).token
