"""The process of the test phones does what it is told, and ends with whoever has started it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from sip.testcall import agents, process, wording
from sip.testcall.account import Account
from sip.testcall.observed import Registered
from sip.testcall.scenario import Behaviour, Then
from sip.transport.flow import Address

HOST = "127.0.0.1"
LONGEST_S = 60
SILENT = Behaviour(Then.SILENT)


@dataclass
class Registrar(asyncio.DatagramProtocol):
    """Answers every request with one status."""

    status: str = "200 OK"
    asked: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    "Each request once, however often it comes."
    known: set[str] = field(default_factory=set)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        text = data.decode()
        if (branch := wording.branch_of(text)) not in self.known:
            self.known.add(branch)
            self.asked.put_nowait(text)
        if self.status:
            self.transport.sendto(wording.response(text, self.status, "theirs").encode(), addr)

    def account(self, number: str = "101") -> Account:
        """Of a phone that registers here."""
        return Account(number, "secret", Address(*self.transport.get_extra_info("sockname")))

    async def hears(self, start: str) -> str:
        """The next request that begins so."""
        async with asyncio.timeout(LONGEST_S):
            while not (text := await self.asked.get()).startswith(start):
                pass
        return text


@asynccontextmanager
async def registrar(status: str = "200 OK") -> AsyncIterator[Registrar]:
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Registrar(status), local_addr=(HOST, 0)
    )
    try:
        yield protocol
    finally:
        transport.close()


async def ended(pid: int) -> None:
    """Returns when that process is no more; it need not be ours."""
    loop, has_ended = asyncio.get_running_loop(), asyncio.Event()
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop.add_reader(watched, has_ended.set)
    try:
        async with asyncio.timeout(LONGEST_S):
            await has_ended.wait()
    finally:
        loop.remove_reader(watched)
        os.close(watched)


def threads(pid: int) -> int:
    """How many a process has; none: it is gone."""
    tasks = Path(f"/proc/{pid}/task")
    return len(list(tasks.iterdir())) if tasks.exists() else 0


def shown(pid: int) -> bytes:
    """What a process shows of itself."""
    return b"".join(Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ"))


def session_niceness(pid: int) -> str | None:
    """What counts between sessions; None: the system has processes compete by themselves."""
    group = Path(f"/proc/{pid}/autogroup")
    said = group.read_text().split() if group.exists() else []
    return said[-1] if said else None


async def test_phones_register_and_say_good_bye() -> None:
    async with registrar() as server, process.test_phones() as phones:
        for number in ("101", "102"):
            await phones.register(server.account(number), SILENT, 440)
        seen = [(type(each), each.phone) for each in phones.seen]
        assert seen == [(Registered, "101"), (Registered, "102")]
        await phones.remove("101")
        for expires in ("120", "120", "0"):
            assert wording.values(await server.hears("REGISTER"), "Expires") == [expires]
    last = await server.hears("REGISTER")
    assert wording.values(last, "Expires") == ["0"]
    assert "sip:102@" in wording.values(last, "To")[0]


async def test_they_let_others_go_first_and_say_when_that_made_them_late() -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    async with process.test_phones() as phones:
        async with asyncio.timeout(LONGEST_S):
            # Whether it has begun already nobody tells.
            while not phones.late_s:
                os.kill(phones.pid, signal.SIGSTOP)
                await asyncio.sleep(0.1)
                os.kill(phones.pid, signal.SIGCONT)
                await asyncio.sleep(0.1)
        assert os.getpriority(os.PRIO_PROCESS, phones.pid) == min(own + 10, 19)
        assert os.sched_getscheduler(phones.pid) == os.SCHED_BATCH
        assert session_niceness(phones.pid) in ("10", None)


async def test_fifty_phones_are_one_process_with_one_thread() -> None:
    async with registrar() as server, process.test_phones() as phones:
        for number in range(50):
            await phones.register(server.account(str(200 + number)), SILENT, 400 + number)
        assert threads(phones.pid) == 1
        assert len({each.phone for each in phones.seen if isinstance(each, Registered)}) == 50


async def test_a_phone_that_is_not_let_in_is_named() -> None:
    async with registrar("403 Forbidden") as server, process.test_phones() as phones:
        with pytest.raises(agents.PhonesFailed, match=r"phone 101 could not register.* 403"):
            await phones.register(server.account(), SILENT, 440)


async def test_a_phone_may_register_again_with_another_account() -> None:
    async with registrar() as server, registrar() as other, process.test_phones() as phones:
        await phones.register(server.account(), SILENT, 440)
        await phones.register(other.account(), SILENT, 440)
        await other.hears("REGISTER")


async def test_all_is_gone_when_it_is_over() -> None:
    async with registrar() as server:
        async with process.test_phones() as phones:
            await phones.register(server.account(), SILENT, 440)
            pid = phones.pid
            assert threads(pid) == 1
        assert threads(pid) == 0


async def test_all_who_have_phones_at_a_time_share_a_process_and_nobody_else_s_phones() -> None:
    shared = process.PhonesProcess()
    async with registrar() as server, shared.phones() as first:
        await first.register(server.account(), SILENT, 440)
        async with shared.phones() as second:
            await second.register(server.account(), SILENT, 440)
            assert second.pid == first.pid
            assert threads(first.pid) == 1
        for expires in ("120", "120", "0"):
            assert wording.values(await server.hears("REGISTER"), "Expires") == [expires]
        assert [type(each) for each in first.seen] == [Registered]
        await first.remove("101")
    assert threads(first.pid) == 0
    async with shared.phones() as third:
        assert third.pid != first.pid


async def test_who_wants_phones_when_their_process_was_killed_has_them_in_another() -> None:
    shared = process.PhonesProcess()
    async with registrar() as server, shared.phones() as first:
        os.kill(first.pid, signal.SIGKILL)
        with pytest.raises(agents.PhonesFailed, match="ended"):
            await first.until(lambda: False, LONGEST_S)
        await ended(first.pid)
        async with shared.phones() as second:
            await second.register(server.account(), SILENT, 440)


async def test_an_error_while_they_are_there_comes_out_as_it_is() -> None:
    with pytest.raises(KeyError):
        async with process.test_phones():
            raise KeyError


async def test_phones_end_in_time_when_their_server_is_gone() -> None:
    async with process.test_phones() as phones:
        async with registrar() as server:
            await phones.register(server.account(), SILENT, 440)
        pid = phones.pid
    assert threads(pid) == 0


async def test_who_waits_is_told_that_the_phones_have_ended() -> None:
    async with registrar() as server, process.test_phones() as phones:
        await phones.register(server.account(), SILENT, 440)
        os.kill(phones.pid, signal.SIGKILL)
        with pytest.raises(agents.PhonesFailed, match="ended"):
            await phones.until(lambda: False, LONGEST_S)
        with pytest.raises(agents.PhonesFailed, match="ended"):
            await phones.register(server.account("102"), SILENT, 440)


async def test_a_wait_has_an_end() -> None:
    async with process.test_phones() as phones:
        with pytest.raises(TimeoutError):
            await phones.until(lambda: False, 0)


async def test_an_order_that_makes_no_sense_ends_them_and_is_said() -> None:
    async with process.test_phones() as phones:
        phones.hang_up("nobody")
        with pytest.raises(agents.PhonesFailed):
            await phones.until(lambda: False, LONGEST_S)


PARENT = """
import asyncio, json, sys
from sip.testcall import process
from sip.testcall.account import Account
from sip.testcall.scenario import Behaviour, Then
from sip.transport.flow import Address

async def main():
    async with process.test_phones() as phones:
        account = Account("101", "secret", Address(sys.argv[1], int(sys.argv[2])))
        await phones.register(account, Behaviour(Then.SILENT), 440)
        print(phones.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_phones_unregister_and_end_when_their_parent_is_killed() -> None:
    async with registrar() as server:
        host, port = server.account().server
        parent = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PARENT, host, str(port), stdout=asyncio.subprocess.PIPE
        )
        try:
            assert parent.stdout is not None
            async with asyncio.timeout(LONGEST_S):
                phones = int(await parent.stdout.readline())
            await server.hears("REGISTER")
        finally:
            parent.kill()
            await parent.wait()
        assert wording.values(await server.hears("REGISTER"), "Expires") == ["0"]
        await ended(phones)


async def test_a_password_is_shown_to_nobody_else_on_the_machine() -> None:
    async with registrar() as server, process.test_phones() as phones:
        await phones.register(server.account(), SILENT, 440)
        assert b"secret" not in shown(phones.pid)
        assert "secret" not in repr(server.account())
