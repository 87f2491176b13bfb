"""A software phone: boots as its model would, over real HTTP, and says who it is when it is asked."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import aiohttp
from yarl import URL

from phone_templates.yealink.boot import Apply, BootMachine, Done, Effect, Fetch, Login, Update
from sip.digest import Algorithm, Challenge, ha1, parse_challenges

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
        known = _Known()
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


class _Known:
    """The challenge that the phone knows, so that it needn't be asked for every file (RFC 7616 §3.6)."""

    def __init__(self) -> None:
        self._challenge: Challenge | None = None
        self._count = 0

    def asked(self, response: aiohttp.ClientResponse) -> bool:
        """Takes a challenge to heart; False if there is none that the phone can answer."""
        challenges = parse_challenges(response.headers.getall("WWW-Authenticate", []))
        # The phones that we know of have MD5 alone.
        self._challenge = next((each for each in challenges if each.algorithm is Algorithm.MD5), None)
        self._count = 0
        return self._challenge is not None

    def headers(self, url: URL, login: Login | None) -> dict[str, str]:
        """What goes with the next request."""
        if self._challenge is None or login is None:
            return {}
        self._count += 1
        key = ha1(self._challenge.algorithm, login.user_name, self._challenge.realm, login.password)
        answered = self._challenge.answered(
            login.user_name, key, "GET", url.raw_path_qs, cnonce=secrets.token_hex(8), count=self._count
        )
        return {"Authorization": str(answered)}


async def _get(session: aiohttp.ClientSession, fetch: Fetch, known: _Known) -> tuple[int | None, bytes]:
    url = URL(fetch.url)
    try:
        for may_ask in (True, False):
            async with session.get(url, headers=known.headers(url, fetch.login)) as response:
                asks = response.status == 401 and fetch.login is not None and known.asked(response)
                if not (asks and may_ask):
                    return response.status, await response.read()
    except (aiohttp.ClientError, TimeoutError):
        pass
    return None, b""
