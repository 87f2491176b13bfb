"""A software phone that boots as its model would, over real HTTP, and says who it is when it is asked."""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp
from yarl import URL

from phone_templates.yealink.boot import Apply, BootMachine, Done, Effect, Fetch, Login, Update
from provisioner.virtual_phones.login import Known

_TIMEOUT = aiohttp.ClientTimeout(total=20)


@dataclass(frozen=True, slots=True)
class Asked:
    """One file that the phone asked for."""

    url: str
    status: int | None
    "None: no answer."


@dataclass(frozen=True, slots=True)
class Boot:
    """One boot, from the plug to its end."""

    asked: tuple[Asked, ...]
    applied: Apply | None
    update: Update | None
    done: Done


async def boot(phone: BootMachine, source: str) -> Boot:
    """Boots `phone` from the local address `source` and performs what it wants."""
    asked: list[Asked] = []
    seen: list[Effect] = []
    connector = aiohttp.TCPConnector(local_addr=(source, 0))
    headers = {"User-Agent": phone.user_agent}
    async with aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT, headers=headers) as session:
        effects = phone.start()
        known = Known()
        while True:
            seen += effects
            if not effects or not isinstance(effects[-1], Fetch):
                break
            url = effects[-1].url
            status, body = await _get(session, effects[-1], known)
            asked.append(Asked(url, status))
            effects = phone.answer(url, status, body)
    return Boot(
        asked=tuple(asked),
        applied=next((effect for effect in seen if isinstance(effect, Apply)), None),
        update=next((effect for effect in seen if isinstance(effect, Update)), None),
        done=next(effect for effect in seen if isinstance(effect, Done)),
    )


async def _get(session: aiohttp.ClientSession, fetch: Fetch, known: Known) -> tuple[int | None, bytes]:
    url = URL(fetch.url)
    try:
        for may_ask in (True, False):
            async with session.get(url, headers=_headers(url, fetch.login, known)) as response:
                asks = response.status == 401 and fetch.login is not None
                if not (asks and may_ask and known.asked(response.headers.getall("WWW-Authenticate", []))):
                    return response.status, await response.read()
    except (aiohttp.ClientError, TimeoutError):
        pass
    return None, b""


def _headers(url: URL, login: Login | None, known: Known) -> dict[str, str]:
    """What goes with the next request."""
    if login is None:
        return {}
    answer = known.answer(login.user_name, login.password, "GET", url.raw_path_qs)
    return {} if answer is None else {"Authorization": answer}
