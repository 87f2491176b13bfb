"""INFO of one side for the other, as it was before RFC 6086 gave it packages: key presses, video refresh."""

from __future__ import annotations

from sip.call.leg import Leg
from sip.message.message import Response
from sip.transaction.machine import ServerTransaction

_KINDS = frozenset(
    {"application/dtmf-relay", "application/dtmf", "application/media_control+xml", "application/hook-flash"}
)
_LONGEST = 1_000
"Bytes of a body."


def pass_on(leg: Leg, other: Leg, transaction: ServerTransaction) -> None:
    """Asks `other` what `leg` has asked, and answers with what it says."""
    request = transaction.request
    if request.headers.get("Info-Package") is not None:
        # RFC 6086 §4.2.2: none is agreed upon.
        leg.refuse(transaction, 469)
        return
    kind = request.content_type
    if request.body and (kind is None or kind.essence not in _KINDS or len(request.body) > _LONGEST):
        leg.refuse(transaction, 415, headers=[("Accept", ", ".join(sorted(_KINDS)))])
        return

    def heard(response: Response) -> None:
        leg.refuse(transaction, response.status)

    info = other.request("INFO")
    if kind is not None:
        info.content_type, info.body = kind, request.body
    other.ask(info, heard)
