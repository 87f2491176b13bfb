"""Requests of a phone that say who it is where the server wants to know."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from provisioner.virtual_phones.login import Login
from sip.message.message import Request, Response
from sip.server import SipServer
from sip.transport.flow import Flow

_ANSWER_S = 10.0
"A server that has not answered by then will not."
_TRIES = 2
"The first finds out what the server wants to know."


async def ask(server: SipServer, flow: Flow, login: Login, make: Callable[[], Request]) -> Response | None:
    """The final answer to a request; None: there was none. `make` makes it, anew for each try."""
    answer: Response | None = None
    for _ in range(_TRIES):
        request = make()
        said = login.say(request.method, str(request.uri))
        if said is not None:
            request.headers.add("Authorization", said)
        try:
            async with asyncio.timeout(_ANSWER_S):
                answer = await server.ask(request, flow)
        except TimeoutError:
            return None
        if answer is None or answer.status != 401:
            break
        if not login.asked(answer.headers.all("WWW-Authenticate")):
            break
    return answer
