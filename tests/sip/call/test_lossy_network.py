"""Phones that keep all rules, in a network that loses, doubles, delays and so reorders what they send."""

from __future__ import annotations

import heapq
import itertools
import os
from collections.abc import Callable
from random import Random

import pytest

from sip.call.board import Place
from sip.call.calls import Calls
from sip.call.ringing import Target
from sip.call.story import CallAnswered, CallEnded, Event
from sip.dialog import Dialog, DialogId
from sip.errors import SipError
from sip.message.address import Contact, NameAddress
from sip.message.message import Request, Response
from sip.message.parser import parse_datagram
from sip.message.uri import SipUri
from sip.message.values import CSeq, MediaType
from sip.transaction.effects import (
    Acknowledged,
    Answered,
    Cancelled,
    Effect,
    Failed,
    NewRequest,
    Refused,
    Reply,
    Send,
)
from sip.transaction.machine import ClientTransaction, ServerTransaction
from sip.transaction.transactions import Transactions
from sip.transport.flow import Address, Transport
from tests.sip.call.phones import SERVER, Everybody, sdp
from tests.sip.call.story import assert_is_whole
from tests.sip.transaction.messages import Way

PROVE = bool(os.environ.get("CENTRALKA_PROVE"))
SDP = MediaType("application", "sdp")


class World:
    """Keeps the time, and carries messages as badly as it is told to."""

    def __init__(self, random: Random, loss: float) -> None:
        self.random, self.loss = random, loss
        self.now = 0.0
        self.due: list[tuple[float, int, Callable[[], None]]] = []
        self.order = itertools.count()
        self.ends: dict[Address, Callable[[bytes, Address], None]] = {}

    def later(self, in_s: float, do: Callable[[], None]) -> None:
        heapq.heappush(self.due, (self.now + in_s, next(self.order), do))

    def carry(self, source: Address, to: Address, data: bytes) -> None:
        while self.random.random() >= self.loss:
            self.later(self.random.random() / 4, lambda: self.ends[to](data, source))
            if self.random.random() > 0.1:
                return

    def run(self, until: Callable[[], float | None], wake: Callable[[], None], seconds: float) -> None:
        """Does what is due, and wakes who keeps deadlines of their own."""
        end = self.now + seconds
        while True:
            deadline = until()
            first = self.due[0][0] if self.due else None
            times = [each for each in (deadline, first) if each is not None]
            if not times or min(times) > end:
                break
            self.now = max(self.now, min(times))
            if first is not None and first <= self.now:
                heapq.heappop(self.due)[2]()
            else:
                wake()
        self.now = end


class Agent:
    """A phone: it calls, rings, answers, talks and hangs up by itself."""

    def __init__(self, world: World, line: str, address: Address) -> None:
        self.world, self.line = world, line
        self.way = Way(Transport.UDP, address, SERVER)
        self.transactions = Transactions()
        self.contact = Contact(SipUri(address.host, line, port=address.port))
        self.talks: dict[DialogId, Dialog] = {}
        "The calls that it is in, as far as it knows."
        self.owed: dict[DialogId, ServerTransaction] = {}
        "Answers whose ACK has not come."
        self.acks: dict[DialogId, bytes] = {}
        self.calls = 0
        world.ends[address] = self.get

    def get(self, data: bytes, source: Address) -> None:
        message = parse_datagram(data)
        assert message is not None
        self.perform(self.transactions.receive(message, self.way, self.world.now))

    def wake(self) -> None:
        self.perform(self.transactions.timer(self.world.now))

    def perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(_, data) | Reply(_, _, data):
                    self.world.carry(self.way.local, SERVER, data)
                case Refused(_, _, response):
                    self.world.carry(self.way.local, SERVER, bytes(response))
                case NewRequest(request):
                    self.asked(self.transactions.serve(effect, self.world.now), request)
                case Cancelled(transaction):
                    self.respond(transaction, 487)
                case Acknowledged(request):
                    self.owed.pop(DialogId.of_request(request), None)
                case Answered(transaction, response) if response.cseq.method == "INVITE":
                    self.answered(transaction, response)
                case Failed() | Answered():
                    pass

    # Calling

    def dial(self, number: str, patience_s: float, talks_s: float) -> None:
        self.calls += 1
        invite = Request("INVITE", SipUri(SERVER.host, number))
        invite.from_ = NameAddress(SipUri(SERVER.host, self.line)).with_tag(f"{self.line}-{self.calls}")
        invite.to = NameAddress(SipUri(SERVER.host, number))
        invite.call_id = f"{self.line}-{self.calls}@{self.way.local.host}"
        invite.cseq, invite.max_forwards, invite.contact = CSeq(1, "INVITE"), 70, (self.contact,)
        invite.content_type, invite.body = SDP, sdp(4000)
        invite.headers.add("Subject", str(talks_s))
        transaction, effects = self.transactions.request(invite, self.way, self.world.now)
        self.perform(effects)
        self.world.later(
            patience_s, lambda: self.perform(self.transactions.cancel(transaction, self.world.now))
        )

    def answered(self, transaction: ClientTransaction, response: Response) -> None:
        if not 200 <= response.status < 300:
            return
        dialog = Dialog.as_client(transaction.request, response)
        if dialog.id in self.acks:
            self.world.carry(self.way.local, SERVER, self.acks[dialog.id])
            return
        sent = self.transactions.acknowledge(dialog.ack(transaction.request), self.way)
        self.acks[dialog.id] = sent.data
        self.perform([sent])
        self.talks[dialog.id] = dialog
        talks_s = float(transaction.request.headers.get("Subject") or 0)
        self.world.later(talks_s, lambda: self.hang_up(dialog))

    def hang_up(self, dialog: Dialog) -> None:
        if self.talks.pop(dialog.id, None) is not None:
            _, effects = self.transactions.request(dialog.request("BYE"), self.way, self.world.now)
            self.perform(effects)

    # Being called

    def asked(self, transaction: ServerTransaction, request: Request) -> None:
        if request.method == "INVITE":
            self.respond(transaction, 180)
            random = self.world.random
            status = random.choice([200, 200, 200, 486, 603])
            self.world.later(random.uniform(0, 8), lambda: self.decide(transaction, status))
        elif request.method == "BYE":
            self.talks.pop(DialogId.of_request(request), None)
            self.respond(transaction, 200)
        else:
            self.respond(transaction, 200)

    def decide(self, transaction: ServerTransaction, status: int) -> None:
        if transaction.has_ended:
            return
        response = self.respond(transaction, status)
        if status == 200 and response is not None:
            dialog = Dialog.as_server(transaction.request, response)
            self.talks[dialog.id] = dialog
            self.owed[dialog.id] = transaction
            self.repeat(dialog.id, transaction, response, 0.5)
            self.world.later(self.world.random.uniform(0, 20), lambda: self.hang_up(dialog))

    def repeat(
        self, dialog: DialogId, transaction: ServerTransaction, response: Response, interval_s: float
    ) -> None:
        def again() -> None:
            if dialog in self.owed and not transaction.has_ended:
                self.perform(self.transactions.respond(transaction, response, self.world.now))
                self.repeat(dialog, transaction, response, min(2 * interval_s, 4.0))

        self.world.later(interval_s, again)

    def respond(self, transaction: ServerTransaction, status: int) -> Response | None:
        response = transaction.request.response(status, to_tag=f"{self.line}{id(transaction)}")
        response.contact = (self.contact,)
        if status == 200 and transaction.request.method == "INVITE":
            response.content_type, response.body = SDP, sdp(4010)
        effects = self.transactions.respond(transaction, response, self.world.now)
        self.perform(effects)
        return response if effects else None


class Network:
    """The engine among its phones."""

    def __init__(self, seed: int, loss: float, lines: int) -> None:
        self.world = World(Random(seed), loss)  # noqa: S311
        self.story: list[Event] = []
        self.transactions = Transactions()
        self.calls = Calls(self.transactions, self.places, self.story.append, lambda _: None)
        self.agents = [
            Agent(self.world, str(101 + number), Address(f"198.51.100.{number + 1}", 5060))
            for number in range(lines)
        ]
        self.ways = {each.way.local: Way(Transport.UDP, SERVER, each.way.local) for each in self.agents}
        self.world.ends[SERVER] = self.get

    def places(self, target: Target) -> list[Place]:
        return [
            Place(each.contact.uri, self.ways[each.way.local])
            for each in self.agents if each.line == target.aor
        ]  # fmt: skip

    def get(self, data: bytes, source: Address) -> None:
        message = parse_datagram(data)
        assert message is not None
        self.perform(self.transactions.receive(message, self.ways[source], self.world.now))

    def perform(self, effects: list[Effect]) -> None:
        now = self.world.now
        for effect in effects:
            match effect:
                case Send(flow, data) | Reply(flow=flow, data=data):
                    self.world.carry(SERVER, flow.remote, data)
                case Refused(_, flow, response):
                    self.world.carry(SERVER, flow.remote, bytes(response))
                case NewRequest(request):
                    if self.calls.knows(request, effect.flow):
                        self.goes_on(self.transactions.serve(effect, now))
                    elif request.to.tag is None:
                        self.begins(self.transactions.serve(effect, now))
                    else:
                        self.world.carry(
                            SERVER, effect.flow.remote, bytes(request.response(481, to_tag="none"))
                        )
                case _:
                    self.perform(self.calls.take(effect, now))

    def goes_on(self, transaction: ServerTransaction) -> None:
        now = self.world.now
        try:
            self.perform(self.calls.receive(transaction, now))
        except SipError as error:
            refusal = transaction.request.response(error.status, to_tag="none")
            self.perform(self.transactions.respond(transaction, refusal, now))

    def begins(self, invite: ServerTransaction) -> None:
        request = invite.request
        assert isinstance(request.uri, SipUri)
        assert isinstance(request.from_.uri, SipUri)
        dialled = request.uri.user or ""
        lines = [each.line for each in self.agents[1:4]] if dialled == "600" else [dialled]
        line = request.from_.uri.user or ""
        self.perform(self.calls.begin(invite, line, dialled, Everybody(*lines), self.world.now))

    def deadline(self) -> float | None:
        all_of_them = [self.calls.deadline, self.transactions.deadline]
        all_of_them += [each.transactions.deadline for each in self.agents]
        return min((each for each in all_of_them if each is not None), default=None)

    def wake(self) -> None:
        self.perform(self.transactions.timer(self.world.now))
        self.perform(self.calls.timer(self.world.now))
        for each in self.agents:
            each.wake()

    def runs(self, seconds: float) -> None:
        self.world.run(self.deadline, self.wake, seconds)


@pytest.mark.parametrize("loss", [0.0, 0.05, 0.2])
@pytest.mark.parametrize("seed", range(20 if PROVE else 2))
def test_every_call_ends_and_nothing_is_left_of_it(seed: int, loss: float) -> None:
    network = Network(seed, loss, lines=6)
    random = network.world.random
    rounds = 60 if PROVE else 12
    for _ in range(rounds):
        caller = random.choice(network.agents)
        number = random.choice(["600", *(each.line for each in network.agents if each is not caller)])
        caller.dial(number, patience_s=random.uniform(0.2, 15), talks_s=random.uniform(0, 30))
        network.runs(random.uniform(0, 5))
    network.runs(400)
    assert_is_whole(network.story, 0)
    ended = [event for event in network.story if isinstance(event, CallEnded)]
    assert len(ended) <= rounds
    if not loss:
        assert len(ended) == rounds
        assert sum(isinstance(event, CallAnswered) for event in network.story) > rounds / 4
    assert (len(network.calls), network.calls.legs, len(network.transactions)) == (0, 0, 0)
    assert network.calls.deadline is None
    # A phone knows of no call either, but where all that it was told got lost for half a minute.
    assert sum(len(each.talks) for each in network.agents) <= (2 if loss > 0.1 else 0)
