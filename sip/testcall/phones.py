"""The test phones, in a process of their own: `python -m sip.testcall`.

What is under the GPL, and what a phone may do wrong, stays in here. The standard input is a socket that
brings others: one for each who wants phones of his own. On that orders come in, and what his phones see goes
out (`sip.testcall.lines`); they are gone when it ends. The process ends when its standard input does, so also
when who has started it was killed.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator

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
    """All of one who has wanted some, by name."""

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
    """Has phones for all who come, until nobody can any more."""
    everybody: set[Phones] = set()

    def late(by_s: float) -> None:
        for each in everybody:
            each.tell(Late(by_s))

    with socket.socket(fileno=sys.stdin.fileno()) as door, Lateness(late):
        async with asyncio.TaskGroup() as tasks:
            async for comer in _comers(door):
                tasks.create_task(_served(comer, everybody))


async def _comers(door: socket.socket) -> AsyncIterator[socket.socket]:
    """A socket of each who wants phones."""
    door.setblocking(False)
    loop, knocked = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(door, knocked.set)
    try:
        while True:
            await knocked.wait()
            knocked.clear()
            try:
                said, sockets, _, _ = socket.recv_fds(door, 1, 1)
            except BlockingIOError:
                continue
            except ConnectionError:
                return
            if not said:
                return
            for each in sockets:
                yield socket.socket(fileno=each)
    finally:
        loop.remove_reader(door)


async def _served(comer: socket.socket, everybody: set[Phones]) -> None:
    """Obeys one until he orders no more."""
    orders, out = await asyncio.open_unix_connection(sock=comer, limit=_LONGEST_LINE)
    phones = Phones(out.transport)
    everybody.add(phones)
    try:
        async with asyncio.TaskGroup() as tasks:
            while (line := await orders.readline()) and not out.is_closing():
                tasks.create_task(phones.obey(read_order(line)))
    except ConnectionError:
        pass  # He was killed.
    finally:
        await phones.remove_all()
        everybody.discard(phones)
        out.close()
