"""Flows and messages that the tests of transactions share."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field

from sip.message.message import Request, Response
from sip.message.parser import parse_datagram
from sip.transaction.effects import Answered, Effect, NewRequest, Reply, Send
from sip.transaction.ended import Ended
from sip.transaction.machine import ClientTransaction, ServerTransaction
from sip.transaction.transactions import Transactions
from sip.transport.flow import Address, Transport
from tests.sip.message.messages import wire


@dataclass(frozen=True)
class Way:
    """A flow that nobody sends on: effects say what would be sent."""

    transport: Transport = Transport.UDP
    local: Address = field(default=Address("192.0.2.1", 5060))
    remote: Address = field(default=Address("198.51.100.7", 5062))
    is_open: bool = True

    def send(self, data: bytes) -> bool:
        raise AssertionError("transactions send nothing by themselves")


UDP = Way()
TCP = Way(Transport.TCP)
ELSEWHERE = Way(remote=Address("203.0.113.9", 5062))

ANY_BRANCH = "z9hG4bK1503467461"


def made(
    method: str = "OPTIONS",
    *,
    branch: str | None = ANY_BRANCH,
    cseq: int = 1,
    from_tag: str = "2042462017",
    to_tag: str = "",
    call_id: str | None = None,
    sent_by: str = "192.168.1.20:5062",
    cseq_method: str = "",
) -> Request:
    """A request as it comes from a phone."""
    message = parse_datagram(
        wire(
            f"""
{method} sip:600@pbx.example.com SIP/2.0
Via: SIP/2.0/UDP {sent_by}{f";branch={branch}" if branch else ""};rport=5062;received=198.51.100.7
From: <sip:101@pbx.example.com>{f";tag={from_tag}" if from_tag else ""}
To: <sip:600@pbx.example.com>{f";tag={to_tag}" if to_tag else ""}
Call-ID: {call_id or f"of-{branch}@192.168.1.20"}
CSeq: {cseq} {cseq_method or method}
Contact: <sip:101@192.168.1.20:5062>
Max-Forwards: 70
"""
        )
    )
    assert isinstance(message, Request)
    return message


def asked(method: str = "OPTIONS") -> Request:
    """A request of ours, before it has a Via."""
    request = made(method)
    request.headers.remove("Via")
    return request


def served(
    transactions: Transactions, request: Request, flow: Way = UDP, now: float = 0
) -> ServerTransaction:
    """The transaction of a request that has just come."""
    match transactions.receive(request, flow, now):
        case [NewRequest() as new]:
            return transactions.serve(new, now)
        case other:
            raise AssertionError(f"not a new request: {other}")


def data(effects: list[Effect]) -> list[bytes]:
    """What is sent, whichever way."""
    return [each.data for each in effects if isinstance(each, Send | Reply)]


def sent(effects: list[Effect]) -> list[Request | Response]:
    """The messages among effects."""
    messages = [parse_datagram(each) for each in data(effects)]
    return [message for message in messages if message is not None]


def first_lines(effects: list[Effect]) -> list[str]:
    """The start lines of what is sent, which say enough mostly."""
    return [message.start_line for message in sent(effects)]


def statuses(effects: list[Effect]) -> list[int]:
    """Of the responses that are told."""
    return [each.response.status for each in effects if isinstance(each, Answered)]


def answer(transaction: ClientTransaction, status: int, to_tag: str | None = "as83f1") -> Response:
    """What the peer answers to a request of ours."""
    return transaction.request.response(status, to_tag=None if status == 100 else to_tag)


def objects() -> int:
    """How many there are that the collector looks at."""
    gc.collect()
    return len(gc.get_objects())


def assert_nothing_is_left(transactions: Transactions) -> None:
    """No transaction, nothing that waits, and nothing in any table that finds one."""
    assert len(transactions) == 0
    assert transactions.deadline is None
    tables = {
        name: value
        for each in (transactions, transactions._resting)
        for name, value in vars(each).items()
        if isinstance(value, dict | Ended)
    }
    assert len(tables) >= 10
    assert not any(map(len, tables.values())), tables
