"""Who is at the other end of a dialog of a call: the way there, and what is written to it (RFC 3261 §12)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from sip.call.board import Board, LegKey, capable
from sip.call.ringing import Caller, Target
from sip.call.session import SDP, Told, readable_session
from sip.dialog import Dialog, DialogId, establishing
from sip.message.address import Contact
from sip.message.errors import MessageError
from sip.message.message import Message, Request, Response
from sip.message.sdp import SessionDescription
from sip.message.uri import SipUri
from sip.out_of_dialog import own_uri
from sip.transaction.machine import ServerTransaction
from sip.transport.flow import Flow

Agreed: TypeAlias = Callable[[SessionDescription | int], None]
"Is told the answer to an offer, or the status with which it was refused."

PASSED_ON = frozenset({415, 488, 491, 500, 503, 504, 606})
"Refusals that say the same to one side that they say to us; all others become 488."


class Peer:
    """What is so of it, whatever is under way."""

    def __init__(self, board: Board, flow: Flow, aor: str, key: LegKey) -> None:
        self.aor = aor
        "The line whose phone it is; what a gateway is called."
        self.is_line = True
        "Not, where it is a gateway: that has no password."
        self.flow = flow
        "The way to the peer: by which it sent last."
        self.dialog: Dialog | None = None
        self.allows: frozenset[str] = frozenset()
        "The methods that the peer takes."
        self.told = Told()
        self.shown_as: Caller | None = None
        "As whom everybody sees it, or that nobody does; None: as its line is shown."
        self._board = board
        self._wire = board.wire
        self._key = key

    def has_peer(self, tag: str) -> bool:
        """Whether its dialog is with who has that tag."""
        return self.dialog is not None and self.dialog.remote.tag == tag

    def speaks_by(self, flow: Flow) -> bool:
        """Whether what comes by `flow` with the right tags is believed to be from the peer.

        Others may have read the tags, as those do who watch a lamp of the line: so it is from where the peer
        has sent before, or from where a phone of its line is registered.
        """
        if flow.remote == self.flow.remote:
            return True
        if not self.is_line:
            return flow.remote.host == self.flow.remote.host
        places = self._board.places(Target(self.aor, Caller("")))
        return any(place.flow.remote == flow.remote for place in places)

    @property
    def call_id(self) -> str:
        """Of its dialog."""
        return self._key[0]

    def heard(self, message: Message) -> None:
        """Takes note of what the peer says of itself. Raises `MessageError`."""
        if allow := message.allow:
            self.allows = frozenset(allow)

    def _dialog_of(self, request: Request) -> Dialog | None:
        dialog = self.dialog
        return dialog if dialog is not None and dialog.id == DialogId.of_request(request) else None

    def consent(self, transaction: ServerTransaction, status: int) -> None:
        """Accepts what the peer asked for, and has nothing else to say."""
        self._wire.respond(transaction, self._establishing(transaction, status))

    def notify(self, notify: Request) -> None:
        """Tells the peer something, whatever it thinks of that."""
        notify.contact = (self._contact(),)
        self._wire.request(notify, self._way, lambda _: None)

    def _offer_in(self, early: Dialog, offer: SessionDescription, agreed: Agreed) -> None:
        """Offers another session in an early dialog (RFC 3311 §5.1)."""

        def heard(response: Response) -> None:
            with suppress(MessageError):
                early.receive_response(response)
            if response.status >= 300:
                agreed(response.status if response.status in PASSED_ON else 488)
            elif response.status >= 200:
                agreed(readable_session(response) or 488)

        update = early.request("UPDATE")
        capable(update)
        update.contact = (self._contact(),)
        update.content_type, update.body = SDP, self.told.tell(offer)
        self._wire.request(update, self._way, heard)

    def request(self, method: str) -> Request:
        """The next request to the peer, still without what the method wants."""
        if self.dialog is None:
            raise AssertionError("it is established before anything is asked in it")
        request = self.dialog.request(method)
        capable(request)
        return request

    @property
    def _way(self) -> Flow:
        """The flow to the peer; where its connection is gone, the one by which it has registered since."""
        if not self.flow.is_open and self.dialog is not None:
            target = self.dialog.target
            for place in self._board.places(Target(self.aor, Caller(""))):
                contact = place.contact
                # By its new connection a phone has another port, but not another address.
                if isinstance(contact, SipUri) and isinstance(target, SipUri) and contact.host == target.host:
                    self.flow = place.flow
        return self.flow

    def _contact(self) -> Contact:
        return Contact(own_uri(self._way))

    def _response(self, transaction: ServerTransaction, status: int, text: str = "") -> Response:
        response = transaction.request.response(status, text or None, to_tag=self._key[1])
        capable(response)
        return response

    def _establishing(self, transaction: ServerTransaction, status: int) -> Response:
        response = establishing(transaction.request, status, self._key[1], self._contact())
        capable(response)
        return response
