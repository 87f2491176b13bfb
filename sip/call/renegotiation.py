"""One side of an answered call wants the session changed: the other is asked, and its answer goes back.

Hold and resume are no more than this (RFC 5359 §2.1): whoever holds offers another direction.
"""

from __future__ import annotations

from collections.abc import Callable

from sip.call.errors import Glare
from sip.call.leg import Leg
from sip.call.peer import PASSED_ON
from sip.call.session import readable_session, session_of
from sip.call.story import EndedBy
from sip.message.message import Request, Response
from sip.transaction.machine import ServerTransaction


def renegotiate(
    leg: Leg, other: Leg, transaction: ServerTransaction, failed: Callable[[EndedBy], None]
) -> None:
    """Passes an INVITE or UPDATE of `leg` on to `other`; `failed`: the two have no session any more.

    Raises `SipError` where it can't be asked now.
    """
    offer = session_of(transaction.request)
    if other.is_busy:
        raise Glare("the other side is changing the session, too")
    is_answered = False

    def acknowledged(ack: Request | None) -> None:
        if ack is None:
            failed(EndedBy.VANISHED)
        elif offer is None:
            # The other side has offered, and this is the answer.
            if (answer := readable_session(ack)) is None:
                failed(EndedBy.FAILED)
            else:
                other.acknowledge(answer)

    def heard(response: Response) -> None:
        nonlocal is_answered
        if response.status < 200 or is_answered:
            return
        is_answered = True
        if response.status >= 300:
            leg.refuse(transaction, response.status if response.status in PASSED_ON else 488)
            return
        description = readable_session(response)
        if offer is not None:
            other.acknowledge()
        if description is None:
            leg.refuse(transaction, 488)
            failed(EndedBy.FAILED)
        else:
            leg.accept(transaction, description, acknowledged)

    takes_updates = "UPDATE" in other.allows
    method = "UPDATE" if transaction.request.method == "UPDATE" and takes_updates else "INVITE"
    other.offer(offer, heard, method)
