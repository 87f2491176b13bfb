"""What transactions want done: to be sent, or to be told to their user (RFC 3261 §17)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from sip.message.message import Request, Response
from sip.transport.flow import Flow

if TYPE_CHECKING:
    from sip.transaction.machine import ClientTransaction, Machine, ServerTransaction


class Why(StrEnum):
    """Why a transaction has failed."""

    TIMEOUT = "timeout"
    "The peer has been silent for too long: to the user of a request as good as a 408 (§8.1.3.1)."
    TRANSPORT = "transport"
    "The flow is closed: as good as a 503."


@dataclass(frozen=True, slots=True)
class Send:
    """To be sent as it is: a request, or an answer by the flow that `serve` was given."""

    flow: Flow
    data: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is ready, to be sent the way that the request's Via says (§18.2.2)."""

    request: Request
    flow: Flow
    "By which the request came."
    data: bytes


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request of no known transaction. It has left no trace: `Transactions.serve` makes its transaction."""

    request: Request
    flow: Flow
    key: str
    "What its retransmissions are known by (§17.2.3)."


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that nobody is to serve, and its answer, which is sent without a transaction (§8.2.7)."""

    request: Request
    flow: Flow
    response: Response


@dataclass(frozen=True, slots=True)
class Cancelled:
    """An INVITE without final response is not wanted any more. Its CANCEL has a 200; it is to get a 487."""

    transaction: ServerTransaction
    cancel: Request


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An ACK of a 2xx, or of something that left no trace: a dialog knows it, or nobody (§13.3.1.4)."""

    request: Request
    flow: Flow


@dataclass(frozen=True, slots=True)
class Answered:
    """A response. Every 2xx of an INVITE is told: further ones, and those of other branches (§13.2.2.4)."""

    transaction: ClientTransaction
    response: Response


@dataclass(frozen=True, slots=True)
class Failed:
    """The transaction has ended without what it waited for: a final response, or the ACK of a refusal."""

    transaction: Machine
    "A client's or a server's."
    why: Why


@dataclass(frozen=True, slots=True)
class Stray:
    """A response of no known transaction. A 2xx of an INVITE may belong to a dialog; others mean nothing."""

    response: Response
    flow: Flow


Effect: TypeAlias = Send | Reply | NewRequest | Refused | Cancelled | Acknowledged | Answered | Failed | Stray
