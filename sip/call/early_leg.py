"""What is agreed upon with a phone that only rings (RFC 3262 §5), and how that is changed (RFC 3311 §5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sip.call.board import Board, LegKey
from sip.call.early import EarlyDialog, EarlyDialogs
from sip.call.errors import Glare, NotYet
from sip.call.leg import Leg
from sip.call.peer import Agreed
from sip.call.session import SDP, readable_session, session_of, silence
from sip.call.session_timer import check_interval
from sip.message.message import Response
from sip.message.sdp import SessionDescription
from sip.transaction.machine import ServerTransaction
from sip.transport.flow import Flow

Changes: TypeAlias = Callable[[SessionDescription, Agreed], None]
"Offers another session to who hears the phone."


class EarlyLeg(Leg):
    """An INVITE of ours, as long as nobody has answered it."""

    _early: EarlyDialogs

    def __init__(self, board: Board, flow: Flow, aor: str, key: LegKey, *, has_offered: bool) -> None:
        """`has_offered`: the INVITE has a session description."""
        super().__init__(board, flow, aor, key)
        self._has_offered = has_offered
        self._agreeing: EarlyDialog | None = None
        "With whom the session is agreed upon before somebody answers."
        self._changes: Changes | None = None
        "None: nobody hears it yet, or any more, who could be offered something else."

    @property
    def has_agreed(self) -> bool:
        """Whether the session was agreed upon before anybody answered."""
        return self._agreeing is not None and self._agreeing.owes is None

    @property
    def owes_answer(self) -> bool:
        """Whether it has offered something that waits for `answer_early`."""
        return self._agreeing is not None and self._agreeing.owes is not None

    def is_heard(self, changes: Changes) -> None:
        """Somebody was told reliably what was agreed upon. `changes`: is told what else the phone offers."""
        self._changes = changes

    def answer_early(self, answer: SessionDescription | None) -> None:
        """Takes the offer that it has made before answering; None: takes nothing of it."""
        early = self._agreeing
        if early is None or early.owes is None or self.dialog is not None:
            return
        body = self.told.tell(silence(early.agreed) if answer is None else answer)
        self._prack(early, early.owes, body)
        early.owes = None

    def offer_early(self, offer: SessionDescription, agreed: Agreed) -> None:
        """Offers another session to who rings."""
        early = self._agreeing
        if early is not None and (early.is_offered or early.has_offered):
            agreed(Glare.status)
            return
        if early is None or early.owes is not None or self.dialog is not None or "UPDATE" not in self.allows:
            agreed(488)
            return
        early.is_offered = True

        def heard(answer: SessionDescription | int) -> None:
            early.is_offered = False
            if not isinstance(answer, int):
                early.agreed = answer
            agreed(answer)

        self._offer_in(early.dialog, offer, heard)

    def _updated_early(self, transaction: ServerTransaction, early: EarlyDialog) -> None:
        """Who rings says where it is now, or wants another session than was agreed upon."""
        request = transaction.request
        check_interval(request)
        offer = session_of(request)
        early.dialog.receive(request)
        self.heard(request)
        self.flow = transaction.flow
        if offer is None:
            self._wire.respond(transaction, self._establishing(transaction, 200))
        elif early.is_offered or (self._has_offered and early.agreed is None):
            raise Glare("what it was offered has no answer yet (RFC 3311 §5.2)")
        elif early.has_offered or early.owes is not None:
            raise NotYet("the offer before it has no answer yet (RFC 3311 §5.2)")
        elif early is not self._agreeing or self._changes is None:
            # Nobody has heard what it said before, or not so that it could be changed.
            self.refuse(transaction, 488)
        else:
            self._offered_early(transaction, early, offer, self._changes)

    def _offered_early(
        self, asked: ServerTransaction, early: EarlyDialog, offer: SessionDescription, changes: Changes
    ) -> None:
        def agreed(answer: SessionDescription | int) -> None:
            early.has_offered = False
            if isinstance(answer, int):
                # What was agreed upon before stays so.
                self.refuse(asked, answer)
                return
            early.agreed = offer
            response = self._establishing(asked, 200)
            response.content_type, response.body = SDP, self.told.tell(answer)
            self._wire.respond(asked, response)

        early.has_offered = True
        changes(offer, agreed)

    def _thanks(self, response: Response) -> bool:
        """Thanks for a reliable provisional response; False: it is to be passed over."""
        early = self._early.take(response)
        if early is None:
            return False
        description = readable_session(response)
        if description is not None and early.agreed is None:
            self._agreeing, early.agreed = early, description
            if not self._has_offered:
                early.owes = response
                return True
        self._prack(early, response)
        return True

    def _prack(self, early: EarlyDialog, response: Response, answer: bytes = b"") -> None:
        # One that gets lost for good ends the INVITE: that is for the phone to say (§3).
        self._wire.request(early.prack(response, answer), self.flow, lambda _: None)

    def _forget(self) -> None:
        super()._forget()
        self._changes = None
