"""Sending INVITEs (RFC 3261, figure 5, with RFC 6026), and cancelling them (§9.1)."""

from __future__ import annotations

import weakref

import pytest

from sip.message.message import Request, Response
from sip.message.values import Reason
from sip.transaction.effects import Answered, Failed, Send, Stray, Why
from sip.transaction.transactions import Transactions
from tests.sip.transaction.messages import (
    TCP,
    UDP,
    answer,
    asked,
    assert_nothing_is_left,
    first_lines,
    objects,
    sent,
    statuses,
)
from tests.sip.transaction.test_client import times_sent

CANCEL = "CANCEL sip:600@pbx.example.com SIP/2.0"
ACK = "ACK sip:600@pbx.example.com SIP/2.0"
BOTH = pytest.mark.parametrize("flow", [UDP, TCP], ids=lambda flow: flow.transport)


@pytest.fixture
def transactions():
    return Transactions()


def invited(transactions, *statuses, flow=UDP):
    """An INVITE's transaction, after these responses."""
    transaction, _ = transactions.request(asked("INVITE"), flow, 0)
    for status in statuses:
        transactions.receive(answer(transaction, status), flow, 0)
    return transaction


# Calling


def test_in_calling_the_invite_is_sent_again_after_twice_as_long_each_time(transactions):
    invited(transactions)
    assert times_sent(transactions, 31.9) == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]


@BOTH
def test_timer_b_ends_calling_as_a_timeout(transactions, flow):
    transaction = invited(transactions, flow=flow)
    assert (times_sent(transactions, 31.9) == []) == (flow is TCP)
    assert transactions.deadline == 32
    assert transactions.timer(32) == [Failed(transaction, Why.TIMEOUT)]
    assert len(transactions) == 0


def test_a_provisional_response_leads_to_proceeding(transactions):
    transaction = invited(transactions)
    response = answer(transaction, 180)
    assert transactions.receive(response, UDP, 1) == [Answered(transaction, response)]


@BOTH
def test_what_rings_is_never_given_up(transactions, flow):
    transaction = invited(transactions, 180, flow=flow)
    assert transactions.deadline is None
    assert transactions.timer(24 * 3600) == []
    assert statuses(transactions.receive(answer(transaction, 200), flow, 24 * 3600)) == [200]


def test_a_2xx_leads_from_calling_to_accepted(transactions):
    transaction = invited(transactions)
    response = answer(transaction, 200)
    assert transactions.receive(response, UDP, 1) == [Answered(transaction, response)]
    assert transactions.deadline == 33


@pytest.mark.parametrize("before", [[], [180]], ids=["calling", "proceeding"])
def test_a_refusal_is_acknowledged_and_told(transactions, before):
    transaction = invited(transactions, *before)
    response = answer(transaction, 486)
    ack, told = transactions.receive(response, UDP, 1)
    assert first_lines([ack]) == [ACK]
    assert told == Answered(transaction, response)
    assert transactions.deadline == 1 + 32


@BOTH
@pytest.mark.parametrize("before", [[], [180]], ids=["calling", "proceeding"])
def test_a_closed_flow_is_told_to_who_waits_for_an_answer(transactions, before, flow):
    transaction = invited(transactions, *before, flow=flow)
    assert transactions.closed(flow, 1) == [Failed(transaction, Why.TRANSPORT)]
    assert len(transactions) == 0


# Proceeding


def test_in_proceeding_each_provisional_response_is_told(transactions):
    transaction = invited(transactions, 100)
    assert statuses(transactions.receive(answer(transaction, 180), UDP, 1)) == [180]
    assert statuses(transactions.receive(answer(transaction, 183), UDP, 2)) == [183]


def test_a_2xx_leads_from_proceeding_to_accepted(transactions):
    transaction = invited(transactions, 180)
    assert statuses(transactions.receive(answer(transaction, 200), UDP, 50)) == [200]
    assert transactions.deadline == 82


# Completed


def test_in_completed_each_refusal_gets_the_ack_again(transactions):
    transaction = invited(transactions)
    ack, _ = transactions.receive(answer(transaction, 486), UDP, 0)
    assert transactions.receive(answer(transaction, 486), UDP, 1) == [ack]
    assert transactions.receive(answer(transaction, 180), UDP, 1) == []
    assert transactions.receive(answer(transaction, 200), UDP, 1) == []


def test_timer_d_ends_completed(transactions):
    invited(transactions, 486)
    assert transactions.timer(31.9) == []
    assert len(transactions) == 1
    assert transactions.timer(32) == []
    assert len(transactions) == 0


def test_a_reliable_flow_needs_no_completed(transactions):
    invited(transactions, 486, flow=TCP)
    assert len(transactions) == 0


# Accepted


def test_in_accepted_each_2xx_is_told_for_its_ack_may_be_lost_or_another_branch_has_answered(transactions):
    transaction = invited(transactions, 180, 200)
    again, other = answer(transaction, 200), answer(transaction, 200, "other")
    assert transactions.receive(again, UDP, 1) == [Answered(transaction, again)]
    assert transactions.receive(other, UDP, 2) == [Answered(transaction, other)]
    assert transactions.receive(answer(transaction, 486), UDP, 2) == []
    assert transactions.receive(answer(transaction, 180), UDP, 2) == []


@BOTH
def test_timer_m_ends_accepted(transactions, flow):
    transaction = invited(transactions, 200, flow=flow)
    assert transactions.timer(31.9) == []
    assert len(transactions) == 1
    assert transactions.timer(32) == []
    assert len(transactions) == 0
    late = answer(transaction, 200)
    assert transactions.receive(late, flow, 33) == [Stray(late, flow)]


@pytest.mark.parametrize("status", [200, 486])
def test_of_a_flow_that_closes_nothing_is_told_that_has_its_answer(transactions, status):
    invited(transactions, status)
    assert transactions.closed(UDP, 1) == []
    assert transactions.timer(32) == []
    assert_nothing_is_left(transactions)


def test_of_an_invite_that_was_refused_nothing_is_kept_but_its_ack(transactions):
    before = objects()
    for _ in range(1000):
        invited(transactions, 180, 486)
    # When it would have been sent again.
    assert transactions.timer(1) == []
    assert len(transactions) == 1000
    # One thing to be sent each, and the flow that all share.
    assert objects() - before < 1500


# ACK


def test_the_ack_of_a_refusal_goes_the_way_of_the_invite(transactions):
    request = asked("INVITE")
    request.headers.add("Route", "<sip:proxy.example.com;lr>")
    request.headers.add("Require", "timer")
    request.body = b"v=0"
    transaction, _ = transactions.request(request, UDP, 0)
    response = answer(transaction, 404, to_tag="314159")
    (ack,) = sent(transactions.receive(response, UDP, 0))
    assert isinstance(ack, Request)
    assert ack.start_line == ACK
    assert ack.headers.all("Via") == [str(transaction.request.via[0])]
    assert ack.headers.all("Route") == ["<sip:proxy.example.com;lr>"]
    assert ack.headers.all("From") == request.headers.all("From")
    assert ack.headers.all("To") == [f"{request.headers.get('To')};tag=314159"]
    assert ack.call_id == request.call_id
    assert str(ack.cseq) == "1 ACK"
    assert ack.max_forwards == 70
    assert (ack.body, ack.require) == (b"", ())


def test_the_ack_of_a_2xx_has_a_branch_of_its_own_and_no_transaction(transactions):
    invite = invited(transactions, 200)
    ack = asked("ACK")
    effect = transactions.acknowledge(ack, UDP)
    (message,) = sent([effect])
    assert message.via[0].is_branch_unique
    assert message.via[0].branch != invite.request.via[0].branch
    assert len(transactions) == 1


# CANCEL


def test_a_cancel_is_held_back_until_something_has_come(transactions):
    transaction = invited(transactions)
    assert transactions.cancel(transaction, 0.1, (Reason.parse("SIP;cause=200"),)) == []
    told, cancel = transactions.receive(answer(transaction, 100), UDP, 1)
    assert isinstance(told, Answered)
    (message,) = sent([cancel])
    assert message.start_line == CANCEL
    assert message.headers.all("Reason") == ["SIP;cause=200"]
    # Once is enough.
    assert statuses(transactions.receive(answer(transaction, 180), UDP, 1)) == [180]
    assert first_lines(transactions.receive(answer(transaction, 180), UDP, 1)) == []


@pytest.mark.parametrize("status", [200, 486])
def test_a_cancel_is_not_needed_once_there_is_an_answer(transactions, status):
    transaction = invited(transactions)
    transactions.cancel(transaction, 0)
    effects = transactions.receive(answer(transaction, status), UDP, 1)
    assert CANCEL not in first_lines(effects)
    assert transactions.cancel(transaction, 2) == []


def test_a_cancel_belongs_to_its_invite(transactions):
    request = asked("INVITE")
    request.headers.add("Route", "<sip:proxy.example.com;lr>")
    request.headers.add("Proxy-Require", "foo")
    transaction, _ = transactions.request(request, UDP, 0)
    transactions.receive(answer(transaction, 180), UDP, 0)
    (cancel,) = sent(transactions.cancel(transaction, 1))
    assert cancel.start_line == CANCEL
    assert cancel.headers.all("Via") == [str(transaction.request.via[0])]
    assert cancel.headers.all("Route") == ["<sip:proxy.example.com;lr>"]
    for name in ("From", "To", "Call-ID"):
        assert cancel.headers.all(name) == request.headers.all(name)
    assert str(cancel.cseq) == "1 CANCEL"
    assert cancel.proxy_require == ()


def test_a_cancel_is_sent_again_until_it_is_answered_and_its_answer_is_told_nobody(transactions):
    transaction = invited(transactions, 180)
    (cancel,) = transactions.cancel(transaction, 1)
    assert transactions.timer(1.5) == [cancel]
    (message,) = sent([cancel])
    assert transactions.receive(message.response(200), UDP, 2) == []
    assert transactions.timer(2.5) == []
    assert statuses(transactions.receive(answer(transaction, 487), UDP, 3)) == [487]


def test_cancelling_twice_sends_one_cancel(transactions):
    transaction = invited(transactions, 180)
    assert len(transactions.cancel(transaction, 1)) == 1
    assert transactions.cancel(transaction, 2) == []


def test_a_cancelled_invite_that_gets_no_answer_ends_after_32_s(transactions):
    transaction = invited(transactions, 180)
    (cancel,) = transactions.cancel(transaction, 100)
    transactions.receive(sent([cancel])[0].response(200), UDP, 100)
    transactions.timer(131.9)
    assert transactions.timer(132) == [Failed(transaction, Why.TIMEOUT)]
    assert len(transactions) == 0


def test_a_cancel_that_nobody_answers_fails_the_invite_alone(transactions):
    transaction = invited(transactions, 180)
    transactions.cancel(transaction, 0)
    effects = [effect for at in range(40) for effect in transactions.timer(at)]
    told = [effect for effect in effects if not isinstance(effect, Send)]
    assert told == [Failed(transaction, Why.TIMEOUT)]
    assert len(transactions) == 0


def test_a_late_provisional_response_does_not_prolong_what_is_cancelled(transactions):
    transaction = invited(transactions, 180)
    transactions.cancel(transaction, 0)
    transactions.receive(answer(transaction, 183), UDP, 31)
    assert Failed(transaction, Why.TIMEOUT) in transactions.timer(32)


def test_of_an_invite_that_was_cancelled_and_refused_its_user_is_let_go(transactions):
    transaction = invited(transactions, 180)
    transactions.cancel(transaction, 1)

    def hears(_: Response) -> None:
        raise AssertionError("its user is told by effects")

    user = weakref.ref(hears)
    transaction.answered = hears
    del hears
    transactions.receive(answer(transaction, 487), UDP, 2)
    assert user() is not None
    del transaction
    assert user() is None
