"""A phone that watches numbers of its company by its keys, and what these show."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from provisioner.virtual_phones.account import Account
from sip.digest import parse_challenges
from sip.message.message import Request, Response
from sip.message.parser import parse_datagram
from tests.e2e.softphones.loopback import free
from tests.provisioner.pbx.dialog_info import checked, shown
from tests.provisioner.pbx.phone import Phone, phone

_LONGEST_S = 30


@dataclass
class Keys:
    """A phone whose keys watch numbers, while it is in its context."""

    phone: Phone
    lamps: dict[str, list[list[tuple[str, str]]]] = field(default_factory=dict)
    "What each has shown, in order."
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    over: list[tuple[str, str]] = field(default_factory=list)
    "The numbers that it is told nothing of any more, and why."
    answers: asyncio.Queue[Response] = field(default_factory=asyncio.Queue)

    async def watch(self, number: str) -> None:
        """Has a key watch a number of the company."""
        # Each key has a subscription of its own.
        self.phone.call_id = f"{number}@keys"
        refused = await self._ask(number)
        challenge = parse_challenges(refused.headers.all("WWW-Authenticate"))[0]
        answer = await self._ask(number, str(self.phone.answered(challenge, "SUBSCRIBE")))
        assert answer.status == 200

    async def _ask(self, number: str, authorization: str | None = None) -> Response:
        lines = [f"Contact: {self.phone.contact}", "Event: dialog", "Expires: 600"]
        lines += [f"Authorization: {authorization}"] if authorization is not None else []
        domain = self.phone.domain
        data = self.phone.message("SUBSCRIBE", *lines).decode()
        self.phone.peer.send(data.replace(f"sip:{domain} ", f"sip:{number}@{domain} ", 1).encode())
        async with asyncio.timeout(_LONGEST_S):
            return await self.answers.get()

    async def run(self) -> None:
        """Takes what it is told."""
        while True:
            try:
                data, _ = await self.phone.peer.receive()
            except TimeoutError:
                # Nobody has told it anything for a while.
                continue
            came = parse_datagram(data)
            if not isinstance(came, Request):
                self.answers.put_nowait(came)
                continue
            self.phone.peer.send(bytes(came.response(200, to_tag="phone")))
            state = came.subscription_state
            if state is not None and state.state == "terminated":
                self.over.append((came.call_id.partition("@")[0], state.parameters.get("reason") or ""))
                async with self.news:
                    self.news.notify_all()
            elif came.method == "NOTIFY":
                number = str(checked(came.body).get("entity")).removeprefix("sip:").partition("@")[0]
                async with self.news:
                    self.lamps.setdefault(number, []).append(shown(came.body))
                    self.news.notify_all()

    async def is_told_no_more(self, number: str, why: str) -> None:
        """Returns when its subscription to a number has been ended."""
        async with asyncio.timeout(_LONGEST_S), self.news:
            await self.news.wait_for(lambda: (number, why) in self.over)

    async def shows(self, number: str, *lit: tuple[str, str]) -> None:
        """Returns when the key of a number is lit like that."""
        async with asyncio.timeout(_LONGEST_S), self.news:
            await self.news.wait_for(lambda: self.lamps.get(number, [None])[-1] == list(lit))


@asynccontextmanager
async def keys(account: Account) -> AsyncIterator[Keys]:
    host = account.server.host
    async with (
        phone(account.server, account.auth_name, account.password, free(host)) as mine,
        asyncio.TaskGroup() as tasks,
    ):
        mine.domain = host
        made = Keys(mine)
        running = tasks.create_task(made.run())
        yield made
        running.cancel()
