"""The server is killed while phones talk, wait, ring and pass each other on: the next one says what is true.

A phone notices nothing of its server's end: media go on, and it calls by the next one as by the one before.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from provisioner.app import Running
from provisioner.operations.calls import Call
from tests.e2e.keys import keys
from tests.e2e.killed_office import WATCHER, Office, asked, office
from tests.e2e.softphones.baresip import Baresip
from tests.e2e.softphones.linphone import Linphone
from tests.e2e.softphones.program import LONGEST_S
from tests.provisioner.web.streams import following
from tests.provisioner.web.test_killed_server import killed

PROVE = bool(os.environ.get("CENTRALKA_PROVE"))
MOMENTS = 50 if PROVE else 2
CUT_OFF = "server-restarted"
ENDS = {CUT_OFF, "caller", "callee", "transferred"}
"All that calls may have ended by when the server is killed at any moment; none has failed."
_HAPPENS = 15
"Events of the calls until 109 is passed on: each begins, rings at one phone or two, and is answered or not."
_LOOK_S = 0.05


async def talk(caller: Baresip | Linphone, number: str, callee: Baresip) -> None:
    """Both talk."""
    await caller.dials(number)
    await callee.rings()
    await callee.accepts()
    await asyncio.gather(caller.talks(), callee.talks())


async def waits(firma: Office) -> None:
    """103 has 104 wait."""
    caller, callee = firma.phones["103"], firma.phones["104"]
    await talk(caller, "104", callee)
    assert (await caller.command("hold"))["ok"]


async def is_rung(firma: Office) -> None:
    """105 has all members of the group ring."""
    await firma.phones["105"].dials("600")
    await asyncio.gather(firma.phones["106"].rings(), firma.phones["107"].rings())


async def asks_first(firma: Office) -> None:
    """108 has 109 wait, and talks to 110, to whom it will be passed on."""
    writer = firma.writers["108"]
    await talk(writer, "109", firma.phones["109"])
    await writer.holds()
    await talk(writer, "110", firma.phones["110"])


async def passes_on(firma: Office) -> None:
    """108 has talked to 110, and connects 109 to it."""
    await asks_first(firma)
    firma.writers["108"].passes_first_to_second()


async def all_of_it(firma: Office, passes: Callable[[Office], Awaitable[None]] = asks_first) -> None:
    """Two talk, one waits, a group rings, and one is passed on, or is about to be."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(talk(firma.writers["101"], "102", firma.phones["102"]))
        tasks.create_task(waits(firma))
        tasks.create_task(is_rung(firma))
        tasks.create_task(passes(firma))


async def answered(phone: Linphone, method: str, status: int) -> None:
    """Returns when the server has answered so to the request of a phone that it had the last of."""
    async with asyncio.timeout(LONGEST_S):
        while [status] != asked(phone, method)[-1:]:  # noqa: ASYNC110 - it only writes that down
            await asyncio.sleep(_LOOK_S)


@asynccontextmanager
async def server(firma: Office) -> AsyncIterator[tuple[Running, Callable[[], None]]]:
    """The company's, as a process, and what kills it."""
    async with killed(firma.installation.data_dir, firma.url, str(firma.site.sip)) as running:
        yield running


def told(calls: list[Call]) -> dict[tuple[str, str], tuple[bool, object]]:
    """Of whom to whom: whether it was answered, and why its legs have ended. All were cut off."""
    for call in calls:
        assert call.end == CUT_OFF
        assert {leg.ended_at for leg in call.legs} == {call.ended_at}
    return {
        (call.from_number, call.to_number): (
            call.answered_at is not None,
            [(leg.extension, leg.reason) for leg in call.legs],
        )
        for call in calls
    }


async def test_calls_in_every_state_are_closed_once_and_phones_call_on(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    async with office(tmp_path, migrated_sqlite) as firma, keys(firma.accounts[WATCHER]) as lamps:
        asks = firma.writers["108"]
        third = firma.phones["110"].program.process
        async with server(firma) as (_, kill):
            await firma.registers()
            for number in ("101", "106", "110", "600"):
                await lamps.watch(number)
            await all_of_it(firma)
            await firma.comes_to(
                ("101", "102", "talks", 0), ("103", "104", "talks", 0), ("105", "600", "rings", 2),
                ("108", "109", "talks", 0), ("108", "110", "talks", 0),
            )  # fmt: skip
            await lamps.shows("101", ("confirmed", "initiator"))
            await lamps.shows("106", ("early", "recipient"))
            await lamps.shows("110", ("confirmed", "recipient"))
            await lamps.shows("600", ("early", "recipient"))
            # Half done: to whom it is passed on doesn't say any more that it talks to 109 now.
            third.send_signal(signal.SIGSTOP)
            asks.passes_first_to_second()
            await answered(asks, "REFER", 202)
            # All this may take less time than it takes until they are written.
            await firma.keeps(subscriptions=4)
            kill()
        third.send_signal(signal.SIGCONT)
        assert all(call.is_live for call in await firma.calls())

        async with server(firma) as (_, kill):
            calls = await firma.calls()
            assert told(calls) == {
                ("101", "102"): (True, [("102", "answered")]),
                ("103", "104"): (True, [("104", "answered")]),
                ("105", "600"): (False, [("106", CUT_OFF), ("107", CUT_OFF)]),
                ("108", "109"): (True, [("109", "answered")]),
                ("108", "110"): (True, [("110", "answered")]),
            }
            await firma.check_once()
            for number in ("101", "106", "110", "600"):
                # What nobody has ended would shine on until the phone asks again.
                await lamps.is_told_no_more(number, "deactivated")
                await lamps.watch(number)
                await lamps.shows(number)
            # What phones say of calls that nobody knows any more harms nobody.
            talked = firma.writers["101"]
            await talked.hangs_up()
            await talked.is_hung_up()
            await answered(talked, "BYE", 481)
            await firma.is_quiet()
            # They can be called, though none has registered since.
            await talk(firma.phones["102"], "103", firma.phones["103"])
            await is_rung(firma)
            await firma.comes_to(("102", "103", "talks", 0), ("105", "600", "rings", 2))
            await lamps.shows("106", ("early", "recipient"))
            await firma.is_quiet()
            await firma.comes_to()
            await firma.check_once()
            kill()
        async with server(firma):
            # What is closed is closed.
            await firma.check_once()
            assert [call for call in await firma.calls() if call.end == CUT_OFF] == calls


async def test_calls_are_closed_once_at_whatever_moment_the_server_is_killed(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    chance = random.Random(MOMENTS)  # noqa: S311
    ends: Counter[str | None] = Counter()
    async with office(tmp_path, migrated_sqlite) as firma:
        for moment in range(MOMENTS):
            async with server(firma) as (running, kill), keys(firma.accounts[WATCHER]) as lamps:
                if moment == 0:
                    await firma.registers()
                await firma.check_once()
                await firma.is_quiet()
                for number in ("101", "104", "107", "110", "600"):
                    await lamps.watch(number)
                    await lamps.shows(number)
                async with following(running, firma.token, "?kind=call") as stream:
                    calling = asyncio.create_task(all_of_it(firma, passes_on))
                    await stream.take(chance.randrange(_HAPPENS + 1))
                    await asyncio.sleep(chance.random() * 0.2)
                    kill()
                    calling.cancel()
                    with suppress(asyncio.CancelledError):
                        await calling
        async with server(firma):
            await firma.check_once()
            ends.update(call.end for call in await firma.calls())
    assert ends.keys() <= ENDS
    assert ends[CUT_OFF] >= MOMENTS
