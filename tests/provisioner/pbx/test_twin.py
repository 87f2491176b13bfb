"""A twin serves phones of a test as the living server serves people's, and nothing is left of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from db.freshness import watching
from provisioner.centrex.dialling import NumberForms
from provisioner.centrex.errors import NotFound
from provisioner.centrex.trial_caller import CALLER_LINE
from provisioner.operations.installation import Installation
from provisioner.operations.twins import TooManyTestCalls
from provisioner.pbx.engaged import Engaged
from provisioner.pbx.exchange import Exchanges
from provisioner.pbx.news import News
from provisioner.pbx.twin import Twin, Twins
from sip.message.message import Request, Response
from sip.message.parser import parse_datagram
from sip.transport.flow import Address
from tests.provisioner.operations.small import ONE, TWO, dump, line, other, put, small
from tests.provisioner.pbx.phone import Phone, phone
from tests.provisioner.pbx.story import Story
from tests.sip.transport.peers import LOOPBACK

GROUPS = [
    {"number": "600", "name": "Biuro", "strategy": "simultaneous", "caller_presentation": "group_name",
     "members": [{"extension": "101"}, {"extension": "102"}]},
    {"number": "601", "members": [{"extension": "101", "ring_time": 20}, {"extension": "102"}]},
    {"number": "602", "strategy": "least_used", "members": [{"extension": "101"}, {"extension": "102"}]},
]  # fmt: skip
_SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n"


@dataclass
class Bench:
    """An installation whose server could be asked for test calls."""

    installation: Installation
    exchanges: Exchanges
    engaged: Engaged

    def twins(self, most: int = 20, gateway: Address | None = None) -> Twins:
        settings = self.installation.settings
        if gateway is not None:
            sip = settings.sip.model_copy(update={"emergency_gateway": str(gateway)})
            settings = settings.model_copy(update={"sip": sip})
        return Twins(settings, self.exchanges, self.engaged, most)


@pytest.fixture
async def bench(installation: Installation) -> AsyncIterator[Bench]:
    await put(installation, small(hunt_groups=GROUPS), other())
    async with watching(installation.database) as watcher:
        yield Bench(installation, Exchanges(installation.database, News(watcher), NumberForms()), Engaged())


@asynccontextmanager
async def registered(twin: Twin, *lines: str) -> AsyncIterator[list[Phone]]:
    """Phones of these lines, registered."""
    async with AsyncExitStack() as stack:
        made = []
        for line in lines:
            made.append(await stack.enter_async_context(phone(twin.server, line, twin.password(line))))
            assert (await made[-1].register()).status == 200
        yield made


async def dials(caller: Phone, number: str) -> None:
    """The caller calls, and says who it is."""
    proof = caller.answered(await caller.challenge(), "INVITE")
    headers = (f"Contact: {caller.contact}", "Content-Type: application/sdp")
    data = caller.message("INVITE", *headers, credentials=proof).decode()
    for before, after in (
        ("INVITE sip:", f"INVITE sip:{number}@"),
        (f"To: <sip:{caller.line}@", f"To: <sip:{number}@"),
        ("Content-Length: 0", f"Content-Length: {len(_SDP)}"),
    ):
        data = data.replace(before, after, 1)
    caller.peer.send((data + _SDP).encode())


async def heard(who: Phone) -> Request | Response:
    came = parse_datagram((await who.peer.receive())[0])
    assert isinstance(came, Request | Response)
    return came


async def invited(who: Phone) -> Request:
    """The INVITE that it gets; it says that it rings."""
    while True:
        came = await heard(who)
        if isinstance(came, Request) and came.method == "INVITE":
            who.peer.send(bytes(came.response(180, to_tag="rings")))
            return came


async def final(who: Phone) -> Response:
    """What has become of the call that it made."""
    while True:
        came = await heard(who)
        if isinstance(came, Response) and came.status >= 200 and came.status != 401:
            return came


def own_ports() -> set[int]:
    """The ports of all sockets of this process."""
    inodes = {each.readlink().name for each in Path("/proc/self/fd").iterdir() if each.is_symlink()}
    ports = set()
    for table in ("udp", "tcp"):
        for row in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]:
            fields = row.split()
            if f"socket:[{fields[9]}]" in inodes:
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports


async def kept(bench: Bench) -> dict[str, list[str]]:
    """All that is stored, but that this process lives."""
    return {name: rows for name, rows in (await dump(bench.installation)).items() if name != "nodes"}


async def test_the_phones_of_a_test_ring_as_peoples_would(bench: Bench):
    before = await kept(bench)
    async with bench.twins().up(ONE) as twin, registered(twin, ONE, TWO, CALLER_LINE) as (one, two, caller):
        await dials(caller, "600")
        shown = [(await invited(each)).headers.get("From") or "" for each in (one, two)]
        known_as = twin.exchange.extension_of[CALLER_LINE]
        assert all(each.startswith(f'"Biuro" <sip:{known_as}@') for each in shown), shown
    assert await kept(bench) == before


async def test_only_who_has_been_given_a_password_gets_in(bench: Bench):
    async with bench.twins().up(ONE) as twin:
        twin.password(ONE)
        for line in (ONE, TWO, "48999999999"):
            async with phone(twin.server, line, "guessed") as stranger:
                assert (await stranger.register()).status == 401


async def test_ring_times_are_divided_as_is_asked(bench: Bench):
    async with (
        bench.twins().up(ONE, divisor=100) as twin,
        registered(twin, ONE, TWO, CALLER_LINE) as (one, two, caller),
    ):
        await dials(caller, "601")
        await invited(one)
        # Nobody waits 20 seconds for it here, and 15 for the end.
        await invited(two)
        assert (await final(caller)).status == 480


async def test_an_emergency_call_never_leaves(bench: Bench):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gateway:
        gateway.bind(LOOPBACK)
        gateway.setblocking(False)
        twins = bench.twins(gateway=Address(*gateway.getsockname()))
        async with twins.up(ONE) as twin, registered(twin, CALLER_LINE) as (caller,):
            await dials(caller, "112")
            assert (await final(caller)).status == 503
        with pytest.raises(BlockingIOError):
            gateway.recv(1)


async def test_a_code_that_is_dialled_changes_the_twin_alone_until_that_is_as_it_was(bench: Bench):
    before = await kept(bench)
    async with bench.twins().up(ONE) as twin, registered(twin, ONE, TWO, CALLER_LINE) as (one, two, caller):
        await dials(one, "*26")
        assert (await final(one)).status == 200
        await dials(caller, "101")
        assert (await final(caller)).status == 486
        twin.restore()
        await dials(caller, "101")
        await invited(one)
        await dials(two, "*21*112#")
        assert (await final(two)).status == 403
    assert await kept(bench) == before


async def test_who_answered_among_people_counts_and_who_answered_in_the_twin_does_not(bench: Bench):
    # In the twin the longest unused rings first, and both would have been unused.
    story = Story(bench.engaged.hear).begins(TWO, "602")
    story.rings(ONE, "602").answers(ONE).ends()
    for _ in range(2):
        async with bench.twins().up(TWO) as twin, registered(twin, ONE, TWO, CALLER_LINE) as (_, two, caller):
            await dials(caller, "602")
            await invited(two)
    assert bench.engaged.last_answered("602", TWO) is None


async def test_a_site_has_room_for_a_test_call_as_for_any_and_people_take_none_of_it(bench: Bench):
    lines = [line(number, site="Hala") for number in (ONE, TWO)]
    sites = [{"name": "Hala", "concurrent_calls": 1}]
    await put(bench.installation, small(lines=lines, sites=sites, hunt_groups=GROUPS))
    Story(bench.engaged.hear).begins(TWO, "112")
    async with bench.twins().up(ONE) as twin, registered(twin, ONE, TWO, CALLER_LINE) as (one, two, caller):
        await dials(caller, "600")
        await invited(one)
        await invited(two)
        await dials(two, "101")
        assert (await final(two)).reason_phrase == "Too many calls at this site"


async def test_so_many_are_up_at_a_time_and_no_more(bench: Bench):
    twins = bench.twins(most=2)
    async with twins.up(ONE), twins.up(TWO):
        with pytest.raises(TooManyTestCalls, match="2 test calls go on already"):
            async with twins.up(ONE):
                pass
    with pytest.raises(NotFound, match="48999999999"):
        async with twins.up("48999999999"):
            pass
    async with twins.up(ONE), twins.up(ONE):
        pass


@pytest.mark.parametrize("end", [LookupError, asyncio.CancelledError])
async def test_nothing_is_left_of_one_however_it_ends(bench: Bench, end: type[BaseException]):
    await bench.exchanges.of_line(ONE)
    tasks = asyncio.all_tasks()
    ports = set()

    async def breaks() -> None:
        async with bench.twins().up(ONE) as twin, registered(twin, ONE, CALLER_LINE) as (one, caller):
            ports.add(twin.server.port)
            assert ports <= own_ports()
            await dials(caller, "101")
            await invited(one)
            raise end

    with pytest.raises(end):
        await breaks()
    assert asyncio.all_tasks() == tasks
    assert not ports & own_ports()
