"""A thousand damaged messages a second beside two hundred good ones: every phone is served all the same."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from contextlib import AsyncExitStack, closing, suppress
from itertools import cycle, islice
from pathlib import Path

import pytest

from provisioner.operations.installation import Installation
from sip.message.message import Response
from sip.transport.flow import Address
from tests.fuzz.mutations import mutations
from tests.fuzz.targets import messages
from tests.provisioner.operations.small import line, put
from tests.provisioner.pbx.phone import Phone
from tests.provisioner.processes import served
from tests.sip.transport.peers import Peer, peer

FLOOD_S = 60 if os.environ.get("CENTRALKA_PROVE") else 1
BAD, LOG_INS, STEPS = 1_000, 100, 50
"Of each second, and the steps in which they are sent. A log-in is two good messages."
SOCKETS = 200
"That the bad ones come from."
NUMBERS = [f"4822111{each:04}" for each in range(100)]
PASSWORD = "Haslo-na-powodz-17"
MISTAKE = re.compile(r'File "[^"]*/(?:sip|provisioner|db)/[^"]*", line')
"""A frame of ours in a traceback. SQLAlchemy's pool shows one without where a read was cancelled, as when a
connection is hung up on."""
WAITS_S = (0.5, 1.0, 2.0, *[4.0] * 7)
"Between the sendings of one request; then a phone gives up (RFC 3261 §17.1.2.2)."


class GivesUp(Exception):
    """A phone had no answer for as long as a transaction lasts."""


class Insisting(Phone):
    """Sends again what nobody answers, as phones do over UDP."""

    sent_again = 0

    async def ask(self, data: bytes) -> Response:
        for wait_s in WAITS_S:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    return await super().ask(data)
            self.sent_again += 1
        raise GivesUp(f"{self.peer.address} got no answer")

    async def logs_in(self) -> None:
        """Its Contact is the line's, wherever it comes from: there are no more bindings than lines."""
        answer = await self.register(contact=f"<sip:{self.line}@127.0.0.1:5999>")
        assert answer.status == 200


class Connection:
    """Sends over TCP, reads what it is told, and comes back where it is hung up on."""

    def __init__(self, server: Address, bound: Address) -> None:
        self._server, self._bound = server, bound
        self._open()

    def send(self, data: bytes) -> None:
        if self._is_over():
            self.close()
            self._open()
        # What the server does not read is lost.
        with suppress(BlockingIOError, ConnectionError):
            self._socket.send(data)

    def close(self) -> None:
        self._socket.close()

    def _open(self) -> None:
        self._socket = socket.create_connection(self._server, source_address=self._bound)
        self._socket.setblocking(False)

    def _is_over(self) -> bool:
        try:
            while self._socket.recv(65536):
                pass
        except BlockingIOError:
            return False
        except ConnectionError:
            pass
        return True


async def newcomer(server: Address, number: int) -> tuple[int, int]:
    """Logs in from an address that nobody knows; how often it sent again, and began anew.

    Who is kept out while there is too much to do is kept out for as long as a transaction lasts: then others
    have their turn (`Shedding`).
    """
    source = Address(f"127.48.{number // 250 + 1}.{number % 250 + 1}", 0)
    async with peer(server, source) as socket:
        phone = Insisting(socket, NUMBERS[number % len(NUMBERS)], PASSWORD)
        for times in range(3):
            with suppress(GivesUp):
                await phone.logs_in()
                return phone.sent_again, times
    raise AssertionError(f"{source} could not log in")


@pytest.mark.parametrize(
    ("over", "addresses"),
    [(Peer, 1), (Peer, SOCKETS), (Connection, 1), (Connection, SOCKETS)],
    ids=["UDP from one address", "UDP from many", "TCP from one address", "TCP from many"],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_phones_log_in_beside_a_flood_of_damaged_messages(
    installation: Installation,
    database_url: str,
    tmp_path: Path,
    over: type[Peer | Connection],
    addresses: int,
    record_property: pytest.RecordProperty,
):
    lines = [line(each, password=PASSWORD) for each in NUMBERS]
    await put(installation, {"login": "firma", "name": "Firma", "lines": lines})
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        errors = stack.enter_context((tmp_path / "errors").open("wb"))
        server = await stack.enter_async_context(served(tmp_path, database_url, errors=errors.fileno()))
        hosts = [Address(f"127.47.0.{number % addresses + 1}", 0) for number in range(SOCKETS)]
        flood = [stack.enter_context(closing(over(server.sip, host))) for host in hosts]
        # Somebody who was there before, behind an address from which the flood comes.
        old = await stack.enter_async_context(peer(server.sip, hosts[0]))
        neighbour, turns = Insisting(old, NUMBERS[0], PASSWORD), asyncio.Lock()
        await neighbour.logs_in()

        async def again() -> None:
            async with turns:
                await neighbour.logs_in()

        # On a machine that can't serve so many, whatever comes beside them, a second takes longer.
        room = asyncio.Semaphore(LOG_INS)
        damaged = zip(mutations(messages(), BAD * FLOOD_S, seed=BAD), cycle(flood))
        phones, began = [], loop.time()
        due = began
        async with asyncio.TaskGroup() as tasks:
            for step in range(FLOOD_S * STEPS):
                for data, sender in islice(damaged, BAD // STEPS):
                    sender.send(data)
                for _ in range(LOG_INS // STEPS):
                    await room.acquire()
                    phones.append(tasks.create_task(newcomer(server.sip, len(phones))))
                    phones[-1].add_done_callback(lambda _: room.release())
                if step % 10 == 0:
                    tasks.create_task(again())
                due = max(due + 1 / STEPS, loop.time())
                await asyncio.sleep(due - loop.time())
            flooded_s = loop.time() - began
    assert next(damaged, None) is None
    assert len(phones) == LOG_INS * FLOOD_S
    sent_again, began_anew = (sum(counts) for counts in zip(*(each.result() for each in phones), strict=True))
    assert MISTAKE.search((tmp_path / "errors").read_text()) is None
    record_property("flood lasted, s", flooded_s)
    record_property("newcomers began anew", began_anew)
    record_property("sent again by newcomers and by the neighbour", (sent_again, neighbour.sent_again))
