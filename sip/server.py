"""The driver: it owns the transactions and one timer, performs what they ask for, and hands requests out.

What is wrong with a request as such is answered here, and nowhere else (RFC 3261 §8.2).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from math import inf
from typing import Protocol

from sip.counters import Counters
from sip.errors import SipError
from sip.message.errors import MessageError
from sip.message.message import Request, Response
from sip.message.parser import AnyMessage
from sip.message.uri import SipUri, Uri
from sip.overhearing import Ears
from sip.tags import new_tag
from sip.transaction.effects import Answered, Effect, Failed, NewRequest, Refused, Reply, Send
from sip.transaction.errors import AlreadyServed, TooLarge
from sip.transaction.machine import ClientTransaction, ServerTransaction
from sip.transaction.transactions import Transactions
from sip.transport.flow import Flow
from sip.transport.proven import Proven
from sip.transport.udp_flow import UdpFlow

logger = logging.getLogger(__name__)

Handler = Callable[["Incoming"], None]
"Takes a request of one method. It answers now or later; what it raises as `SipError` is answered for it."

EXTENSIONS = frozenset({"100rel", "path", "outbound", "replaces", "timer"})
"Option tags that a request may require (§8.2.2.3)."

_OF_OTHER_DIALOGS = frozenset({"REGISTER", "SUBSCRIBE"})
"A REGISTER is in none, whatever its tags; a SUBSCRIBE in one of its handler's."


class Transporter(Protocol):
    """What the driver needs of the transport."""

    def answer_flow(self, request: Request, flow: Flow) -> Flow:
        """The flow on which `request`, which came by `flow`, is to be answered (§18.2.2, RFC 3581 §4)."""

    async def fitting(self, flow: Flow, size: int) -> Flow:
        """The flow for a request of so many bytes to the peer of `flow` (§18.1.1)."""


class Dialogs(Protocol):
    """Who has dialogs of their own beside the transactions: calls."""

    @property
    def deadline(self) -> float | None:
        """When `timer` is to be called; None: nothing waits."""

    def knows(self, request: Request, flow: Flow) -> bool:
        """Whether a request has come in a dialog of theirs, and by a way by which its peer may speak."""

    def receive(self, transaction: ServerTransaction, now: float) -> list[Effect]:
        """A request has come in a dialog of theirs. Raises `SipError`."""

    def take(self, effect: Effect, now: float) -> list[Effect]:
        """What a transaction tells, unless it was asked for by `SipServer.ask`."""

    def timer(self, now: float) -> list[Effect]:
        """Does what is due by `now`."""


class Incoming:
    """A new request, until it is answered."""

    __slots__ = ("_new", "_server", "_transaction", "flow", "request")

    def __init__(self, server: SipServer, new: NewRequest) -> None:
        self.request = new.request
        self.flow = new.flow
        self._server = server
        self._new = new
        self._transaction: ServerTransaction | None = None

    @property
    def key(self) -> str:
        """What its retransmissions are known by."""
        return self._new.key

    @property
    def uri(self) -> Uri:
        """The Request-URI. Raises `BadUri`."""
        return self.request.uri

    def serve(self) -> ServerTransaction:
        """Makes a transaction: from now on retransmissions are not handed out again.

        Only for who has logged in: what a transaction sends is not withheld from anybody.
        Raises `SipError` where there are too many, or the request is being served already.
        """
        self._transaction = self._server.serve(self._new)
        return self._transaction

    def response(self, status: int) -> Response:
        """A response to it, with a To tag where one belongs."""
        return self.request.response(status, to_tag=None if status == 100 else new_tag())

    def answer(self, response: Response) -> None:
        """Sends a response: by its transaction if there is one, else and with no memory of it."""
        self._server.answer(self.request, self.flow, response, self._transaction)

    def reply(self, status: int, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Answers with a status and what it says beside that."""
        response = self.response(status)
        for name, value in headers:
            response.headers.add(name, value)
        self.answer(response)


    def guarded(self, handle: Callable[[], None]) -> None:
        """Does `handle`, and answers for it what it raises: the one place where errors become statuses."""
        try:
            handle()
        except AlreadyServed:
            # A retransmission that came before the first was served, which gets the answer.
            return
        except SipError as error:
            self.reply(error.status, error.headers)
        except Exception:
            # Our own mistake; the next message is served.
            logger.exception("a request could not be served %r remote=%s", self.request, self.flow.remote)
            self.reply(500)


class SipServer:
    """Hands requests to who serves their method, and asks others. It is the receiver of a transport."""

    def __init__(self, proven: Proven | None = None) -> None:
        """`proven`: who has logged in lately, which the transport and the bans know, too."""
        self._loop = asyncio.get_running_loop()
        self.now = self._loop.time
        self.proven = proven or Proven()
        self.counters = Counters()
        self.transactions = Transactions()
        self._dialogs: Dialogs | None = None
        self._elsewhere: Handler | None = None
        self._transport: Transporter | None = None
        self._handlers: dict[str, Handler] = {}
        self._lost: list[Callable[[Flow], None]] = []
        self._asked: dict[ClientTransaction, asyncio.Future[Response | None]] = {}
        self.ears = Ears()
        self._is_closed = False
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = inf
        "When it does. uvloop's handle does not know, where that was already past."

    def use(self, transport: Transporter) -> None:
        """Answers by `transport`; to be called before it takes the first message."""
        self._transport = transport

    def attach(self, dialogs: Dialogs, elsewhere: Handler | None = None) -> None:
        """`dialogs` gets the requests within its dialogs, and hears of transactions that are its own.

        `elsewhere` takes those that name another dialog, or have come by another way (§12.2.2); without it
        who serves their method does.
        """
        self._dialogs, self._elsewhere = dialogs, elsewhere

    def on(self, method: str, handler: Handler) -> None:
        """`handler` takes the new requests of `method`."""
        self._handlers[method] = handler

    def on_closed(self, lost: Callable[[Flow], None]) -> None:
        """`lost` is told of connections that have ended."""
        self._lost.append(lost)

    @property
    def allowed(self) -> str:
        """The methods that are served, as Allow lists them."""
        return ", ".join(sorted({*self._handlers, "ACK", "CANCEL"}))

    # What the transport tells

    def received(self, message: AnyMessage, flow: Flow) -> None:
        """A message has come whole. Never raises: one message can't hurt another."""
        if self.ears.there:
            self.ears.came(message)
        try:
            match self.transactions.receive(message, flow, self.now()):
                case [NewRequest() as new]:
                    # It has left no trace, so there is nothing to be woken for.
                    self._take(new)
                case effects:
                    self.perform(effects)
        except Exception:
            # Our own mistake; the next message is served.
            logger.exception("a message could not be taken %r remote=%s", message, flow.remote)

    def refused(self, error: MessageError, flow: Flow) -> None:
        """Something has come that can't be read, or not whole."""
        self.counters.unreadable += 1
        logger.debug("refused remote=%s transport=%s error=%s", flow.remote, flow.transport, error)
        if error.request is not None:
            self._refuse(error.request, flow, error.status)

    def closed(self, flow: Flow) -> None:
        """A connection has ended."""
        self.perform(self.transactions.closed(flow, self.now()))
        if not self._is_closed:
            # At our own end connections are closed by us, which says nothing of their peers.
            for lost in self._lost:
                lost(flow)

    # What others ask for

    async def ask(self, request: Request, flow: Flow) -> Response | None:
        """Sends a request by `flow` and returns the final response; None: none came in time (§17.1.2).

        It is no INVITE. Whoever stops waiting, by cancelling this, has it sent no more.
        """
        if self._is_closed:
            return None
        try:
            transaction, effects = self.transactions.request(request, flow, self.now(), unless_large=True)
        except TooLarge as error:
            flow = await self._used.fitting(flow, error.size)
            transaction, effects = self.transactions.request(request, flow, self.now())
        future: asyncio.Future[Response | None] = self._loop.create_future()
        self._asked[transaction] = future
        try:
            self.perform(effects)
            return await future
        finally:
            self._asked.pop(transaction, None)
            if future.cancelled():
                self.transactions.abandon(transaction)

    def serve(self, new: NewRequest) -> ServerTransaction:
        """Makes the transaction of a request; see `Incoming.serve`."""
        flow = self._answer_flow(new.request, new.flow)
        if flow is not new.flow:
            new = NewRequest(new.request, flow, new.key)
        transaction = self.transactions.serve(new, self.now())
        self._arm()
        return transaction

    def answer(
        self, request: Request, flow: Flow, response: Response, transaction: ServerTransaction | None
    ) -> None:
        """Sends a response to `request`, which came by `flow`."""
        self.counters.responses[response.status] += 1
        if request.method == "REGISTER":
            self.counters.registers[response.status] += 1
        if transaction is not None:
            self.perform(self.transactions.respond(transaction, response, self.now()))
            return
        self._send_answer(request, flow, response)

    def perform(self, effects: Iterable[Effect]) -> None:
        """Does what the transactions, or dialogs, want done."""
        self._do(effects)
        self._arm()

    def _do(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send():
                    if self.ears.there:
                        self.ears.sent(effect.data)
                    effect.flow.send(effect.data)
                case Reply(request, flow, data):
                    self._answer_flow(request, flow).send(data)
                case Refused(request, flow, response):
                    self.answer(request, flow, response, None)
                case Answered(transaction, response) if transaction in self._asked:
                    if response.status >= 200:
                        self._settle(transaction, response)
                case Failed(ClientTransaction() as transaction) if transaction in self._asked:
                    self._settle(transaction, None)
                case _ if self._dialogs is not None:
                    self._do(self._dialogs.take(effect, self.now()))

    # Within

    def _settle(self, transaction: ClientTransaction, response: Response | None) -> None:
        future = self._asked.get(transaction)
        if future is not None and not future.done():
            future.set_result(response)

    def _take(self, new: NewRequest) -> None:
        """Hands a request to who serves its method, unless there is something wrong with it as such."""
        request = new.request
        handler = self._handlers.get(request.method)
        self.counters.requests[request.method if handler is not None else "other"] += 1
        if request.method == "ACK":
            # Of no transaction and no dialog; an ACK is never answered (§17.1.1.3).
            return
        incoming = Incoming(self, new)
        if handler is None:
            # §8.2.1
            incoming.reply(405, [("Allow", self.allowed)])
        else:
            incoming.guarded(lambda: self._checked(incoming, handler))

    def _checked(self, incoming: Incoming, handler: Handler) -> None:
        request = incoming.request
        if not isinstance(request.uri, SipUri):
            # §8.2.2.1
            incoming.reply(416)
        elif unknown := [tag for tag in request.require if tag.lower() not in EXTENSIONS]:
            # §8.2.2.3
            incoming.reply(420, [("Unsupported", ", ".join(unknown))])
        elif (
            request.method != "REGISTER"
            and self._dialogs is not None
            and self._dialogs.knows(request, incoming.flow)
        ):
            self.perform(self._dialogs.receive(incoming.serve(), self.now()))
        elif (
            self._elsewhere is not None
            and request.to.tag is not None
            and request.method not in _OF_OTHER_DIALOGS
        ):
            self._elsewhere(incoming)
        else:
            handler(incoming)

    def _refuse(self, request: Request, flow: Flow, status: int) -> None:
        """Answers what no transaction knows."""
        if request.method != "ACK":
            self.counters.responses[status] += 1
            self._send_answer(request, flow, request.response(status, to_tag=new_tag()))

    def _send_answer(self, request: Request, flow: Flow, response: Response) -> None:
        """Sends without a transaction. On UDP, whoever has proved nothing may be somebody else's victim."""
        to = self._answer_flow(request, flow)
        if not isinstance(flow, UdpFlow):
            to.send(bytes(response))
        elif (data := self.proven.answer(flow, flow.asked_bytes, response, self.now())) is None:
            self.counters.withheld += 1
        else:
            to.send(data)

    def _answer_flow(self, request: Request, flow: Flow) -> Flow:
        return self._used.answer_flow(request, flow)

    @property
    def _used(self) -> Transporter:
        if self._transport is None:
            raise AssertionError("nothing comes or goes before there is a transport")
        return self._transport

    def _arm(self) -> None:
        """One timer for all; it may come too early, and is set anew then."""
        deadline = self.transactions.deadline
        if self._dialogs is not None and (due := self._dialogs.deadline) is not None:
            deadline = due if deadline is None else min(deadline, due)
        if deadline is None or self._rings_at <= deadline:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._rings_at = self._loop.call_at(deadline, self._ring), deadline

    def _ring(self) -> None:
        self._timer, self._rings_at = None, inf
        self.perform(self.transactions.timer(self.now()))
        if self._dialogs is not None:
            self.perform(self._dialogs.timer(self.now()))

    def close(self) -> None:
        """Asks nobody any more; who waits for an answer, or asks from now on, gets none."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        for future in self._asked.values():
            if not future.done():
                future.set_result(None)
