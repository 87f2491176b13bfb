"""A software phone that boots as its model would, over real HTTP, and says who it is when it is asked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import aiohttp
from yarl import URL

from phone_templates.yealink.boot import Apply, BootMachine, Done, Effect, Fetch, Login, Update
from provisioner.virtual_phones.login import Known
from provisioner.virtual_phones.network import DIRECT, Network

_TIMEOUT = aiohttp.ClientTimeout(total=20)


@dataclass(frozen=True, slots=True)
class Asked:
    """One file that the phone asked for."""

    url: str
    status: int | None
    "None: no answer."
    size: int = 0
    "Bytes of the body."


@dataclass(frozen=True, slots=True)
class Boot:
    """One boot, from the plug to its end."""

    asked: tuple[Asked, ...]
    applied: Apply | None
    update: Update | None
    done: Done


async def boot(
    phone: BootMachine, source: str, network: Network = DIRECT, hurry: float = 1.0
) -> Boot:
    """Boots `phone` from the local address `source` and performs what it wants.

    What it waits for before it tries again is divided by `hurry`.
    """
    asked: list[Asked] = []
    seen: list[Effect] = []
    connector = aiohttp.TCPConnector(local_addr=(source, 0), ssl=network.tls or True)
    headers = {"User-Agent": phone.user_agent}
    async with aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT, headers=headers) as session:
        effects = phone.start()
        known = Known()
        while True:
            seen += effects
            if not effects or not isinstance(effects[-1], Fetch):
                break
            url = effects[-1].url
            await asyncio.sleep(effects[-1].after_s / hurry)
            status, body = await _get(session, effects[-1], known, network)
            asked.append(Asked(url, status, len(body)))
            effects = phone.answer(url, status, body)
    return Boot(
        asked=tuple(asked),
        applied=next((effect for effect in seen if isinstance(effect, Apply)), None),
        update=next((effect for effect in seen if isinstance(effect, Update)), None),
        done=next(effect for effect in seen if isinstance(effect, Done)),
    )


async def _get(
    session: aiohttp.ClientSession, fetch: Fetch, known: Known, network: Network
) -> tuple[int | None, bytes]:
    url, where = URL(fetch.url), network.url(fetch.url)
    if where is None:
        return None, b""
    try:
        for may_ask in (True, False):
            async with session.get(where, headers=_headers(url, fetch.login, known)) as response:
                asks = response.status == 401 and fetch.login is not None
                if not (asks and may_ask and known.asked(response.headers.getall("WWW-Authenticate", []))):
                    return response.status, await response.read()
    except (aiohttp.ClientError, TimeoutError):
        pass
    return None, b""


def _headers(url: URL, login: Login | None, known: Known) -> dict[str, str]:
    """What goes with the next request."""
    headers = {"Host": url.authority}
    if login is not None:
        answer = known.answer(login.user_name, login.password, "GET", url.raw_path_qs)
        headers |= {} if answer is None else {"Authorization": answer}
    return headers
