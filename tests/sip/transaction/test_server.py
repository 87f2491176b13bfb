"""Answering requests other than INVITE (RFC 3261, figure 8)."""

from __future__ import annotations

import pytest

from sip.transaction.effects import Failed, NewRequest, Reply, Send, Why
from sip.transaction.errors import AlreadyServed, TooManyTransactions
from sip.transaction.transactions import Transactions
from sip.transport.flow import Address
from tests.sip.transaction.messages import TCP, UDP, Way, data, made, objects, sent, served


@pytest.fixture
def transactions():
    return Transactions()


def test_a_request_that_is_not_served_leaves_no_trace(transactions):
    request = made()
    for _ in range(3):
        assert transactions.receive(request, UDP, 0) == [
            NewRequest(request, UDP, transactions.receive(request, UDP, 0)[0].key)
        ]
    assert len(transactions) == 0
    assert transactions.deadline is None


def test_in_trying_a_retransmission_is_absorbed(transactions):
    served(transactions, made())
    assert transactions.receive(made(), UDP, 1) == []


def test_from_trying_a_provisional_response_leads_to_proceeding(transactions):
    transaction = served(transactions, made())
    response = transaction.request.response(182, to_tag="b")
    assert transactions.respond(transaction, response, 1) == [Send(UDP, bytes(response))]


def test_in_proceeding_a_retransmission_gets_the_newest_provisional_response(transactions):
    transaction = served(transactions, made())
    transactions.respond(transaction, transaction.request.response(182, to_tag="b"), 1)
    newest = transaction.request.response(183, to_tag="b")
    transactions.respond(transaction, newest, 2)
    again = made()
    assert transactions.receive(again, UDP, 3) == [Reply(again, UDP, bytes(newest))]


@pytest.mark.parametrize("before", [[], [182]], ids=["trying", "proceeding"])
def test_a_final_response_leads_to_completed(transactions, before):
    transaction = served(transactions, made())
    for status in [*before, 200]:
        response = transaction.request.response(status, to_tag="b")
        assert transactions.respond(transaction, response, 1) == [Send(UDP, bytes(response))]
    assert len(transactions) == 1


def test_in_completed_a_retransmission_gets_the_same_bytes(transactions):
    transaction = served(transactions, made())
    (response,) = transactions.respond(transaction, transaction.request.response(200, to_tag="b"), 1)
    assert data(transactions.receive(made(), UDP, 2)) == [response.data]
    assert data(transactions.receive(made(), UDP, 30)) == [response.data]


def test_in_completed_another_response_goes_nowhere(transactions):
    transaction = served(transactions, made())
    transactions.respond(transaction, transaction.request.response(200, to_tag="b"), 1)
    assert transactions.respond(transaction, transaction.request.response(500, to_tag="b"), 2) == []
    assert sent(transactions.receive(made(), UDP, 3))[0].status == 200


def test_a_retransmission_is_answered_the_way_that_it_came(transactions):
    # Its Via says where to (§18.2.2), and a NAT may have given it another port since.
    transaction = served(transactions, made())
    transactions.respond(transaction, transaction.request.response(200, to_tag="b"), 1)
    moved = Way(remote=Address(UDP.remote.host, 40_000))
    again = made()
    (reply,) = transactions.receive(again, moved, 2)
    assert isinstance(reply, Reply)
    assert (reply.request, reply.flow) == (again, moved)


def test_timer_j_ends_completed(transactions):
    transaction = served(transactions, made())
    transactions.respond(transaction, transaction.request.response(200, to_tag="b"), 1)
    assert transactions.deadline == 1 + 32
    assert transactions.timer(32.9) == []
    assert len(transactions) == 1
    assert transactions.timer(33) == []
    assert len(transactions) == 0
    assert isinstance(transactions.receive(made(), UDP, 34)[0], NewRequest)


def test_a_reliable_flow_needs_no_completed(transactions):
    transaction = served(transactions, made(), TCP)
    transactions.respond(transaction, transaction.request.response(200, to_tag="b"), 1)
    assert len(transactions) == 0
    assert transactions.deadline is None


def test_answers_of_one_second_end_together(transactions):
    for i in range(10):
        transaction = served(transactions, made(branch=f"z9hG4bK{i}"), now=i / 10)
        transactions.respond(transaction, transaction.request.response(200, to_tag="b"), i / 10)
    assert transactions.deadline == 32
    transactions.timer(32)
    assert transactions.deadline == 33
    transactions.timer(33)
    assert len(transactions) == 0


def test_of_an_answered_request_nothing_is_kept_but_bytes(transactions):
    before = objects()
    for i in range(1000):
        transaction = served(transactions, made("REGISTER", branch=f"z9hG4bK{i}"))
        transactions.respond(transaction, transaction.request.response(200, to_tag="b"), 0)
    del transaction
    assert len(transactions) == 1000
    assert objects() - before < 100


def test_a_request_whose_user_never_answers_ends_in_silence(transactions):
    # The figure has no timer there, and an answer after timer F is of no use to anybody.
    transaction = served(transactions, made(), now=5)
    assert transactions.deadline == 5 + 32
    assert transactions.timer(37) == [Failed(transaction, Why.TIMEOUT)]
    assert len(transactions) == 0
    assert transactions.respond(transaction, transaction.request.response(200), 38) == []


@pytest.mark.parametrize("flow", [UDP, TCP], ids=lambda flow: flow.transport)
def test_a_closed_flow_ends_what_is_not_answered(transactions, flow):
    transaction = served(transactions, made(), flow)
    assert transactions.closed(flow, 1) == [Failed(transaction, Why.TRANSPORT)]
    assert len(transactions) == 0
    assert transactions.respond(transaction, transaction.request.response(200), 2) == []


def test_a_copy_that_came_before_the_first_was_served_is_not_served_again(transactions):
    (first,) = transactions.receive(made(), UDP, 0)
    (copy,) = transactions.receive(made(), UDP, 0)
    transactions.serve(first, 0)
    with pytest.raises(AlreadyServed):
        transactions.serve(copy, 0)


def test_beyond_the_bound_a_new_request_is_refused_with_503_and_those_under_way_go_on():
    transactions = Transactions(most=2)
    first, _ = (served(transactions, made(branch=f"z9hG4bK{i}")) for i in range(2))
    (new,) = transactions.receive(made(branch="z9hG4bK2"), UDP, 0)
    with pytest.raises(TooManyTransactions) as caught:
        transactions.serve(new, 0)
    assert caught.value.status == 503
    transactions.respond(first, first.request.response(200), 0)
    transactions.serve(new, 0)


def test_beyond_the_bound_of_answers_the_oldest_is_forgotten():
    transactions = Transactions(remembered=2)
    for i in range(3):
        transaction = served(transactions, made(branch=f"z9hG4bK{i}"))
        transactions.respond(transaction, transaction.request.response(200), 0)
    assert len(transactions) == 2
    assert isinstance(transactions.receive(made(branch="z9hG4bK0"), UDP, 0)[0], NewRequest)
    assert isinstance(transactions.receive(made(branch="z9hG4bK1"), UDP, 0)[0], Reply)
