"""A phone asks to be told of its own line, and is."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from provisioner.app import Running
from provisioner.centrex.exchange import Exchange
from provisioner.operations.installation import Installation
from provisioner.pbx import subscriptions
from provisioner.pbx.authentication import Caller
from provisioner.pbx.domains import Domains
from provisioner.pbx.subscriptions import Subscriptions
from sip.binding import Binding, Change, ChangeKind
from sip.digest import Credentials, parse_challenges
from sip.location import Location
from sip.message.message import Request, Response
from sip.message.parser import AnyMessage, parse_datagram
from sip.packages.reg import RegPackage
from sip.server import Incoming, SipServer
from sip.transport.flow import Address, Flow, Transport
from tests.provisioner.pbx.phone import phone
from tests.provisioner.web.asking import all_secrets
from tests.sip.message.messages import request, wire

LINE, OTHER = "48223809887", "48223809986"
SERVER, PHONE = Address("192.0.2.1", 5060), Address("192.0.2.20", 40_000)
_SERIAL = itertools.count(1)


@dataclass(eq=False)
class Wire:
    """A connection whose far end is this test: what comes is kept, and a NOTIFY is answered."""

    server: SipServer
    status: int = 200
    "What a NOTIFY is answered with; 0: it is not."
    transport: Transport = Transport.TCP
    local: Address = SERVER
    remote: Address = PHONE
    is_open: bool = True
    came: asyncio.Queue[AnyMessage] = field(default_factory=asyncio.Queue)

    def send(self, data: bytes) -> bool:
        message = parse_datagram(data)
        assert message is not None
        self.came.put_nowait(message)
        if isinstance(message, Request) and self.status:
            answer = message.response(self.status)
            asyncio.get_running_loop().call_soon(self.server.received, answer, self)
        return True

    async def next(self) -> AnyMessage:
        async with asyncio.timeout(60):
            return await self.came.get()

    async def answer(self) -> Response:
        message = await self.next()
        assert isinstance(message, Response)
        return message

    async def notify(self) -> Request:
        message = await self.next()
        assert isinstance(message, Request)
        return message


class Everybody:
    """Takes From's user for who it is."""

    def admit(self, incoming: Incoming, admitted: Callable[[Incoming, Caller], None]) -> None:
        uri = incoming.request.from_.uri
        admitted(incoming, Caller(1, getattr(uri, "user", ""), 1))


class Way:
    """Answers go back on the flow that they are for."""

    def answer_flow(self, request: Request, flow: Flow) -> Flow:
        return flow


@pytest.fixture
async def location() -> Location:
    return Location()


@dataclass
class Switchboards:
    """Those of companies by their lines, and what tells that one has changed."""

    of: dict[str, Exchange] = field(default_factory=dict)
    hear: Callable[[Sequence[str]], None] = lambda scopes: None

    async def of_line(self, line: str) -> Exchange | None:
        return self.of.get(line)

    def on_news(self, hear: Callable[[Sequence[str]], None]) -> None:
        self.hear = hear


@asynccontextmanager
async def notifying(location: Location, known: Switchboards) -> AsyncIterator[tuple[Wire, Subscriptions]]:
    """A connection to a server that takes SUBSCRIBEs."""
    server = SipServer()
    server.use(Way())  # type: ignore[arg-type]
    async with asyncio.TaskGroup() as tasks:
        subscriptions = Subscriptions(
            server,
            Everybody(),  # type: ignore[arg-type]
            Domains(["pbx.example.com"]),
            location,
            tasks,
            known,  # type: ignore[arg-type]
            known,  # type: ignore[arg-type]
            RegPackage(interval_s=0.01),
        )
        running = tasks.create_task(subscriptions.run())
        yield Wire(server), subscriptions
        running.cancel()
        server.close()


@pytest.fixture
async def flow(location: Location) -> AsyncIterator[Wire]:
    """One where nobody calls anybody."""
    async with notifying(location, Switchboards()) as (flow, _):
        yield flow


def subscribe(
    flow: Wire,
    event: str,
    line: str = LINE,
    *,
    by: str = LINE,
    to_tag: str = "",
    expires: int = 600,
    call_id: str = "s1",
    port: str = "",
) -> None:
    serial = next(_SERIAL)
    lines = f"""
SUBSCRIBE sip:{line}@pbx.example.com{port} SIP/2.0
Via: SIP/2.0/TCP 192.0.2.20:40000;branch=z9hG4bK{serial}
From: <sip:{by}@pbx.example.com>;tag=phone
To: <sip:{line}@pbx.example.com>{to_tag and ";tag=" + to_tag}
Call-ID: {call_id}
CSeq: {serial} SUBSCRIBE
Contact: <sip:{LINE}@192.0.2.20:40000;transport=tcp>
Max-Forwards: 70
Event: {event}
Expires: {expires}
"""
    flow.server.received(request(wire(lines)), flow)


def registers(location: Location, now: float, line: str = LINE) -> None:
    binding = Binding("sip:x@192.0.2.20", "one", 1, Transport.TCP, PHONE, SERVER, now, now, now + 600)
    location.apply([Change(ChangeKind.REGISTERED, line, binding, now)])


async def test_a_phone_is_told_of_its_registrations_as_they_come(location: Location, flow: Wire):
    subscribe(flow, "reg")
    answer = await flow.answer()
    assert (answer.status, answer.expires_s) == (200, 600)
    first = await flow.notify()
    assert first.to.tag == "phone"
    assert b'state="init"' in first.body
    registers(location, flow.server.now())
    second = await flow.notify()
    assert b'version="1" state="partial"' in second.body
    assert b"<uri>sip:x@192.0.2.20</uri>" in second.body


async def test_a_phone_is_told_that_no_messages_wait(flow: Wire):
    subscribe(flow, "message-summary")
    assert (await flow.answer()).status == 200
    notify = await flow.notify()
    assert notify.body == (
        b"Messages-Waiting: no\r\nMessage-Account: sip:48223809887@pbx.example.com\r\n"
    )


@pytest.mark.parametrize("event", ["reg", "message-summary"])
async def test_nobody_is_told_of_another_line(flow: Wire, event: str):
    subscribe(flow, event, OTHER)
    assert (await flow.answer()).status == 403


async def test_what_is_not_told_here_is_said(flow: Wire):
    subscribe(flow, "presence")
    answer = await flow.answer()
    assert (answer.status, answer.headers.get("Allow-Events")) == (489, "dialog, message-summary, reg")


async def test_a_phone_that_wants_no_more_is_told_for_the_last_time(location: Location, flow: Wire):
    subscribe(flow, "reg")
    tag = (await flow.answer()).to.tag or ""
    await flow.notify()
    subscribe(flow, "reg", to_tag=tag, expires=0)
    assert (await flow.answer()).expires_s == 0
    last = await flow.notify()
    assert last.headers.get("Subscription-State") == "terminated;reason=timeout"
    subscribe(flow, "reg", to_tag=tag)
    assert (await flow.answer()).status == 481
    registers(location, flow.server.now())
    subscribe(flow, "message-summary", call_id="s2")
    assert isinstance(await flow.next(), Response), "nothing was told in between"


async def test_a_phone_that_knows_nothing_of_it_is_told_no_more(location: Location, flow: Wire):
    flow.status = 481
    subscribe(flow, "reg")
    tag = (await flow.answer()).to.tag or ""
    await flow.notify()
    async with asyncio.timeout(60):
        subscribe(flow, "reg", to_tag=tag)
        while (await flow.answer()).status != 481:
            # Its answer to the NOTIFY was not taken yet.
            await asyncio.sleep(0)
            subscribe(flow, "reg", to_tag=tag)


async def test_with_the_whole_server_a_phone_proves_who_it_is_first(sample: Installation, running: Running):
    password = (await all_secrets(sample))[f"line {LINE}"]
    async with phone(running.sip, LINE, password) as mine:

        def message(credentials: Credentials | None = None) -> bytes:
            headers = (f"Contact: {mine.contact}", "Event: reg", "Expires: 600")
            data = mine.message("SUBSCRIBE", *headers, credentials=credentials)
            return data.replace(b"sip:127.0.0.1 ", f"sip:{LINE}@127.0.0.1 ".encode(), 1)

        refused = await mine.ask(message())
        assert refused.status == 401
        challenge = parse_challenges(refused.headers.all("WWW-Authenticate"))[0]
        answer = await mine.ask(message(mine.answered(challenge, "SUBSCRIBE")))
        assert (answer.status, answer.expires_s) == (200, 600)
        notify = parse_datagram((await mine.peer.receive())[0])
        assert isinstance(notify, Request)
        assert notify.event is not None
        assert notify.event.package == "reg"
        assert f'aor="sip:{LINE}@127.0.0.1"'.encode() in notify.body


async def test_a_phone_that_answers_no_notify_takes_no_more_than_its_share(
    flow: Wire, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(subscriptions, "_MOST_UNHEARD", 2)
    flow.status = 0
    statuses = []
    for number in range(4):
        subscribe(flow, "message-summary", expires=0, call_id=f"fetch{number}")
        statuses.append((await flow.answer()).status)
        if statuses[-1] == 200:
            await flow.notify()
    assert statuses == [200, 200, 503, 503]


async def test_one_that_can_not_be_told_costs_no_other(flow: Wire, monkeypatch: pytest.MonkeyPatch):
    async def broken(server: SipServer, request: Request, flow: Flow) -> Response | None:
        raise ValueError("our mistake")

    with monkeypatch.context() as patched:
        patched.setattr(SipServer, "ask", broken)
        subscribe(flow, "message-summary")
        assert (await flow.answer()).status == 200
        await asyncio.sleep(0)
    subscribe(flow, "message-summary", call_id="s2")
    assert (await flow.answer()).status == 200
    assert (await flow.notify()).call_id == "s2"


async def test_when_the_server_is_stopped_all_are_had_subscribe_anew_and_the_next_one_answers(
    location: Location,
):
    async with notifying(location, Switchboards()) as (flow, subscriptions):
        for call_id in ("s1", "s2"):
            subscribe(flow, "reg", call_id=call_id)
            assert (await flow.answer()).status == 200
            await flow.notify()
        closing = asyncio.create_task(subscriptions.close())
        for _ in range(2):
            told = await flow.notify()
            assert str(told.subscription_state) == "terminated;reason=deactivated"
        await closing
        # It would be forgotten at once. Who hears nothing sends it again.
        subscribe(flow, "reg", call_id="s3")
        await asyncio.sleep(0)
        assert flow.came.empty()


async def test_phones_that_do_not_answer_do_not_keep_the_server_from_ending(
    location: Location, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(subscriptions, "_GOODBYE_S", 0.05)
    async with notifying(location, Switchboards()) as (flow, subscribed):
        subscribe(flow, "reg")
        assert (await flow.answer()).status == 200
        await flow.notify()
        flow.status = 0
        await subscribed.close()
        assert str((await flow.notify()).subscription_state) == "terminated;reason=deactivated"
