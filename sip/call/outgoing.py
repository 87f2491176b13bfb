"""One phone that is rung: an INVITE of ours, until it is answered (RFC 3261 §13.2)."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from typing import Protocol

from sip.call.board import Board, Place, capable
from sip.call.early import EarlyDialogs, is_reliable
from sip.call.early_leg import EarlyLeg
from sip.call.errors import NotYet
from sip.call.identity import present
from sip.call.invitation import Invitation
from sip.call.reliable import TAG
from sip.call.ringing import Target
from sip.call.session import SDP, readable_session
from sip.dialog import Dialog, DialogId
from sip.errors import SipError
from sip.message.address import Contact
from sip.message.errors import MessageError
from sip.message.headers import Headers
from sip.message.message import Request, Response
from sip.message.sdp import SessionDescription
from sip.message.uri import SipUri, Uri, escape_user
from sip.message.values import CSeq, Reason
from sip.out_of_dialog import own_uri
from sip.tags import new_call_id, new_tag
from sip.transaction.machine import ServerTransaction

_TRYING_S = 5.0
"How long a phone may leave an INVITE without any answer before it counts as out of reach."

_MOST_TAGS = 20


class OutgoingUser(Protocol):
    """Who is told what becomes of a phone that is rung."""

    def rings(self, leg: OutgoingLeg, early: SessionDescription | None) -> None:
        """It says that it rings; `early`: and that there is something to be heard."""

    def answers(self, leg: OutgoingLeg, description: SessionDescription) -> None:
        """Somebody has answered. Its 2xx wants `acknowledge`."""

    def refuses(self, leg: OutgoingLeg, response: Response) -> None:
        """It doesn't take the call, or could not be reached: a 408 that nobody has sent."""


class OutgoingLeg(EarlyLeg):
    """From its INVITE on."""

    def __init__(
        self,
        board: Board,
        user: OutgoingUser,
        target: Target,
        place: Place,
        offer: SessionDescription | None,
        max_forwards: int,
        *,
        may_offer: bool = False,
    ) -> None:
        """`may_offer`: who is offered nothing may offer something while it rings, and is answered."""
        call_id, tag = new_call_id(), new_tag()
        super().__init__(board, place.flow, target.aor, (call_id, tag), has_offered=offer is not None)
        self.is_line = target.uri is None
        self._rung_by: OutgoingUser | None = user
        "None: it has answered, or nobody wants to know any more."
        invite = self._invite(target, place, max_forwards)
        if offer is not None:
            invite.content_type, invite.body = SDP, self.told.tell(offer)
        self._may_be_reliable = offer is not None or may_offer
        if self._may_be_reliable:
            invite.headers.add("Supported", TAG)
        self._tags: set[str | None] = set()
        "Of those who have said that they ring."
        self._said_by: str | None = None
        "Who of them was the last."
        self.is_reliable = False
        "Whether it wanted a PRACK for what it said last."
        self._timer.ask(invite)
        self._send(invite)

    def receive(self, transaction: ServerTransaction) -> None:
        """See `Leg`. A BYE that has overtaken the 2xx says that somebody has answered and hung up."""
        user, invitation, method = self._rung_by, self._invitation, transaction.request.method
        if self.dialog is not None or user is None or invitation is None or method != "BYE":
            early = self._early.of(transaction.request)
            if self.dialog is None and early is not None:
                if method != "UPDATE":
                    raise NotYet("nobody has answered yet")
                self._updated_early(transaction, early)
            else:
                super().receive(transaction)
            return
        self._wire.respond(transaction, transaction.request.response(200))
        self.stop()
        user.refuses(self, invitation.request.response(480))

    def stop(self, reasons: Iterable[Reason] = ()) -> None:
        """It is to ring no longer. Its user is told nothing from now on."""
        self._rung_by = self._changes = None
        self._trying.cancel()
        if self._invitation is not None:
            self._invitation.cancel(reasons)

    def has_peer(self, tag: str) -> bool:
        """See `Leg`. While it rings there may be several, behind a proxy."""
        return super().has_peer(tag) or (self._rung_by is not None and tag in self._tags)

    # While it rings

    @property
    def early(self) -> DialogId | None:
        """The dialog with whoever has said last that it rings; None: nobody has."""
        return None if self._said_by is None else DialogId(self.call_id, self._key[1], self._said_by)

    def _invite(self, target: Target, place: Place, max_forwards: int) -> Request:
        uri, own = place.contact, own_uri(place.flow)
        if isinstance(uri, SipUri):
            uri = uri.without_headers()
        request = Request("INVITE", uri, _same_for_all(own, max_forwards).copy())
        if place.path:
            request.headers.set("Route", *place.path)
        present(request, target, own, self._key[1])
        request.headers.add("To", f"<{_named(target, own, place.contact)}>")
        request.headers.add("Call-ID", self._key[0])
        return request

    def _heard(self, response: Response) -> None:
        self._trying.cancel()
        with suppress(MessageError):
            self.heard(response)
        if response.status < 200:
            self._progresses(response)
        elif response.status < 300:
            self._is_answered(response)
        elif self._rung_by is not None and self._timer.is_too_brief(response):
            self._ask_again()
        elif (user := self._ended()) is not None:
            user.refuses(self, response)

    def _ask_again(self) -> None:
        """The same once more, but for how often it is asked whether it is there (RFC 4028 §7.3)."""
        if self._invitation is None:
            return
        before = self._invitation.request
        invite = Request("INVITE", before.uri, before.headers.copy(), before.body)
        invite.cseq = CSeq(before.cseq.number + 1, "INVITE")
        self._timer.ask(invite)
        self._send(invite)

    def _send(self, invite: Request) -> None:
        self._early = EarlyDialogs(invite)
        self._trying = self._wire.alarm(_TRYING_S, self._is_silent)
        self._invitation = Invitation(self._wire, invite, self.flow, self._heard)

    def _progresses(self, response: Response) -> None:
        if self._rung_by is None:
            return
        if len(self._tags) < _MOST_TAGS:
            self._said_by = response.to.tag
            self._tags.add(response.to.tag)
        self.is_reliable = self._may_be_reliable and is_reliable(response)
        if self.is_reliable and not self._thanks(response):
            return
        offers = self._agreeing is not None and self._agreeing.owes is response
        early = readable_session(response) if self._has_offered or offers else None
        if response.status == 180 or early is not None:
            self._rung_by.rings(self, early)

    def _is_answered(self, response: Response) -> None:
        invitation = self._invitation
        if invitation is None:
            raise AssertionError("there is an INVITE, or nobody could have answered it")
        early = self._early.of(response)
        try:
            if early is None:
                dialog = Dialog.as_client(invitation.request, response)
            else:
                dialog = early.dialog
                dialog.receive_response(response)
        except SipError:
            # Where it is can't be told: it can't even be thanked, and gives up by itself.
            refusal = invitation.request.response(502)
            if (user := self._ended()) is not None:
                user.refuses(self, refusal)
            return
        if self.dialog is not None:
            invitation.hang_up_on(dialog)
            return
        self.dialog = dialog
        self._timer.agreed(response)
        if early is not self._agreeing or not self.has_agreed:
            self._agreeing = None
        # What was agreed upon before is not said once more, or doesn't count (RFC 6337 §3.1.1).
        description = readable_session(response) if self._agreeing is None else self._agreeing.agreed
        user, self._rung_by = self._rung_by, None
        if user is None:
            # It was stopped, and somebody has answered all the same (§9.1).
            self.leave()
        elif description is None:
            self.leave()
            user.refuses(self, invitation.request.response(488))
        else:
            user.answers(self, description)

    def _is_silent(self) -> None:
        invitation, user = self._invitation, self._rung_by
        if invitation is not None and user is not None:
            self.stop()
            user.refuses(self, invitation.request.response(408))

    def _ended(self) -> OutgoingUser | None:
        user, self._rung_by = self._rung_by, None
        self._forget()
        return user


@lru_cache(256)
def _same_for_all(own: SipUri, max_forwards: int) -> Headers:
    """What all members of a group are told; not to be changed."""
    request = Request("INVITE", "")
    request.max_forwards = max_forwards
    request.cseq = CSeq(1, "INVITE")
    request.contact = (Contact(own),)
    capable(request)
    return request.headers


def _named(target: Target, own: SipUri, contact: Uri) -> Uri:
    """Whom we call, as that sees itself."""
    if target.uri is not None:
        return contact
    return SipUri(own.host, escape_user(target.aor), port=own.port)
