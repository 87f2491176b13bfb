"""A client and a server whose messages are lost, doubled, delayed, and so overtake each other."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.message.message import Request
from sip.message.parser import parse_datagram
from sip.transaction.effects import (
    Acknowledged,
    Answered,
    Cancelled,
    Effect,
    Failed,
    NewRequest,
    Reply,
    Send,
    Why,
)
from sip.transaction.machine import ClientTransaction, ServerTransaction
from sip.transaction.transactions import Transactions
from sip.transport.flow import Address, Transport
from tests.sip.transaction.messages import Way, asked, assert_nothing_is_left

PATIENCE_S = 60.0
"After this an INVITE is cancelled, for what rings is never given up by its transaction."
HERE, THERE = Address("192.0.2.1", 5060), Address("192.0.2.2", 5060)


@dataclass
class Link:
    """Carries what both send, as badly as it is told to, and keeps their time."""

    random: Random
    loss: float
    transport: Transport = Transport.UDP
    now: float = 0.0
    under_way: list[tuple[float, int, Address, bytes]] = field(default_factory=list)
    order: itertools.count[int] = field(default_factory=itertools.count)
    last_s: dict[Address, float] = field(default_factory=dict)

    def send(self, to: Address, data: bytes) -> None:
        if self.transport.is_reliable:
            # In order, and once.
            at = max(self.now, self.last_s.get(to, 0.0)) + self.random.random() / 2
            self.last_s[to] = at
            heapq.heappush(self.under_way, (at, next(self.order), to, data))
            return
        while self.random.random() >= self.loss:
            at = self.now + self.random.random() / 2
            heapq.heappush(self.under_way, (at, next(self.order), to, data))
            if self.random.random() > 0.2:
                return


class Client:
    """Asks, and keeps what becomes of it."""

    def __init__(self, link: Link) -> None:
        self.link, self.transactions = link, Transactions()
        self.flow = Way(link.transport, HERE, THERE)
        self.asked: dict[ClientTransaction, int] = {}
        "With the status that the server is asked for, by Subject."
        self.outcomes: dict[ClientTransaction, list[int | Why]] = {}
        self.cancelling: list[tuple[float, ClientTransaction]] = []

    def ask(self, method: str, status: int, cancel_at: float) -> None:
        request = asked(method)
        request.headers.set("Call-ID", f"{len(self.asked)}")
        request.headers.set("Subject", str(status))
        transaction, effects = self.transactions.request(request, self.flow, self.link.now)
        self.asked[transaction] = status
        self.outcomes[transaction] = []
        if method == "INVITE":
            self.cancelling.append((cancel_at, transaction))
        self.perform(effects)

    def perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(_, data):
                    self.link.send(THERE, data)
                case Answered(transaction, response):
                    assert response.call_id == transaction.request.call_id
                    assert response.cseq == transaction.request.cseq
                    if response.status >= 200:
                        self.outcomes[transaction].append(response.status)
                    if response.status < 300 and response.status >= 200 and response.cseq.method == "INVITE":
                        ack = Request("ACK", transaction.request.uri_text, response.headers.copy("Call-ID"))
                        ack.headers.add("From", str(response.from_))
                        ack.headers.add("To", str(response.to))
                        ack.headers.add("CSeq", f"{response.cseq.number} ACK")
                        self.link.send(THERE, self.transactions.acknowledge(ack, self.flow).data)
                case Failed(transaction, why):
                    assert isinstance(transaction, ClientTransaction)
                    self.outcomes[transaction].append(why)

    def deadline(self) -> float | None:
        times = [self.transactions.deadline, *(at for at, _ in self.cancelling)]
        return min((at for at in times if at is not None), default=None)

    def timer(self) -> None:
        self.perform(self.transactions.timer(self.link.now))
        for at, transaction in [each for each in self.cancelling if each[0] <= self.link.now]:
            self.cancelling.remove((at, transaction))
            self.perform(self.transactions.cancel(transaction, self.link.now))


class Server:
    """Answers what it is asked: after a while, and perhaps in steps."""

    def __init__(self, link: Link) -> None:
        self.link, self.transactions = link, Transactions()
        self.flow = Way(link.transport, THERE, HERE)
        self.seen: Counter[str] = Counter()
        self.answered: set[ServerTransaction] = set()
        self.failed: list[Failed] = []
        self.unacknowledged: dict[str, float] = {}
        "INVITEs that have a 2xx, and until when it is sent again."
        self.plans: list[tuple[float, int, ServerTransaction, int, float]] = []
        "When, order, what, status, and for a 2xx until it is sent again."
        self.order = itertools.count()

    def perform(self, effects: list[Effect]) -> None:
        now = self.link.now
        for effect in effects:
            match effect:
                case Send(data=data) | Reply(data=data):
                    self.link.send(HERE, data)
                case NewRequest(request):
                    self.seen[request.call_id] += 1
                    transaction = self.transactions.serve(effect, now)
                    thinks_s = self.link.random.choice([0.0, 0.1, 0.4, 3.0])
                    if thinks_s > 1:
                        self.plan(now + thinks_s / 2, transaction, 180)
                    self.plan(now + thinks_s, transaction, int(request.subject or 0))
                case Cancelled(transaction):
                    self.respond(transaction, 487, 0.5)
                case Acknowledged(ack):
                    self.unacknowledged.pop(ack.call_id, None)
                case Failed():
                    self.failed.append(effect)

    def plan(self, at: float, transaction: ServerTransaction, status: int, again_s: float = 0.5) -> None:
        heapq.heappush(self.plans, (at, next(self.order), transaction, status, again_s))

    def respond(self, transaction: ServerTransaction, status: int, again_s: float) -> None:
        request = transaction.request
        is_first = transaction not in self.answered
        if status >= 200:
            self.answered.add(transaction)
        is_2xx_of_invite = request.method == "INVITE" and 200 <= status < 300
        if is_2xx_of_invite and is_first:
            self.unacknowledged[request.call_id] = self.link.now + 32
        elif not is_first and not (
            is_2xx_of_invite and self.link.now < self.unacknowledged.get(request.call_id, 0)
        ):
            return
        self.perform(
            self.transactions.respond(transaction, request.response(status, to_tag="b"), self.link.now)
        )
        if is_2xx_of_invite:
            # §13.3.1.4: by its user, and on reliable ways, too.
            self.plan(self.link.now + again_s, transaction, status, min(2 * again_s, 4.0))

    def deadline(self) -> float | None:
        times = [self.transactions.deadline, self.plans[0][0] if self.plans else None]
        return min((at for at in times if at is not None), default=None)

    def timer(self) -> None:
        self.perform(self.transactions.timer(self.link.now))
        while self.plans and self.plans[0][0] <= self.link.now:
            _, _, transaction, status, again_s = heapq.heappop(self.plans)
            if not transaction.has_ended:
                self.respond(transaction, status, again_s)


def run(link: Link, client: Client, server: Server) -> None:
    """Until nothing happens any more."""
    for _ in range(20_000):
        times = [client.deadline(), server.deadline(), link.under_way[0][0] if link.under_way else None]
        now = min((at for at in times if at is not None), default=None)
        if now is None:
            return
        assert now >= link.now
        link.now = now
        while link.under_way and link.under_way[0][0] <= now:
            _, _, to, data = heapq.heappop(link.under_way)
            side = client if to == HERE else server
            message = parse_datagram(data)
            assert message is not None
            side.perform(side.transactions.receive(message, side.flow, now))
        client.timer()
        server.timer()
    raise AssertionError("it never ends")


ASKED = st.lists(
    st.tuples(
        st.sampled_from(["INVITE", "OPTIONS", "MESSAGE"]),
        st.sampled_from([200, 302, 404, 486, 603]),
        st.floats(0, 5) | st.just(PATIENCE_S),
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
@given(random=st.randoms(use_true_random=True), loss=st.sampled_from([0.0, 0.3, 0.6, 1.0]), asked=ASKED)
def test_whatever_a_link_does_everybody_learns_what_has_become_of_his_request(transport, random, loss, asked):
    link = Link(random, loss, transport)
    client, server = Client(link), Server(link)
    for method, status, cancel_at in asked:
        client.ask(method, status, cancel_at)
    run(link, client, server)

    assert set(server.seen.values()) <= {1}
    for transaction, status in client.asked.items():
        told = client.outcomes[transaction]
        finals = set(told)
        assert len(finals) == 1, (transaction.request, told)
        assert finals <= {status, 487, Why.TIMEOUT}
        assert 487 not in finals or transaction.request.method == "INVITE"
        # A 2xx of an INVITE may be told again; all else once.
        assert len(told) == 1 or told[0] == 200
        if transport.is_reliable or loss == 0:
            assert Why.TIMEOUT not in finals
    # What is lost costs time: 32 s until somebody gives up, on both sides, and 5 s for what comes late.
    assert link.now < PATIENCE_S + 32 + 32 + 5 + 5
    assert_nothing_is_left(client.transactions)
    assert_nothing_is_left(server.transactions)
