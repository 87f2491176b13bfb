"""The same tests on both event loops."""

from __future__ import annotations

import asyncio

import uvloop


def pytest_asyncio_loop_factories(config, item):
    """The server runs on uvloop; asyncio's own loop says what a loop has to do."""
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}
