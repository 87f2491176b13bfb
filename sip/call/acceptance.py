"""A 2xx to an INVITE, which is sent again until its ACK comes, on any transport (RFC 3261 §13.3.1.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sip.call.wire import Wire
from sip.message.message import Request, Response
from sip.transaction.machine import ServerTransaction

_T1_S = 0.5
_T2_S = 4.0
_GIVE_UP_S = 64 * _T1_S

Acknowledged: TypeAlias = Callable[[Request | None], None]
"Is told the ACK, once; None: it has never come."


class Acceptance:
    """From the 2xx to its ACK."""

    def __init__(
        self, wire: Wire, transaction: ServerTransaction, response: Response, acknowledged: Acknowledged
    ) -> None:
        self._wire = wire
        self._transaction = transaction
        self._response = response
        self._acknowledged = acknowledged
        self._gives_up_at = wire.now + _GIVE_UP_S
        self._interval_s = _T1_S
        wire.respond(transaction, response)
        self._again = wire.alarm(self._interval_s, self._send_again)

    def receive(self, ack: Request) -> bool:
        """Whether this is the ACK that was waited for."""
        if not self._again.is_set or ack.cseq.number != self._transaction.request.cseq.number:
            return False
        self._again.cancel()
        self._acknowledged(ack)
        return True

    def give_up(self) -> None:
        """Waits no longer: as if the ACK had never come."""
        self._again.cancel()
        self._acknowledged(None)

    def _send_again(self) -> None:
        left_s = self._gives_up_at - self._wire.now
        if left_s <= 0:
            self._acknowledged(None)
            return
        self._wire.respond(self._transaction, self._response)
        self._interval_s = min(2 * self._interval_s, _T2_S, left_s)
        self._again = self._wire.alarm(self._interval_s, self._send_again)
