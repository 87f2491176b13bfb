"""Streams of server-sent events, without what they tell."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from provisioner.web.streams import Streams


async def test_a_reader_that_has_left_before_its_stream_begins_ends_it_and_breaks_nothing(
    caplog: pytest.LogCaptureFixture,
):
    streams, was_found = Streams(), asyncio.Event()

    async def follow(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        response = await streams.begin(request)
        with pytest.raises(ConnectionError):
            await streams.send(request, response, streams.first_line)
        was_found.set()
        return response

    app = web.Application()
    app.router.add_get("/", follow)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientConnectionError):
            await http.get(server.make_url("/"))
        async with asyncio.timeout(30):
            await was_found.wait()
    assert not [each for each in caplog.records if each.exc_info]
