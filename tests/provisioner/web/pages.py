"""The portal's application alone: pages and API, without SIP, phones' files and a control socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp.test_utils import TestServer

from provisioner.app import Running
from provisioner.operations.event_tail import event_tail
from provisioner.operations.hanging_up import Switchboard
from provisioner.operations.installation import Installation
from provisioner.web.api.app import api_app
from provisioner.web.api.events import EventStreams
from provisioner.web.portal.app import add_pages
from provisioner.web.portal.health import Health, portal_app
from sip.transport.flow import Address


async def _no_fault() -> None:
    return None


@asynccontextmanager
async def pages(installation: Installation, switchboard: Switchboard | None = None) -> AsyncIterator[Running]:
    """The application, served while the context lasts."""
    async with event_tail(installation.database) as tail:
        switchboard = switchboard or Switchboard()
        api = api_app(installation, EventStreams(tail), switchboard)
        app = portal_app(Health(_no_fault), api)
        add_pages(app, installation, tail, switchboard)
        async with TestServer(app) as server:
            url = str(server.make_url("")).rstrip("/")
            yield Running(url, url, Address("127.0.0.1", 0))
            tail.close()
