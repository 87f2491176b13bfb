"""Answering INVITEs (RFC 3261, figure 7, with RFC 6026)."""

from __future__ import annotations

import pytest

from sip.transaction.effects import Acknowledged, Failed, NewRequest, Send, Why
from sip.transaction.transactions import Transactions
from tests.sip.transaction.messages import (
    TCP,
    UDP,
    assert_nothing_is_left,
    data,
    first_lines,
    made,
    objects,
    served,
)
from tests.sip.transaction.test_client import times_sent

BOTH = pytest.mark.parametrize("flow", [UDP, TCP], ids=lambda flow: flow.transport)


@pytest.fixture
def transactions():
    return Transactions()


def invited(transactions, *statuses, flow=UDP):
    """An INVITE's transaction, after these responses."""
    transaction = served(transactions, made("INVITE"), flow)
    for status in statuses:
        transactions.respond(transaction, transaction.request.response(status, to_tag="b"), 0)
    return transaction


def responded(transactions, transaction, status, now=0.0):
    """A response, and what becomes of it."""
    response = transaction.request.response(status, to_tag="b")
    return response, transactions.respond(transaction, response, now)


# Proceeding


@BOTH
def test_who_thinks_for_200_ms_has_said_100_trying(transactions, flow):
    transaction = invited(transactions, flow=flow)
    assert transactions.deadline == 0.2
    assert transactions.timer(0.19) == []
    assert transactions.timer(0.2) == [Send(flow, bytes(transaction.request.response(100)))]
    assert transactions.deadline is None


def test_who_says_something_before_has_not(transactions):
    invited(transactions, 180)
    assert transactions.deadline is None
    assert transactions.timer(1) == []


def test_in_proceeding_a_retransmission_gets_the_newest_provisional_response(transactions):
    transaction = invited(transactions)
    assert transactions.receive(made("INVITE"), UDP, 0.1) == []
    trying = transactions.timer(0.2)
    assert data(transactions.receive(made("INVITE"), UDP, 0.5)) == data(trying)
    ringing, effects = responded(transactions, transaction, 180, 1)
    assert effects == [Send(UDP, bytes(ringing))]
    assert data(transactions.receive(made("INVITE"), UDP, 1.5)) == data(effects)


def test_what_rings_may_ring_for_as_long_as_its_user_likes(transactions):
    transaction = invited(transactions, 180)
    assert transactions.timer(24 * 3600) == []
    response, effects = responded(transactions, transaction, 200, 24 * 3600)
    assert effects == [Send(UDP, bytes(response))]


@BOTH
@pytest.mark.parametrize("before", [[], [486]], ids=["proceeding", "completed"])
def test_a_closed_flow_is_told_to_who_answers_and_to_who_waits_for_the_ack(transactions, before, flow):
    transaction = invited(transactions, *before, flow=flow)
    assert transactions.closed(flow, 1) == [Failed(transaction, Why.TRANSPORT)]
    assert len(transactions) == 0


# Completed


@BOTH
def test_a_refusal_leads_to_completed_and_is_sent_again_on_unreliable_flows(transactions, flow):
    transaction = invited(transactions, flow=flow)
    response, effects = responded(transactions, transaction, 486)
    assert effects == [Send(flow, bytes(response))]
    expected = [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5] if flow is UDP else []
    assert times_sent(transactions, 31.9) == expected


def test_in_completed_a_retransmission_gets_the_refusal(transactions):
    transaction = invited(transactions)
    _, effects = responded(transactions, transaction, 486)
    assert data(transactions.receive(made("INVITE"), UDP, 0.1)) == data(effects)


def test_in_completed_another_response_goes_nowhere(transactions):
    transaction = invited(transactions, 486)
    for status in (180, 200, 500):
        assert responded(transactions, transaction, status)[1] == []


@BOTH
def test_timer_h_ends_completed_as_a_timeout_if_no_ack_comes(transactions, flow):
    transaction = invited(transactions, 486, flow=flow)
    times_sent(transactions, 31.9)
    assert transactions.deadline == 32
    assert transactions.timer(32) == [Failed(transaction, Why.TIMEOUT)]
    assert len(transactions) == 0


def test_an_ack_leads_from_completed_to_confirmed(transactions):
    invited(transactions, 486)
    assert transactions.receive(made("ACK", to_tag="b"), UDP, 1) == []
    assert transactions.deadline == 1 + 5


# Confirmed


def test_in_confirmed_everything_is_absorbed_until_timer_i(transactions):
    invited(transactions, 486)
    transactions.receive(made("ACK", to_tag="b"), UDP, 1)
    assert transactions.receive(made("ACK", to_tag="b"), UDP, 2) == []
    assert transactions.receive(made("INVITE"), UDP, 2) == []
    assert transactions.timer(5.9) == []
    assert len(transactions) == 1
    assert transactions.timer(6) == []
    assert len(transactions) == 0


def test_a_reliable_flow_needs_no_confirmed(transactions):
    invited(transactions, 486, flow=TCP)
    assert transactions.receive(made("ACK", to_tag="b"), TCP, 1) == []
    assert len(transactions) == 0


# Accepted


@BOTH
def test_a_2xx_leads_to_accepted_until_timer_l(transactions, flow):
    transaction = invited(transactions, flow=flow)
    response, effects = responded(transactions, transaction, 200)
    assert effects == [Send(flow, bytes(response))]
    assert transactions.deadline == 32
    assert transactions.timer(31.9) == []
    assert len(transactions) == 1
    assert transactions.timer(32) == []
    assert len(transactions) == 0


def test_in_accepted_a_retransmission_is_absorbed_and_its_user_sends_the_2xx_again(transactions):
    transaction = invited(transactions)
    response, effects = responded(transactions, transaction, 200)
    assert transactions.receive(made("INVITE"), UDP, 0.4) == []
    assert transactions.respond(transaction, response, 0.5) == effects
    assert responded(transactions, transaction, 486, 1)[1] == []
    assert responded(transactions, transaction, 180, 1)[1] == []


def test_in_accepted_an_ack_is_told(transactions):
    invited(transactions, 200)
    ack = made("ACK", to_tag="b")
    assert transactions.receive(ack, UDP, 1) == [Acknowledged(ack, UDP)]
    assert transactions.receive(ack, UDP, 2) == [Acknowledged(ack, UDP)]


def test_an_ack_with_a_branch_of_its_own_is_told(transactions):
    invited(transactions, 200)
    ack = made("ACK", branch="z9hG4bKother", to_tag="b")
    assert transactions.receive(ack, UDP, 1) == [Acknowledged(ack, UDP)]


@BOTH
def test_of_a_flow_that_closes_in_accepted_nothing_is_told(transactions, flow):
    invited(transactions, 200, flow=flow)
    assert transactions.closed(flow, 1) == []
    assert transactions.timer(32) == []
    assert_nothing_is_left(transactions)


def test_a_cancel_that_comes_too_late_has_the_tag_of_the_answer(transactions):
    transaction = invited(transactions)
    response, _ = responded(transactions, transaction, 200)
    (reply,) = transactions.receive(made("CANCEL"), UDP, 1)
    assert f"To: {response.headers.get('To')}\r\n".encode() in reply.data


def test_in_accepted_the_same_invite_by_another_way_is_a_merged_one(transactions):
    responded(transactions, served(transactions, made("INVITE", call_id="a")), 200)
    other = made("INVITE", call_id="a", branch="z9hG4bKother")
    assert transactions.receive(other, UDP, 31.9)[0].response.status == 482
    transactions.timer(32)
    assert isinstance(transactions.receive(other, UDP, 33)[0], NewRequest)


def test_of_an_invite_that_was_accepted_nothing_is_kept_but_texts(transactions):
    before = objects()
    for number in range(1000):
        invite = made("INVITE", branch=f"z9hG4bK{number}", call_id=str(number))
        transaction = served(transactions, invite)
        responded(transactions, transaction, 200)
    del invite, transaction
    # When it would have said 100.
    assert transactions.timer(1) == []
    assert len(transactions) == 1000
    assert objects() - before < 500


def test_an_ack_that_comes_before_any_answer_means_nothing(transactions):
    transaction = invited(transactions, 180)
    assert transactions.receive(made("ACK"), UDP, 1) == []
    assert first_lines(responded(transactions, transaction, 486, 2)[1]) == ["SIP/2.0 486 Busy Here"]
