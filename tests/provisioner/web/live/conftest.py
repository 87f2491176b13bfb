"""The portal alone, and a browser that has logged in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from provisioner.app import Running
from provisioner.operations.installation import Installation
from tests.provisioner.web.browsing import Browser, browsing, hire
from tests.provisioner.web.pages import pages


@pytest.fixture
async def running(sample: Installation) -> AsyncIterator[Running]:
    """Pages and API."""
    async with pages(sample) as server:
        yield server


@pytest.fixture
async def browser(sample: Installation, running: Running) -> AsyncIterator[Browser]:
    """Anna, logged in."""
    await hire(sample)
    async with browsing(running) as browser:
        assert (await browser.log_in()).status == 303
        yield browser
