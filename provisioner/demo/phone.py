"""A software phone: boots as its model would, over real HTTP."""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp

from phone_templates.yealink.boot import Apply, BootMachine, Done, Effect, Fetch, Update

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
        while True:
            seen += effects
            if not effects or not isinstance(effects[-1], Fetch):
                break
            url = effects[-1].url
            status, body = await _get(session, url)
            asked.append(Asked(url, status))
            effects = phone.answer(url, status, body)
    return Boot(
        asked=tuple(asked),
        applied=next((effect for effect in seen if isinstance(effect, Apply)), None),
        update=next((effect for effect in seen if isinstance(effect, Update)), None),
        done=next(effect for effect in seen if isinstance(effect, Done)),
    )


async def _get(session: aiohttp.ClientSession, url: str) -> tuple[int | None, bytes]:
    try:
        async with session.get(url) as response:
            return response.status, await response.read()
    except (aiohttp.ClientError, TimeoutError):
        return None, b""
