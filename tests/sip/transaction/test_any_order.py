"""Whatever comes in whatever order: every transaction ends, none gets another's message, nothing is left."""

from __future__ import annotations

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from sip.message.message import Request
from sip.message.parser import parse_datagram
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
    Stray,
)
from sip.transaction.errors import AlreadyServed, MergedRequest, TooManyTransactions
from sip.transaction.machine import ClientTransaction, ServerTransaction, State
from sip.transaction.transactions import Transactions
from tests.sip.transaction.messages import ELSEWHERE, TCP, UDP, Way, asked, assert_nothing_is_left, made

FLOWS = st.sampled_from([UDP, TCP, ELSEWHERE])
METHODS = st.sampled_from(["INVITE", "OPTIONS", "REGISTER"])
STATUSES = st.sampled_from([100, 180, 200, 302, 486, 487])
PASSING_S = st.sampled_from([0.0, 0.1, 0.5, 1.0, 4.0, 5.0, 32.0]) | st.floats(0, 40)
BRANCHES = st.sampled_from(["z9hG4bKa", "z9hG4bKb", "1", None])
MOST = 6
REMEMBERED = 3
"Of each of the four kinds that rest; so a response to one that rests may be one to nothing."
LONGEST_S = 32 + 32 + 5 + 1
"A client that is cancelled late in its 32 s, or one that ends with a sweep of answers."


class AnyOrder(RuleBasedStateMachine):
    """All that a driver may do."""

    asked = Bundle("asked")
    new = Bundle("new")
    being_served = Bundle("being_served")

    def __init__(self) -> None:
        super().__init__()
        self.transactions = Transactions(most=MOST, remembered=REMEMBERED)
        self.now = 0.0
        self.clients: list[ClientTransaction] = []
        self.servers: list[ServerTransaction] = []
        self.finals: Counter[ClientTransaction] = Counter()
        self.over: set[object] = set()

    def look_at(self, effects: list[Effect]) -> None:
        """What may be told when."""
        for effect in effects:
            match effect:
                case Send(data=data) | Reply(data=data):
                    assert parse_datagram(data) is not None
                case Answered(transaction, response):
                    assert transaction not in self.over
                    assert transaction in self.clients
                    assert response.via[0].branch == transaction.request.via[0].branch
                    assert response.cseq.method == transaction.request.method
                    if response.status >= 200:
                        self.finals[transaction] += 1
                        is_2xx = response.status < 300 and response.cseq.method == "INVITE"
                        assert is_2xx or self.finals[transaction] == 1
                case Failed(transaction):
                    assert transaction not in self.over
                    assert transaction in [*self.clients, *self.servers]
                    assert transaction.has_ended
                    assert not (isinstance(transaction, ClientTransaction) and self.finals[transaction])
                    self.over.add(transaction)
                case Cancelled(transaction):
                    assert transaction.state is State.PROCEEDING
                case Acknowledged(request):
                    assert request.method == "ACK"
                case Refused(response=response):
                    assert response.status in {481, 482}
                case Stray(response):
                    branches = {
                        (each.request.via[0].branch, each.request.method)
                        for each in self.clients
                        if not each.has_ended and not each.rests
                    }
                    assert (response.via[0].branch, response.cseq.method) not in branches

    @rule(method=METHODS, flow=FLOWS, target=asked)
    def ask(self, method: str, flow: Way) -> ClientTransaction | None:
        try:
            transaction, effects = self.transactions.request(asked(method), flow, self.now)
        except TooManyTransactions:
            return None
        self.clients.append(transaction)
        self.look_at(effects)
        return transaction

    @rule(transaction=asked, status=STATUSES, method=st.none() | st.sampled_from(["CANCEL", "BYE"]))
    def a_response_comes(
        self, transaction: ClientTransaction | None, status: int, method: str | None
    ) -> None:
        if transaction is not None:
            response = transaction.request.response(status, to_tag="b")
            if method is not None:
                response.headers.set("CSeq", f"1 {method}")
            self.look_at(self.transactions.receive(response, transaction.flow, self.now))

    @rule(transaction=asked)
    def cancel(self, transaction: ClientTransaction | None) -> None:
        if transaction is not None and transaction.request.method == "INVITE":
            self.look_at(self.transactions.cancel(transaction, self.now))

    @rule(
        method=METHODS | st.sampled_from(["ACK", "CANCEL"]),
        branch=BRANCHES,
        flow=FLOWS,
        to_tag=st.sampled_from(["", "b"]),
        target=new,
    )
    def a_request_comes(self, method: str, branch: str | None, flow: Way, to_tag: str) -> NewRequest | None:
        request = made(method, branch=branch, call_id="a", to_tag=to_tag)
        effects = self.transactions.receive(request, flow, self.now)
        self.look_at(effects)
        return next((effect for effect in effects if isinstance(effect, NewRequest)), None)

    @rule(new=consumes(new), target=being_served)
    def serve(self, new: NewRequest | None) -> ServerTransaction | None:
        if new is None:
            return None
        try:
            transaction = self.transactions.serve(new, self.now)
        except (AlreadyServed, MergedRequest, TooManyTransactions):
            return None
        self.servers.append(transaction)
        return transaction

    @rule(transaction=being_served, status=STATUSES)
    def respond(self, transaction: ServerTransaction | None, status: int) -> None:
        if transaction is not None:
            ended = transaction.has_ended
            response = transaction.request.response(status, to_tag="b")
            effects = self.transactions.respond(transaction, response, self.now)
            self.look_at(effects)
            assert not (ended and effects)

    @rule(passing_s=PASSING_S)
    def time_passes(self, passing_s: float) -> None:
        self.now += passing_s
        self.look_at(self.transactions.timer(self.now))

    @rule(flow=FLOWS)
    def a_flow_closes(self, flow: Way) -> None:
        self.look_at(self.transactions.closed(flow, self.now))

    @invariant()
    def there_are_no_more_than_there_may_be(self) -> None:
        # A CANCEL goes out beside its INVITE, however many there are.
        assert len(self.transactions) <= 2 * MOST + 4 * REMEMBERED

    @invariant()
    def what_has_not_ended_is_counted(self) -> None:
        under_way = [each for each in self.clients if not each.has_ended and not each.rests]
        assert len(under_way) <= len(self.transactions)

    def teardown(self) -> None:
        # Only what rings, on either side, may take its time; its users end it here.
        for server in self.servers:
            request: Request = server.request
            self.look_at(self.transactions.respond(server, request.response(486, to_tag="b"), self.now))
        for client in self.clients:
            if client.request.method == "INVITE":
                self.look_at(self.transactions.cancel(client, self.now))
        began = self.now
        while (deadline := self.transactions.deadline) is not None:
            assert deadline >= self.now
            assert deadline <= began + LONGEST_S
            self.now = deadline
            self.look_at(self.transactions.timer(deadline))
        assert_nothing_is_left(self.transactions)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(stateful_step_count=40)
