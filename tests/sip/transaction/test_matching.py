"""Which transaction a message belongs to (RFC 3261 §17.2.3, §9.2, §8.2.2.2)."""

from __future__ import annotations

import pytest

from sip.message.parser import parse_datagram
from sip.transaction.effects import Acknowledged, Cancelled, NewRequest, Refused, Reply
from sip.transaction.errors import MergedRequest
from sip.transaction.transactions import Transactions
from sip.transport.flow import Address
from tests.sip.message.messages import vector
from tests.sip.transaction.messages import ELSEWHERE, TCP, UDP, Way, data, first_lines, made, sent, served

BRANCHES = pytest.mark.parametrize(
    "branch", ["z9hG4bK1503467461", "1", None, "z9hG4bK"], ids=["rfc3261", "rfc2543", "none", "cookie-alone"]
)


@pytest.fixture
def transactions():
    return Transactions()


def is_new(effects):
    return len(effects) == 1 and isinstance(effects[0], NewRequest)


# Requests


@BRANCHES
@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_a_retransmission_is_known(transactions, method, branch):
    transaction = served(transactions, made(method, branch=branch))
    assert transactions.receive(made(method, branch=branch), UDP, 0) == []
    effects = transactions.respond(transaction, transaction.request.response(486, to_tag="b"), 0)
    assert data(transactions.receive(made(method, branch=branch), UDP, 0)) == data(effects)


@pytest.mark.parametrize(
    "other",
    [
        made("MESSAGE", call_id="a"),
        made(branch="z9hG4bKother", call_id="b"),
        made(sent_by="192.168.1.21:5062", call_id="c"),
        made(sent_by="192.168.1.20:5063", call_id="d"),
    ],
    ids=["method", "branch", "host", "port"],
)
def test_another_method_branch_or_sent_by_is_another_request(transactions, other):
    served(transactions, made())
    assert is_new(transactions.receive(other, UDP, 0))


def test_the_rest_of_a_request_with_a_unique_branch_is_not_compared(transactions):
    served(transactions, made())
    assert transactions.receive(made(call_id="another", cseq=7, from_tag="x", to_tag="y"), UDP, 0) == []


def test_the_host_of_sent_by_is_compared_without_regard_to_case(transactions):
    served(transactions, made(sent_by="Phone.example.com"))
    assert transactions.receive(made(sent_by="phone.example.com"), UDP, 0) == []


def test_behind_another_address_the_same_branch_and_sent_by_are_another_phone(transactions):
    served(transactions, made("REGISTER"))
    assert is_new(transactions.receive(made("REGISTER"), ELSEWHERE, 0))


def test_a_nat_that_changes_the_port_does_not_make_it_another_phone(transactions):
    served(transactions, made())
    moved = Way(remote=Address(UDP.remote.host, 40_000))
    assert transactions.receive(made(), moved, 0) == []


@pytest.mark.parametrize(
    "other",
    [
        made(branch="1", call_id="a", cseq=2),
        made(branch="1", call_id="b"),
        made(branch="1", call_id="a", from_tag="x"),
        made(branch="1", call_id="a", to_tag="x"),
        made(branch="1", call_id="a", method="MESSAGE"),
        made(branch="2", call_id="a"),
    ],
    ids=["cseq", "call-id", "from-tag", "to-tag", "method", "via"],
)
def test_of_a_peer_of_rfc_2543_all_is_compared(transactions, other):
    served(transactions, made(branch="1", call_id="a"))
    assert transactions.receive(other, UDP, 0) != []


def test_of_a_peer_of_rfc_2543_the_request_uri_is_compared(transactions):
    served(transactions, made(branch="1"))
    other = made(branch="1", to_tag="")
    other.uri_text = "sip:601@pbx.example.com"
    assert transactions.receive(other, UDP, 0) != []


def test_a_message_of_rfc_2543_without_branch_is_served_once(transactions):
    request = parse_datagram(vector("rfc4475", "inv2543"))
    transaction = served(transactions, request)
    effects = transactions.respond(transaction, request.response(486, to_tag="b"), 0)
    again = transactions.receive(parse_datagram(vector("rfc4475", "inv2543")), UDP, 1)
    assert data(again) == data(effects)


# ACK


@BRANCHES
def test_the_ack_of_a_refusal_is_absorbed(transactions, branch):
    transaction = served(transactions, made("INVITE", branch=branch))
    transactions.respond(transaction, transaction.request.response(486, to_tag="b"), 0)
    assert transactions.receive(made("ACK", branch=branch, to_tag="b"), UDP, 1) == []
    assert transactions.timer(1) == []
    transactions.timer(6)
    assert len(transactions) == 0
    # And nothing of it is left.
    ack = made("ACK", branch=branch, to_tag="b")
    assert transactions.receive(ack, UDP, 7) == [Acknowledged(ack, UDP)]


@BRANCHES
def test_the_ack_of_a_2xx_is_told(transactions, branch):
    transaction = served(transactions, made("INVITE", branch=branch))
    transactions.respond(transaction, transaction.request.response(200, to_tag="b"), 0)
    ack = made("ACK", branch=branch, to_tag="b")
    assert transactions.receive(ack, UDP, 1) == [Acknowledged(ack, UDP)]


def test_of_a_peer_of_rfc_2543_an_ack_with_the_tag_of_another_answer_is_not_absorbed(transactions):
    transaction = served(transactions, made("INVITE", branch=None))
    transactions.respond(transaction, transaction.request.response(486, to_tag="b"), 0)
    ack = made("ACK", branch=None, to_tag="of-another-server")
    assert transactions.receive(ack, UDP, 1) == [Acknowledged(ack, UDP)]


def test_an_ack_of_nothing_leaves_no_trace(transactions):
    ack = made("ACK")
    assert transactions.receive(ack, UDP, 0) == [Acknowledged(ack, UDP)]
    assert len(transactions) == 0


# CANCEL


@BRANCHES
def test_a_cancel_gets_200_and_the_invite_is_to_get_487(transactions, branch):
    transaction = served(transactions, made("INVITE", branch=branch))
    transactions.respond(transaction, transaction.request.response(180, to_tag="b"), 0)
    cancel = made("CANCEL", branch=branch)
    answer, told = transactions.receive(cancel, UDP, 1)
    (response,) = sent([answer])
    assert (response.status, str(response.cseq), response.to.tag) == (200, "1 CANCEL", "b")
    assert told == Cancelled(transaction, cancel)
    effects = transactions.respond(transaction, transaction.request.response(487, to_tag="b"), 1)
    assert first_lines(effects) == ["SIP/2.0 487 Request Terminated"]


def test_a_cancel_that_comes_again_gets_the_same_answer_and_is_not_told_again(transactions):
    served(transactions, made("INVITE"))
    answer, _ = transactions.receive(made("CANCEL"), UDP, 1)
    assert transactions.receive(made("CANCEL"), UDP, 2) == [answer]
    assert isinstance(answer, Reply)


def test_a_second_cancel_on_a_reliable_flow_is_not_told_again(transactions):
    served(transactions, made("INVITE"), TCP)
    assert len(transactions.receive(made("CANCEL"), TCP, 1)) == 2
    assert first_lines(transactions.receive(made("CANCEL"), TCP, 2)) == ["SIP/2.0 200 OK"]


@pytest.mark.parametrize("status", [200, 486])
def test_a_cancel_after_the_answer_gets_200_and_changes_nothing(transactions, status):
    transaction = served(transactions, made("INVITE"))
    transactions.respond(transaction, transaction.request.response(status, to_tag="b"), 0)
    assert first_lines(transactions.receive(made("CANCEL"), UDP, 1)) == ["SIP/2.0 200 OK"]
    assert not transaction.is_cancelled


@pytest.mark.parametrize(
    ("cancel", "flow"),
    [(made("CANCEL", branch="z9hG4bKother"), UDP), (made("CANCEL"), ELSEWHERE)],
    ids=["another branch", "another address"],
)
def test_a_cancel_of_nothing_gets_481_and_leaves_no_trace(transactions, cancel, flow):
    served(transactions, made("INVITE"))
    (first,), (again,) = (transactions.receive(cancel, flow, 1) for _ in range(2))
    assert isinstance(first, Refused)
    assert first.response.status == 481
    assert first.response.to.tag
    assert first == again
    assert len(transactions) == 1


def test_a_cancel_of_another_method_than_invite_gets_481(transactions):
    served(transactions, made("OPTIONS"))
    assert transactions.receive(made("CANCEL"), UDP, 1)[0].response.status == 481


# Merged requests


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS", "MESSAGE"])
def test_a_request_that_comes_by_two_ways_is_served_once(transactions, method):
    served(transactions, made(method, call_id="a"))
    (refused,) = transactions.receive(made(method, call_id="a", branch="z9hG4bKother"), ELSEWHERE, 0)
    assert isinstance(refused, Refused)
    assert refused.response.status == 482


def test_copies_that_came_before_the_first_was_served_are_served_once(transactions):
    (first,) = transactions.receive(made("INVITE", call_id="a"), UDP, 0)
    (other,) = transactions.receive(made("INVITE", call_id="a", branch="z9hG4bKother"), UDP, 0)
    transactions.serve(first, 0)
    with pytest.raises(MergedRequest) as caught:
        transactions.serve(other, 0)
    assert caught.value.status == 482


@pytest.mark.parametrize(
    "other",
    [
        made("INVITE", call_id="a", branch="z9hG4bKother", cseq=2),
        made("INVITE", call_id="b", branch="z9hG4bKother"),
        made("INVITE", call_id="a", branch="z9hG4bKother", from_tag="x"),
        made("INVITE", call_id="a", branch="z9hG4bKother", to_tag="x"),
        made("OPTIONS", call_id="a", branch="z9hG4bKother"),
    ],
    ids=["cseq", "call-id", "from-tag", "within a dialog", "method"],
)
def test_only_copies_of_one_request_are_merged(transactions, other):
    served(transactions, made("INVITE", call_id="a"))
    assert is_new(transactions.receive(other, UDP, 0))


def test_a_phone_may_register_by_two_flows_with_one_number(transactions):
    served(transactions, made("REGISTER", call_id="a"))
    assert is_new(transactions.receive(made("REGISTER", call_id="a", branch="z9hG4bKother"), UDP, 0))


def test_when_the_first_is_over_a_copy_is_a_new_request(transactions):
    transaction = served(transactions, made("INVITE", call_id="a"))
    transactions.respond(transaction, transaction.request.response(486, to_tag="b"), 0)
    copy = made("INVITE", call_id="a", branch="z9hG4bKother")
    assert not is_new(transactions.receive(copy, UDP, 1))
    transactions.timer(32)
    assert is_new(transactions.receive(copy, UDP, 33))


# Keys that come back


def test_who_is_woken_for_nothing_leaves_the_one_that_has_its_key_now(transactions):
    first = served(transactions, made("INVITE"), TCP)
    transactions.closed(TCP, 0)
    second = served(transactions, made("INVITE"), TCP, now=0.1)
    transactions.timer(0.2)
    assert transactions.respond(first, first.request.response(180), 0.2) == []
    assert transactions.receive(made("INVITE"), TCP, 0.25) == []
    assert first_lines(transactions.respond(second, second.request.response(180, to_tag="b"), 0.3))
