"""Sending requests other than INVITE (RFC 3261, figure 6)."""

from __future__ import annotations

import pytest

from sip.transaction.effects import Answered, Failed, Send, Stray, Why
from sip.transaction.errors import TooManyTransactions
from sip.transaction.transactions import Transactions
from sip.transport.flow import Address, Transport
from tests.sip.transaction.messages import (
    TCP,
    UDP,
    Way,
    answer,
    asked,
    assert_nothing_is_left,
    sent,
    statuses,
)


@pytest.fixture
def transactions():
    return Transactions()


def times_sent(transactions: Transactions, until: float) -> list[float]:
    """When something is sent by the timers alone."""
    times = []
    while (at := transactions.deadline) is not None and at <= until:
        times += [at for effect in transactions.timer(at) if isinstance(effect, Send)]
    return times


def test_our_via_is_on_top_with_a_branch_of_its_own_and_asks_for_rport(transactions):
    request = asked()
    first, effects = transactions.request(request, UDP, 0)
    second, _ = transactions.request(request, UDP, 0)
    (message,) = sent(effects)
    via = message.via[0]
    assert str(via) == f"SIP/2.0/UDP 192.0.2.1:5060;branch={via.branch};rport"
    assert via.is_branch_unique
    assert len(via.branch) >= 7 + 32
    assert first.request.via[0].branch != second.request.via[0].branch
    assert "Via" not in request.headers


def test_a_via_says_the_transport_and_brackets_an_ipv6_address(transactions):
    flow = Way(Transport.TLS, local=Address("2001:db8::1", 5061))
    transaction, _ = transactions.request(asked(), flow, 0)
    assert str(transaction.request.via[0]).startswith("SIP/2.0/TLS [2001:db8::1]:5061;branch=")


def test_in_trying_the_request_is_sent_again_less_and_less_often(transactions):
    _, effects = transactions.request(asked(), UDP, 0)
    first = effects[0]
    assert times_sent(transactions, 31) == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5]
    assert transactions.timer(31.5) == [first]


@pytest.mark.parametrize("flow", [UDP, TCP])
def test_a_request_whose_answer_nobody_waits_for_is_sent_no_more_and_leaves_nothing(transactions, flow):
    transaction, _ = transactions.request(asked(), flow, 0)
    transactions.timer(0.5)
    transactions.abandon(transaction)
    assert times_sent(transactions, 40) == []
    assert_nothing_is_left(transactions)
    response = answer(transaction, 200)
    assert transactions.receive(response, flow, 1) == [Stray(response, flow)]


def test_timer_f_ends_trying_as_a_timeout(transactions):
    transaction, _ = transactions.request(asked(), UDP, 0)
    times_sent(transactions, 31.9)
    assert transactions.deadline == 32
    assert transactions.timer(32) == [Failed(transaction, Why.TIMEOUT)]
    assert len(transactions) == 0
    assert transactions.deadline is None


def test_timer_f_goes_before_timer_e_where_both_are_late(transactions):
    transaction, _ = transactions.request(asked(), UDP, 0)
    assert transactions.timer(100) == [Failed(transaction, Why.TIMEOUT)]


def test_on_a_reliable_flow_nothing_is_sent_again(transactions):
    transaction, _ = transactions.request(asked(), TCP, 0)
    assert transactions.deadline == 32
    assert transactions.timer(32) == [Failed(transaction, Why.TIMEOUT)]


def test_a_provisional_response_is_told_and_leads_to_proceeding(transactions):
    transaction, (request,) = transactions.request(asked(), UDP, 0)
    response = answer(transaction, 182)
    assert transactions.receive(response, UDP, 0.1) == [Answered(transaction, response)]
    # In Proceeding timer E has the length of T2 each time; the one that runs is left alone.
    assert times_sent(transactions, 13) == [0.5, 4.5, 8.5, 12.5]
    assert transactions.timer(16.5) == [request]


def test_timer_f_ends_proceeding_as_a_timeout(transactions):
    transaction, _ = transactions.request(asked(), UDP, 0)
    transactions.receive(answer(transaction, 182), UDP, 1)
    times_sent(transactions, 31.9)
    assert transactions.timer(32) == [Failed(transaction, Why.TIMEOUT)]
    assert len(transactions) == 0


@pytest.mark.parametrize("before", [[], [182]], ids=["trying", "proceeding"])
@pytest.mark.parametrize("status", [200, 302, 404, 500, 603])
def test_a_final_response_leads_to_completed(transactions, before, status):
    transaction, _ = transactions.request(asked(), UDP, 0)
    for each in [*before, status]:
        assert statuses(transactions.receive(answer(transaction, each), UDP, 1)) == [each]
    assert transactions.deadline == 1 + 5


def test_in_completed_responses_are_absorbed_until_timer_k(transactions):
    transaction, _ = transactions.request(asked(), UDP, 0)
    transactions.receive(answer(transaction, 200), UDP, 1)
    for status in (200, 182, 500):
        assert transactions.receive(answer(transaction, status), UDP, 2) == []
    assert transactions.timer(5.9) == []
    assert len(transactions) == 1
    assert transactions.timer(6) == []
    assert len(transactions) == 0
    response = answer(transaction, 200)
    assert transactions.receive(response, UDP, 7) == [Stray(response, UDP)]


def test_a_reliable_flow_needs_no_completed(transactions):
    transaction, _ = transactions.request(asked(), TCP, 0)
    assert statuses(transactions.receive(answer(transaction, 200), TCP, 1)) == [200]
    assert len(transactions) == 0
    assert transactions.deadline is None


@pytest.mark.parametrize("before", [[], [182]], ids=["trying", "proceeding"])
@pytest.mark.parametrize("flow", [UDP, TCP], ids=lambda flow: flow.transport)
def test_a_closed_flow_is_told_to_who_waits_for_an_answer(transactions, before, flow):
    transaction, _ = transactions.request(asked(), flow, 0)
    other, _ = transactions.request(asked(), Way(flow.transport, remote=Address("203.0.113.1", 5060)), 0)
    for status in before:
        transactions.receive(answer(transaction, status), flow, 0)
    assert transactions.closed(flow, 1) == [Failed(transaction, Why.TRANSPORT)]
    assert statuses(transactions.receive(answer(other, 200), flow, 2)) == [200]


def test_of_a_flow_that_closes_in_completed_nothing_is_told(transactions):
    transaction, _ = transactions.request(asked(), UDP, 0)
    transactions.receive(answer(transaction, 200), UDP, 1)
    assert transactions.closed(UDP, 2) == []
    assert transactions.timer(6) == []
    assert_nothing_is_left(transactions)


def test_a_response_is_known_by_branch_and_method_of_cseq(transactions):
    transaction, _ = transactions.request(asked(), UDP, 0)
    other, _ = transactions.request(asked(), UDP, 0)
    response = answer(transaction, 200)
    response.cseq = answer(transaction, 200).cseq.__class__(1, "NOTIFY")
    assert transactions.receive(response, UDP, 1) == [Stray(response, UDP)]
    mine = answer(other, 200)
    assert transactions.receive(mine, UDP, 1) == [Answered(other, mine)]


def test_a_response_with_a_second_via_is_not_for_us(transactions):
    transaction, _ = transactions.request(asked(), UDP, 0)
    response = answer(transaction, 200)
    response.headers.add("Via", "SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKa")
    assert transactions.receive(response, UDP, 1) == []


def test_beyond_the_bound_nothing_more_is_asked():
    transactions = Transactions(most=1)
    transactions.request(asked(), UDP, 0)
    with pytest.raises(TooManyTransactions):
        transactions.request(asked(), UDP, 0)


def test_only_an_invite_is_cancelled(transactions):
    transaction, _ = transactions.request(asked(), UDP, 0)
    with pytest.raises(ValueError, match="only an INVITE"):
        transactions.cancel(transaction, 0)
