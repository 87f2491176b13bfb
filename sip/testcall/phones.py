"""The test phones, in a process of their own: `python -m sip.testcall`.

What is under the GPL, and what a phone may do wrong, stays in here. Orders come in on the standard input, and
what the phones see goes out on the standard output (`sip.testcall.lines`). The process ends when its standard
input does, so also when who has started it was killed.
"""

from __future__ import annotations

import asyncio
import sys

from sip.testcall.account import Account
from sip.testcall.acting import Actor
from sip.testcall.lateness import Lateness
from sip.testcall.lines import (
    Behave,
    Call,
    HangUp,
    Late,
    Order,
    Register,
    Remove,
    Removed,
    Told,
    Watch,
    read_order,
    write_line,
)
from sip.transport.flow import Address

_GOODBYE_S = 1.0
"How long phones wait to hear that they are no longer registered."
_MOST_UNREAD = 1 << 20
"Bytes that who drives us may leave unread before this ends."
_LONGEST_LINE = 1 << 16


class Phones:
    """All of them, by name."""

    def __init__(self, out: asyncio.WriteTransport) -> None:
        self._actors: dict[str, Actor] = {}
        self._out = out

    def tell(self, told: Told) -> None:
        """A line for who drives us."""
        if self._out.get_write_buffer_size() > _MOST_UNREAD:
            self._out.abort()
        else:
            self._out.write(write_line(told))

    async def obey(self, order: Order) -> None:
        """Raises `KeyError` where there is no such phone."""
        match order:
            case Register():
                if (known := self._actors.pop(order.phone, None)) is not None:
                    known.stop()
                server = Address(order.host, order.port)
                account = Account(order.phone, order.password, server, order.own_host)
                self._actors[order.phone] = actor = Actor(account, self.tell)
                actor.start()
            case Behave():
                actor = self._actors[order.phone]
                actor.behaviour, actor.phone.hz = order.behaviour, order.hz
            case Call():
                actor = self._actors[order.phone]
                actor.phone.hz = order.hz
                actor.calls(order.number, order.gives_up_s, order.talks_s)
            case Watch():
                self._actors[order.phone].phone.sip.watch(order.number)
            case HangUp():
                self._actors[order.phone].hang_up()
            case Remove():
                await self._remove(order.phone)

    async def remove_all(self) -> None:
        """Every phone says good-bye."""
        async with asyncio.TaskGroup() as tasks:
            for phone in list(self._actors):
                tasks.create_task(self._remove(phone))

    async def _remove(self, phone: str) -> None:
        actor = self._actors.pop(phone)
        try:
            async with asyncio.timeout(_GOODBYE_S):
                await actor.unregister()
        except TimeoutError:
            pass  # Its server is gone; the registration lapses.
        finally:
            actor.stop()
        self.tell(Removed(phone))


async def run() -> None:
    """Obeys until nobody orders any more."""
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader(limit=_LONGEST_LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    out, _ = await loop.connect_write_pipe(asyncio.Protocol, sys.stdout)
    phones = Phones(out)
    try:
        async with asyncio.TaskGroup() as tasks:
            with Lateness(lambda late_s: phones.tell(Late(late_s))):
                while (line := await orders.readline()) and not out.is_closing():
                    tasks.create_task(phones.obey(read_order(line)))
    finally:
        await phones.remove_all()
