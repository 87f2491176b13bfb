"""The rows of pages that are live, as a browser gets them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from provisioner.web.portal import live
from tests.provisioner.web.browsing import Browser


class Rows:
    """What the stream has told of the page."""

    def __init__(self, browser: Browser, lines: asyncio.StreamReader) -> None:
        self._browser = browser
        self._lines = lines

    async def next(self, kind: str = live.ROWS) -> dict[str, Any]:
        """The next of a kind."""
        async with asyncio.timeout(60):
            while True:
                line = (await self._lines.readline()).decode()
                assert line, "the stream ended"
                if line == f"event: {kind}\n":
                    told: dict[str, Any] = json.loads((await self._lines.readline())[6:])
                    return told


@asynccontextmanager
async def rows_of(path: str, browser: Browser, query: str = "") -> AsyncIterator[Rows]:
    """What the stream at `path` tells."""
    async with browser.http.get(f"{browser.url}{path}{query}") as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        yield Rows(browser, response.content)  # type: ignore[arg-type]


def keys(page: str) -> list[str]:
    """Of the rows, in their order."""
    return re.findall(r'<tr id="([^"]+)"', page)
