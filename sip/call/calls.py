"""All calls: what comes finds its leg, and what is due is done (RFC 3261 §12.2.2).

The driver performs the effects of each method, and calls `timer` at `deadline`. Times are loop time, in
seconds. Requests are handed over as transactions, so that each is here once, however often it came.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sip.call.board import HOPS, Board, Places, Present, Refer, leg_key
from sip.call.call import Call
from sip.call.errors import NoDialog, TooManyCalls
from sip.call.incoming import IncomingLeg
from sip.call.replacing import Taker, find_replaced
from sip.call.ringing import Caller, Ringing
from sip.call.story import EndedBy, Tell
from sip.call.transfer import Transfer
from sip.call.wire import Fit, Held, Wire
from sip.errors import SipError
from sip.message.message import Request
from sip.message.values import Replaces
from sip.tags import new_tag
from sip.transaction.effects import Effect
from sip.transaction.machine import ServerTransaction
from sip.transaction.server_invite import InviteServer
from sip.transaction.transactions import Transactions
from sip.transport.flow import Flow


class TooManyHops(SipError):
    """It has been passed on too often, perhaps in a circle (§21.4.21)."""

    code = "too-many-hops"
    status = 483


class Calls:
    """Every call of a process."""

    def __init__(
        self,
        transactions: Transactions,
        places: Places,
        tell: Tell,
        refer: Refer,
        fit: Fit | None = None,
        present: Present = lambda line, _: Caller(line),
        *,
        most: int = 5_000,
    ) -> None:
        """`most` calls may be under way."""
        self._transactions = transactions
        self._wire = Wire(transactions, fit)
        self._board = Board(self._wire, places, tell, refer, present)
        self._most = most

    def __len__(self) -> int:
        return len(self._board.calls)

    @property
    def legs(self) -> int:
        """How many dialogs there are, those included that are only waiting for the answer to their BYE."""
        return len(self._board.legs)

    @property
    def live(self) -> Iterable[Call]:
        """Those that are under way."""
        return self._board.calls.values()

    @property
    def deadline(self) -> float | None:
        """When `timer` is to be called; None: nothing waits."""
        return self._wire.deadline

    def begin(
        self,
        invite: ServerTransaction,
        aor: str,
        dialled: str,
        ringing: Ringing,
        now: float,
        id: UUID | None = None,
    ) -> list[Effect]:
        """The line `aor` calls; `ringing` says whom. Raises `SipError` where nothing can come of it.

        `id` is the call's, where it is to be known before.
        """
        self._wire.now = now
        if _is_given_up(invite):
            # While it was thought about whom to ring.
            return self._transactions.respond(invite, invite.request.response(487, to_tag=new_tag()), now)
        self._make_room()
        asked = invite.request.max_forwards
        hops = HOPS if asked is None else min(asked, HOPS) - 1
        if hops < 0:
            raise TooManyHops("it has come too far")
        leg = IncomingLeg(self._board, invite, aor)
        call = Call.incoming(self._board, leg, dialled, ringing, hops, id)
        call.start()
        return self._wire.take()

    def take_over(
        self, invite: ServerTransaction, replaces: Replaces, taker: Taker, now: float
    ) -> list[Effect]:
        """A line wants a dialog of somebody else for its own. Raises `SipError` where it does not get it."""
        self._wire.now = now
        if _is_given_up(invite):
            return self._transactions.respond(invite, invite.request.response(487, to_tag=new_tag()), now)
        self._make_room()
        replaced = find_replaced(self._board, replaces, taker)
        replaced.give_to(self._board, IncomingLeg(self._board, invite, taker.aor), taker)
        return self._wire.take()

    def _make_room(self) -> None:
        if len(self) >= self._most:
            raise TooManyCalls(f"{self._most} calls are under way")

    def knows(self, request: Request, flow: Flow) -> bool:
        """Whether a request is in a dialog of a call, and its peer is believed to speak by `flow`."""
        leg = self._board.legs.get(leg_key(request))
        return leg is not None and leg.speaks_by(flow)

    def line_of(self, request: Request) -> str | None:
        """The line whose phone a request in a dialog must be from; None: it is in none, or in a gateway's."""
        leg = self._board.legs.get(leg_key(request))
        return leg.aor if leg is not None and leg.is_line else None

    def receive(self, transaction: ServerTransaction, now: float) -> list[Effect]:
        """A request has come in a dialog of a call. Raises `SipError` where it can't be done."""
        self._wire.now = now
        leg = self._board.legs.get(leg_key(transaction.request))
        if leg is None:
            raise NoDialog("the call is over")
        leg.receive(transaction)
        return self._wire.take()

    def take(self, effect: Effect, now: float) -> list[Effect]:
        """Something that the transactions tell, if it is about a call."""
        self._wire.now = now
        self._wire.hear(effect, self._acknowledged)
        return self._wire.take()

    def _acknowledged(self, ack: Request) -> None:
        if (leg := self._board.legs.get(leg_key(ack))) is not None:
            leg.acknowledged(ack)

    def timer(self, now: float) -> list[Effect]:
        """Does what is due by `now`."""
        self._wire.now = now
        self._wire.ring()
        return self._wire.take()

    def send(self, held: Held, flow: Flow, now: float) -> list[Effect]:
        """It is known by which flow a large request goes; if anybody still wants it sent."""
        self._wire.now = now
        self._wire.send(held, flow)
        return self._wire.take()

    def forward(self, transfer: Transfer, dialled: str, ringing: Ringing, now: float) -> list[Effect]:
        """It is known whom a transfer to `dialled` rings; if anybody still wants to know."""
        self._wire.now = now
        if transfer.is_waiting:
            ringing = transfer.presented(ringing)
            call = Call(self._board, transfer, transfer.leg, dialled, ringing, id=transfer.id)
            transfer.goes_on(call)
            call.start()
        return self._wire.take()

    def refuse(self, transfer: Transfer, status: int, now: float) -> list[Effect]:
        """Nobody is rung for a transfer."""
        self._wire.now = now
        if transfer.is_waiting:
            transfer.turn_down(status)
        return self._wire.take()

    def close(self, now: float) -> list[Effect]:
        """Hangs up on everybody."""
        self._wire.now = now
        # The newest first: what becomes of a call that is passed on is told by that which it becomes.
        for call in reversed(list(self._board.calls.values())):
            call.end(EndedBy.STOPPED, status=503)
        for leg in list(self._board.legs.values()):
            # Those between two calls.
            if leg.user is not None and not leg.is_over:
                leg.user.lost(leg)
        return self._wire.take()

    def part(self, now: float) -> list[Effect]:
        """Says at last to all on whom `close` has hung up what it could not say at once."""
        self._wire.now = now
        for leg in list(self._board.legs.values()):
            leg.part()
        return self._wire.take()

    def hang_up(self, call: UUID, now: float) -> list[Effect]:
        """Ends a call from outside; one that is over stays so."""
        self._wire.now = now
        if (found := self._board.calls.get(call)) is not None:
            found.end(EndedBy.OPERATOR, status=480)
        return self._wire.take()


def _is_given_up(invite: ServerTransaction) -> bool:
    """Whether its caller waits no longer, or never wanted to (§13.3.1)."""
    return (isinstance(invite, InviteServer) and invite.is_cancelled) or invite.request.expires_s == 0
