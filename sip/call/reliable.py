"""Provisional responses that are sent again until their PRACK comes (RFC 3262 §3)."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable

from sip.call.wire import Alarm, Wire
from sip.message.message import Request, Response
from sip.transaction.machine import ServerTransaction

TAG = "100rel"
"Its option tag (§7)."

_T1_S = 0.5
_GIVE_UP_S = 64 * _T1_S
_MOST_FIRST = 2**31 - 1
_MOST_WAITING = 10


class Reliably:
    """Those to one INVITE: one at a time, each with the next number."""

    def __init__(self, wire: Wire, transaction: ServerTransaction, gives_up: Callable[[], None]) -> None:
        """`gives_up` is called where a PRACK has never come: the INVITE is to be refused."""
        self._wire = wire
        self._transaction = transaction
        self._gives_up = gives_up
        self._number = secrets.randbelow(_MOST_FIRST)
        self._waiting: deque[Response] = deque()
        "Those that come after the PRACK of the one before."
        self._sent: Response | None = None
        "The one that has no PRACK yet."
        self._again: Alarm | None = None
        self._gives_up_at = 0.0
        self._interval_s = _T1_S
        self._then: Callable[[], None] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether a PRACK is still to come."""
        return self._sent is not None

    def say(self, response: Response) -> None:
        """Sends a provisional response, now or after those before it."""
        if self._sent is not None:
            if len(self._waiting) < _MOST_WAITING:
                self._waiting.append(response)
            return
        self._number += 1
        response.headers.add("Require", TAG)
        response.rseq = self._number
        self._sent = response
        self._gives_up_at = self._wire.now + _GIVE_UP_S
        self._interval_s = _T1_S
        self._wire.respond(self._transaction, response)
        self._again = self._wire.alarm(self._interval_s, self._send_again)

    def expects(self, prack: Request) -> bool:
        """Whether a PRACK is the one that is waited for. It stays so until `acknowledged`."""
        rack = prack.rack
        return (
            self._sent is not None
            and rack is not None
            and (rack.rseq, rack.cseq) == (self._sent.rseq, self._transaction.request.cseq)
        )

    def acknowledged(self) -> None:
        """The PRACK that was waited for has its answer."""
        self._rest()
        self._sent = None
        if (then := self._then) is not None:
            self._then = None
            then()
        elif self._waiting:
            self.say(self._waiting.popleft())

    def settle(self, then: Callable[[], None]) -> None:
        """Calls `then`, which accepts the INVITE, when that may be done.

        It waits for the PRACK of a session description: what that says is agreed upon first.
        """
        self._waiting.clear()
        if self._sent is not None and self._sent.body:
            self._then = then
        else:
            self._rest()
            then()

    def stop(self) -> None:
        """The INVITE has been refused, or its dialog is over: nothing of it is sent any more."""
        self._waiting.clear()
        self._then = None
        self._gives_up = lambda: None
        self._rest()

    def _rest(self) -> None:
        if self._again is not None:
            self._again.cancel()

    def _send_again(self) -> None:
        if self._sent is None:
            return
        left_s = self._gives_up_at - self._wire.now
        if left_s <= 0:
            gives_up = self._gives_up
            self.stop()
            gives_up()
            return
        self._wire.respond(self._transaction, self._sent)
        self._interval_s = min(2 * self._interval_s, left_s)
        self._again = self._wire.alarm(self._interval_s, self._send_again)
