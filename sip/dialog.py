"""Dialogs: what two peers remember of each other between requests (RFC 3261 §12)."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from sip.errors import SipError
from sip.message.address import Contact, NameAddress
from sip.message.errors import BadHeader
from sip.message.message import Message, Request, Response
from sip.message.uri import SipUri, Uri
from sip.message.values import CSeq

_HOPS = 70
_HIGHEST = (1 << 31) - 1
"Of a CSeq (§8.1.1.5)."
_REFRESH_TARGET = frozenset({"INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER"})
"Requests whose Contact says where the peer is from now on (§12.2, RFC 3311, RFC 6665, RFC 3515)."


class OutOfOrder(SipError):
    """A request that was overtaken by a later one of its dialog (§12.2.2)."""

    code = "out-of-order"
    status: ClassVar[int] = 500


class DialogId(NamedTuple):
    """What tells dialogs apart. A tag is empty where a peer of RFC 2543 has none (§12.1.1)."""

    call_id: str
    local_tag: str
    remote_tag: str

    @classmethod
    def of_request(cls, request: Request) -> DialogId:
        """Of the dialog that a request has come in."""
        return cls(request.call_id, request.to.tag or "", request.from_.tag or "")

    @classmethod
    def of_response(cls, response: Response) -> DialogId:
        """Of the dialog that a response to a request of ours is about."""
        return cls(response.call_id, response.from_.tag or "", response.to.tag or "")


class Dialog:
    """One side of a dialog; early until it is confirmed. Made by `as_server` or `as_client`."""

    __slots__ = ("_local_cseq", "_remote_cseq", "call_id", "is_early", "local", "remote", "route", "target")

    def __init__(self, call_id: str, local: NameAddress, remote: NameAddress, target: Uri) -> None:
        self.call_id = call_id
        self.local = local
        "From of our requests, with our tag."
        self.remote = remote
        "To of our requests, with the peer's tag."
        self.target = target
        "Where the peer is."
        self.route: tuple[NameAddress, ...] = ()
        "The proxies between, nearest first."
        self.is_early = False
        self._local_cseq = 0
        self._remote_cseq: int | None = None

    @classmethod
    def as_server(cls, request: Request, response: Response) -> Dialog:
        """The dialog that our response to a peer's request makes (§12.1.1); see `establishing`.

        Raises `BadHeader` where the request does not say where the peer is.
        """
        target = _target(request)
        if target is None:
            raise BadHeader("Contact", f"a {request.method} says where to answer")
        dialog = cls(request.call_id, response.to, request.from_, target)
        dialog.route = request.record_route
        dialog.is_early = response.status < 200
        dialog._remote_cseq = request.cseq.number
        return dialog

    @classmethod
    def as_client(cls, request: Request, response: Response) -> Dialog:
        """The dialog that a peer's response to our request makes (§12.1.2), one for each To tag that comes.

        A peer that does not say where it is, as some leave it out of a 180, is where it was asked.
        """
        dialog = cls(request.call_id, request.from_, response.to, _target(response) or request.uri)
        dialog.route = response.record_route[::-1]
        dialog.is_early = response.status < 200
        dialog._local_cseq = request.cseq.number
        return dialog

    @property
    def id(self) -> DialogId:
        """What its messages are known by."""
        return DialogId(self.call_id, self.local.tag or "", self.remote.tag or "")

    @property
    def next_hop(self) -> Uri:
        """Where requests are sent first: a proxy, or the peer itself (§8.1.2)."""
        return self.route[0].uri if self.route else self.target

    # Requests of the peer

    def receive(self, request: Request) -> None:
        """Takes note of a request that has come in the dialog; not for ACK and CANCEL, which have no order.

        Raises `OutOfOrder`, or `BadHeader` for a Contact that can't be used.
        """
        number = request.cseq.number
        if self._remote_cseq is not None and number < self._remote_cseq:
            raise OutOfOrder(f"{number} came after {self._remote_cseq}")
        target = _target(request) if request.method in _REFRESH_TARGET else None
        self._remote_cseq = number
        self.target = target or self.target

    def confirm(self) -> None:
        """Our 2xx is sent."""
        self.is_early = False

    # Requests of ours

    def request(self, method: str) -> Request:
        """The next request to the peer (§12.2.1.1), still without Via and what the method wants."""
        self._local_cseq += 1
        return self._request(method, self._local_cseq)

    def last(self, method: str) -> Request:
        """One after which there is no other, as a dialog may need that somebody else is to end."""
        return self._request(method, _HIGHEST)

    def ack(self, invite: Request) -> Request:
        """The ACK of a 2xx to `invite`, with its number and credentials (§13.2.2.4)."""
        ack = self._request("ACK", invite.cseq.number)
        for name in ("Authorization", "Proxy-Authorization"):
            for value in invite.headers.all(name):
                ack.headers.add(name, value)
        return ack

    def receive_response(self, response: Response) -> None:
        """Takes note of what the peer has answered to a request of ours (§12.2.1.2, §13.2.2.4).

        Raises `BadHeader` for a Contact or Record-Route that can't be used.
        """
        method, is_final = response.cseq.method, response.status >= 200
        if response.status >= 300 or method not in _REFRESH_TARGET or not (self.is_early or is_final):
            return
        target = _target(response)
        if self.is_early and method == "INVITE" and is_final:
            # What the first answer said of the way is over.
            self.route = response.record_route[::-1]
            self.is_early = False
        self.target = target or self.target

    def _request(self, method: str, number: int) -> Request:
        uri, route = self.target, self.route
        if route and not _is_loose(route[0].uri):
            # A strict router wants itself in the first line, and finds there what comes after it.
            uri, route = route[0].uri, (*route[1:], NameAddress(self.target))
        if isinstance(uri, SipUri):
            uri = uri.without_headers()
        request = Request(method, uri)
        if route:
            request.route = route
        request.max_forwards = _HOPS
        request.from_ = self.local
        request.to = self.remote
        request.headers.add("Call-ID", self.call_id)
        request.cseq = CSeq(number, method)
        return request


def establishing(request: Request, status: int, tag: str, contact: Contact) -> Response:
    """A response that makes a dialog: it says where we are, and repeats the proxies between (§12.1.1)."""
    response = request.response(status, to_tag=tag)
    for value in request.headers.all("Record-Route"):
        response.headers.add("Record-Route", value)
    response.contact = (contact,)
    return response


def _target(message: Message) -> Uri | None:
    """Where the peer says that it is; None: it does not say. Raises `BadHeader`."""
    if message.is_contact_star or len(message.contact) > 1:
        raise BadHeader("Contact", "a dialog has one peer at one place")
    return message.contact[0].uri if message.contact else None


def _is_loose(uri: Uri) -> bool:
    return isinstance(uri, SipUri) and uri.is_loose_router
