"""Calls of this installation's lines: who may make them, whom they ring, and where those are."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import ClassVar, Protocol
from uuid import UUID, uuid4

from db.errors import StorageError
from provisioner.pbx.authentication import Authentication, Caller
from provisioner.pbx.lookups import once_known
from provisioner.pbx.phones import Phones
from sip.binding import Binding
from sip.call.board import Place
from sip.call.calls import Calls
from sip.call.errors import NoDialog, NotHere
from sip.call.replacing import Taker
from sip.call.ringing import Caller as Ringer
from sip.call.ringing import Outcome, Ringing, Target
from sip.call.story import Tell
from sip.call.transfer import Transfer
from sip.call.tree.phone import Refusal
from sip.call.wire import Held
from sip.errors import SipError
from sip.message.message import Request
from sip.message.uri import SipUri, Uri, unescape
from sip.server import Incoming, SipServer
from sip.transaction.effects import Effect
from sip.transaction.machine import ServerTransaction
from sip.transport.flow import Flow

logger = logging.getLogger(__name__)

_GOODBYE_S = 2.0
"How long phones are waited for that are hung up at the end."
_LOOK_S = 0.02

_WITHIN_A_DIALOG = ("BYE", "INFO", "PRACK", "REFER", "UPDATE")
"Methods that mean nothing without a call; from where its phone is they don't come here."


class Closing(SipError):
    """The server takes no call any more: it is about to end (RFC 3261 §21.5.4)."""

    code = "closing"
    status: ClassVar[int] = 503

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        return (("Retry-After", "5"),)


class Asked(Protocol):
    """The INVITE or REFER that a call is asked for by."""

    @property
    def request(self) -> Request:
        """As it came."""

    @property
    def uri(self) -> Uri:
        """Whom it wants to be called."""

    @property
    def flow(self) -> Flow:
        """By which it came."""


class Router(Protocol):
    """Who decides whom a call rings."""

    async def route(
        self, asked: Asked, line: str, dialled: str, call: UUID, comes_of: UUID | None = None
    ) -> Ringing:
        """What becomes of a call of `line`, which will be `call`; `comes_of`: that which is passed on.

        Raises `SipError` where it is refused, `NotHere` if that is because of its host, and `StorageError`.
        """

    async def taker(self, asked: Asked, line: str, dialled: str) -> Taker:
        """Which dialogs of others a line may take over. Raises `SipError`, `StorageError`."""

    def shown(self, line: str, to: str) -> Ringer:
        """Who a line is, as another one may see it."""


class CallServing:
    """Lets calls in, and hands them to the engine."""

    def __init__(
        self,
        server: SipServer,
        authentication: Authentication,
        phones: Phones,
        router: Router,
        tell: Tell,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self.calls = Calls(server.transactions, self._places, tell, self._refer, self._fit, router.shown)
        self._server = server
        self._authentication = authentication
        self._phones = phones
        self._router = router
        self._tasks = tasks
        self._is_closing = False
        server.attach(self.calls, self._from_elsewhere)
        server.on("INVITE", self._invite)
        for method in _WITHIN_A_DIALOG:
            server.on(method, self._from_elsewhere)

    def hang_up(self, call: UUID) -> bool:
        """Ends a call from outside; False: it does not live."""
        effects = self.calls.hang_up(call, self._server.now())
        self._server.perform(effects)
        return bool(effects)

    async def close(self) -> None:
        """Takes no further call, and hangs up on everybody; whoever doesn't answer that is not waited for."""
        self._is_closing = True
        self._server.perform(self.calls.close(self._server.now()))
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_S):
                while self.calls.legs:  # noqa: ASYNC110 - nobody tells of it
                    await asyncio.sleep(_LOOK_S)
        self._server.perform(self.calls.part(self._server.now()))

    def _check_is_open(self) -> None:
        if self._is_closing:
            raise Closing("the server is being stopped")

    def _invite(self, incoming: Incoming) -> None:
        self._check_is_open()
        self._authentication.admit(incoming, self._calls)

    def _from_elsewhere(self, incoming: Incoming) -> None:
        """In no dialog, or not by the way of its phone: who sends it has to prove that he is that (§22.1)."""
        if self.calls.line_of(incoming.request) is None:
            raise NoDialog("there is no such call")
        self._authentication.admit(incoming, self._moves)

    def _moves(self, incoming: Incoming, caller: Caller) -> None:
        if self.calls.line_of(incoming.request) != caller.number:
            # Over meanwhile, or somebody else's: who asks can't tell which.
            raise NoDialog("there is no such call")
        self._server.perform(self.calls.receive(incoming.serve(), self._server.now()))

    def _calls(self, incoming: Incoming, caller: Caller) -> None:
        transaction = incoming.serve()
        self._tasks.create_task(self._route(incoming, transaction, caller))

    async def _route(self, incoming: Incoming, transaction: ServerTransaction, caller: Caller) -> None:
        uri = incoming.request.uri
        dialled = unescape(uri.user) if isinstance(uri, SipUri) and uri.user is not None else ""
        begun = self._begun(incoming, transaction, caller.number, dialled)
        await once_known(incoming, begun, "whom to ring", self._do)

    def _do(self, begin: Callable[[], list[Effect]]) -> None:
        self._check_is_open()
        self._server.perform(begin())

    async def _begun(
        self, incoming: Incoming, transaction: ServerTransaction, line: str, dialled: str
    ) -> Callable[[], list[Effect]]:
        """What is to be done with an INVITE. Raises `SipError`, `StorageError`."""
        replaces = incoming.request.replaces
        if replaces is not None:
            taker = await self._router.taker(incoming, line, dialled)
            return lambda: self.calls.take_over(transaction, replaces, taker, self._server.now())
        call = uuid4()
        ringing, dialled = await self._ringing(incoming, line, dialled, call)
        return lambda: self.calls.begin(transaction, line, dialled, ringing, self._server.now(), call)

    async def _ringing(
        self, asked: Asked, line: str, dialled: str, call: UUID, comes_of: UUID | None = None
    ) -> tuple[Ringing, str]:
        """Whom a call rings, and what its record says was dialled. Raises `SipError`, `StorageError`."""
        try:
            return await self._router.route(asked, line, dialled, call, comes_of), dialled
        except NotHere as error:
            # A number that nobody has: who looks for the call in the log finds why it rang nobody.
            return Refusal(Outcome.REFUSED, error.status), error.dialled

    def _refer(self, transfer: Transfer) -> None:
        self._tasks.create_task(self._route_transfer(transfer))

    async def _route_transfer(self, transfer: Transfer) -> None:
        """A transfer is a call of who asks for it, on behalf of who is passed on."""
        line, number = transfer.transferor.aor, transfer.referral.number
        try:
            first = transfer.first.id
            ringing, dialled = await self._ringing(transfer.referral, line, number, transfer.id, first)
            self._check_is_open()
        except (SipError, StorageError) as error:
            logger.info("not passed on aor=%s error=%s", line, error)
            status = error.status if isinstance(error, SipError) else 503
            self._server.perform(self.calls.refuse(transfer, status, self._server.now()))
            return
        except Exception:
            # Our own mistake; whoever was to be passed on goes back.
            logger.exception("a call could not be passed on aor=%s", line)
            self._server.perform(self.calls.refuse(transfer, 500, self._server.now()))
            return
        self._server.perform(self.calls.forward(transfer, dialled, ringing, self._server.now()))

    def _fit(self, held: Held) -> None:
        self._tasks.create_task(self._send(held))

    async def _send(self, held: Held) -> None:
        """A request that is too large for UDP goes by a connection, if the phone takes one."""
        try:
            flow = await self._phones.fitting(held.flow, held.size)
        except Exception:
            # Our own mistake; in fragments it may still arrive.
            logger.exception("no connection for a large request remote=%s", held.flow.remote)
            flow = held.flow
        self._server.perform(self.calls.send(held, flow, self._server.now()))

    def _places(self, target: Target) -> Sequence[Place]:
        """Where the phones of a target are: one way to each phone, however many it has (RFC 5626 §5.3)."""
        if isinstance(target.uri, SipUri):
            way = self._phones.flow_to_gateway(target.uri)
            return [] if way is None else [Place(target.uri, way)]
        latest: dict[str, Binding] = {}
        for binding in self._phones.bindings(target.aor):
            phone = binding.instance or binding.contact
            if phone not in latest or binding.refreshed_at >= latest[phone].refreshed_at:
                latest[phone] = binding
        return [
            Place(binding.uri, flow, binding.path)
            for binding in latest.values()
            if (flow := self._phones.flow_of(binding)) is not None
        ]
