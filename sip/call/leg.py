"""One INVITE dialog with one peer, from its first answer to its BYE (RFC 3261 §12 to §15).

Both roles are the same here; how a dialog begins is in `incoming` and `outgoing`.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from sip.call.acceptance import Acceptance, Acknowledged
from sip.call.board import Board, LegKey
from sip.call.errors import Glare, NoDialog, NotYet
from sip.call.identity import connect
from sip.call.invitation import Invitation
from sip.call.leg_user import LegUser
from sip.call.peer import Peer
from sip.call.ringing import Caller
from sip.call.session import SDP, session_of
from sip.call.session_timer import SessionTimer, check_interval
from sip.call.wire import Hears
from sip.message.errors import MessageError
from sip.message.message import Request, Response
from sip.message.sdp import SessionDescription
from sip.message.values import Reason
from sip.out_of_dialog import own_uri
from sip.transaction.machine import ServerTransaction
from sip.transport.flow import Flow

_GONE = frozenset({408, 481})
"What a request within a dialog is answered by, or for, whoever does not know it any more (§12.2.1.2)."

_PATIENCE_S = 60.0
"How long a peer may think about another session."


class Leg(Peer):
    """A dialog, and what is under way in it."""

    def __init__(self, board: Board, flow: Flow, aor: str, key: LegKey) -> None:
        super().__init__(board, flow, aor, key)
        self.user: LegUser | None = None
        "None: it isn't established."
        self._invitation: Invitation | None = None
        "Our latest INVITE."
        self._asked: ServerTransaction | None = None
        "The peer's INVITE, while it has no final response."
        self._acceptance: Acceptance | None = None
        "Our 2xx, while it has no ACK."
        self._timer = SessionTimer(board.wire, self._refresh, self._expired)
        self._is_leaving = False
        self._reasons: tuple[Reason, ...] = ()
        "Why we leave."
        board.legs[key] = self

    @property
    def is_busy(self) -> bool:
        """Whether it can't be asked for another session now."""
        return self._is_asking or self._asked is not None or self._acceptance is not None

    @property
    def is_over(self) -> bool:
        """Whether one of the two has hung up."""
        return self._is_leaving

    @property
    def _is_asking(self) -> bool:
        return self._invitation is not None and not self._invitation.has_ended

    # What the peer does

    def receive(self, transaction: ServerTransaction) -> None:
        """A request has come in the dialog, other than ACK and CANCEL. Raises `SipError`."""
        request = transaction.request
        dialog = self._dialog_of(request)
        if dialog is None:
            raise NoDialog("the dialog is not there")
        dialog.receive(request)
        self.heard(request)
        self.flow = transaction.flow
        match request.method:
            case "BYE":
                self._hung_up(transaction, request)
            case "OPTIONS":
                self._wire.respond(transaction, self._response(transaction, 200))
            case _ if self.user is None or self._is_leaving:
                raise NoDialog("it is over, or was never answered")
            case "INVITE":
                self._reinvited(transaction, self.user)
            case "UPDATE":
                self._updated(transaction, self.user)
            case "REFER":
                self.user.refers(self, transaction)
            case "INFO":
                self.user.informs(self, transaction)
            case _:
                self._wire.respond(transaction, self._response(transaction, 405))

    def acknowledged(self, ack: Request) -> None:
        """An ACK has come, of a 2xx or of nothing."""
        if self._acceptance is not None and self._dialog_of(ack) is not None:
            self._acceptance.receive(ack)

    def _hung_up(self, transaction: ServerTransaction, bye: Request) -> None:
        self._wire.respond(transaction, transaction.request.response(200))
        if self._is_leaving:
            return
        user = self.user
        self._end()
        self._forget()
        if user is not None:
            user.hung_up(self, bye.reason)

    def _reinvited(self, transaction: ServerTransaction, user: LegUser) -> None:
        if self._asked is not None:
            raise NotYet("the INVITE before it has no answer yet (§14.2)")
        if self._is_asking or self._acceptance is not None:
            raise Glare("we are changing the session, too (§14.2)")
        check_interval(transaction.request)
        # A CANCEL of it has come too late: the other side may have agreed already (§9.2).
        self._asked = transaction
        try:
            user.renegotiates(self, transaction)
        except Exception:
            self._asked = None
            raise

    def _updated(self, transaction: ServerTransaction, user: LegUser) -> None:
        check_interval(transaction.request)
        if session_of(transaction.request) is None:
            # It says that it is there, or who it is; nothing to agree upon.
            response = self._establishing(transaction, 200)
            self._timer.agree(transaction.request, response)
            self._wire.respond(transaction, response)
        elif self._asked is not None:
            raise NotYet("there is an INVITE under way (RFC 3311 §5.2)")
        elif self._is_asking or self._acceptance is not None:
            raise Glare("we are changing the session, too (RFC 3311 §5.2)")
        else:
            user.renegotiates(self, transaction)

    # What we do

    def accept(
        self,
        transaction: ServerTransaction,
        description: SessionDescription | None,
        acknowledged: Acknowledged = lambda _: None,
        *,
        shown: Caller | None = None,
    ) -> None:
        """Says 200 to an INVITE, UPDATE or PRACK, with an answer, or an offer that the ACK answers.

        `description` is None where all is agreed upon; `shown`: whom it talks to, if not whom it has called.
        """
        response = self._establishing(transaction, 200)
        if shown is not None:
            connect(response, shown, own_uri(self._way))
        if description is not None:
            response.content_type, response.body = SDP, self.told.tell(description)
        if transaction.request.method != "PRACK":
            self._timer.agree(transaction.request, response)
        if transaction.request.method != "INVITE":
            self._wire.respond(transaction, response)
            return

        def done(ack: Request | None) -> None:
            self._acceptance = None
            if self._is_leaving:
                # Its BYE had to wait (§15).
                self._bye()
            else:
                acknowledged(ack)

        self._asked = None
        self._acceptance = Acceptance(self._wire, transaction, response, done)

    def refuse(
        self,
        transaction: ServerTransaction,
        status: int,
        text: str = "",
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Refuses what the peer asked for."""
        response = self._response(transaction, status, text)
        for name, value in headers:
            response.headers.add(name, value)
        if transaction is self._asked:
            self._asked = None
        self._wire.respond(transaction, response)

    def offer(
        self,
        description: SessionDescription | None,
        hears: Hears,
        method: str = "INVITE",
        *,
        shown: Caller | None = None,
    ) -> None:
        """Asks the peer for another session; None: for an offer of its own. A 2xx wants `acknowledge`.

        `shown`: whom it talks to from then on, if that is another.
        """
        body = b"" if description is None else self.told.tell(description)
        request = self.request(method)
        request.contact = (self._contact(),)
        self._timer.ask(request)
        if shown is not None:
            connect(request, shown, own_uri(self._way))
        if body:
            request.content_type, request.body = SDP, body

        def heard(response: Response) -> None:
            if response.status >= 200:
                patience.cancel()
            self._take_note(response)
            if not self._is_leaving and self._timer.is_too_brief(response):
                self.offer(description, hears, method, shown=shown)
            elif self._is_leaving and 200 <= response.status < 300:
                self.acknowledge()
            elif not self._is_leaving:
                hears(response)
                self._lost_by(response)

        # Once it has said that it is at work, nothing else ends an INVITE.
        patience = self._wire.alarm(_PATIENCE_S, self._withdraw)
        if method == "INVITE":
            self._invitation = Invitation(self._wire, request, self._way, heard)
        else:
            self._wire.request(request, self._way, heard)

    def acknowledge(self, answer: SessionDescription | None = None) -> None:
        """Sends the ACK of the 2xx to our latest INVITE, if that is still to be sent."""
        if self._invitation is not None and self.dialog is not None:
            body = b"" if answer is None else self.told.tell(answer)
            self._invitation.acknowledge(self.dialog, self._way, body)

    def ask(self, request: Request, hears: Hears) -> None:
        """Sends a request of `request`, and tells its final response."""

        def heard(response: Response) -> None:
            if response.status >= 200 and not self._is_leaving:
                hears(response)
                self._lost_by(response)

        self._wire.request(request, self._way, heard)

    def leave(self, reasons: Iterable[Reason] = ()) -> None:
        """Hangs up. From now on its user is told nothing."""
        if self._is_leaving:
            return
        self._reasons = tuple(reasons)
        self._end()
        if self._acceptance is None:
            self._bye()

    def part(self) -> None:
        """Says BYE, though the ACK is missing that it waits for (§15): nobody will be here for that."""
        if self._is_leaving and self._acceptance is not None:
            self._acceptance.give_up()

    def _bye(self) -> None:
        # A 2xx that waits for an answer of the other side gets its ACK first: it will never come.
        self.acknowledge()
        bye = self.request("BYE")
        if self._reasons:
            bye.reason = self._reasons
        self._wire.request(bye, self._way, self._has_left)

    def _has_left(self, response: Response) -> None:
        if response.status >= 200:
            self._forget()

    def _end(self) -> None:
        self._is_leaving = True
        self._timer.stop()
        self._withdraw()
        self._refuse_asked()

    def _withdraw(self) -> None:
        """An INVITE that is still not answered isn't wanted any more."""
        if self._invitation is not None:
            self._invitation.cancel()

    def _refuse_asked(self) -> None:
        if self._asked is not None:
            # §15.1.2, §9.2
            self.refuse(self._asked, 487)

    def _lost_by(self, response: Response) -> None:
        if response.status in _GONE and self.user is not None and not self._is_leaving:
            self.user.lost(self)

    # Whether the peer is still there

    def _refresh(self) -> None:
        """Half of the session's time is over: the peer is asked whether it is there (RFC 4028 §10)."""
        if self.is_busy:
            self._timer.again()
        elif "UPDATE" in self.allows:
            update = self.request("UPDATE")
            update.contact = (self._contact(),)
            self._timer.ask(update)
            self.ask(update, self._refreshed)
        else:
            self.offer(self.told.said, self._refreshed)

    def _refreshed(self, response: Response) -> None:
        if 200 <= response.status < 300:
            if response.cseq.method == "INVITE":
                self.acknowledge()
            else:
                self._take_note(response)
        elif response.status >= 300:
            # That it answers is enough, whatever it thinks of our question.
            self._timer.is_too_brief(response)
            self._timer.again()

    def _expired(self) -> None:
        if self.user is not None:
            self.user.lost(self)

    def _take_note(self, response: Response) -> None:
        """Of what the peer says of itself and of the session in an answer to an INVITE or UPDATE."""
        # What it answers counts, whatever can't be read beside that.
        with suppress(MessageError):
            if self.dialog is not None:
                self.dialog.receive_response(response)
            self.heard(response)
        if 200 <= response.status < 300 and not self._is_leaving:
            self._timer.agreed(response)

    def _forget(self) -> None:
        """Nothing comes of it any more. Whom it knows, and who knows it, are let go.

        So that what is left of calls goes at once: the collector would have to look for it in all that lives.
        """
        self._board.legs.pop(self._key, None)
        self._timer.stop()
        self.user = None
        if self._invitation is not None:
            self._invitation.let_go()
            self._invitation = None
