"""All calls of one phone: what comes finds its own (RFC 3261 §12.2.2). For `SipServer.attach`."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeAlias

from sip.call.board import LegKey, leg_key
from sip.call.wire import Wire
from sip.errors import SipError
from sip.handset.audio import Audio
from sip.handset.caller import Caller, Login, Patience
from sip.handset.rung import Manner, Rung
from sip.handset.talk import Ended, Talk
from sip.message.address import Contact
from sip.message.message import Request
from sip.transaction.effects import Effect
from sip.transaction.machine import ServerTransaction
from sip.transaction.transactions import Transactions
from sip.transport.flow import Flow

_MOST = 20
"Calls at once: more than any phone has."

Audios: TypeAlias = Callable[[Flow], Audio]


class Busy(SipError):
    """It has no room for another call (§21.4.24)."""

    code = "busy"
    status: ClassVar[int] = 486


class NoCall(SipError):
    """There is no such call (§12.2.2)."""

    code = "no-call"
    status: ClassVar[int] = 481


class Handset:
    """The driver performs the effects of each method, and calls `timer` at `deadline` (loop time)."""

    def __init__(self, transactions: Transactions, audio: Audios, idle: Callable[[], None]) -> None:
        """`idle` is told when there is no call left."""
        self._idle = idle
        self._wire = Wire(transactions)
        self._audio = audio
        self._talks: dict[LegKey, Talk] = {}

    def __len__(self) -> int:
        """How many calls there are, those included that are just being ended."""
        return len(self._talks)

    @property
    def deadline(self) -> float | None:
        """When `timer` is to be called; None: nothing waits."""
        return self._wire.deadline

    def call(
        self,
        invite: Request,
        flow: Flow,
        contact: Contact,
        login: Login,
        patience: Patience,
        ended: Ended,
        now: float,
    ) -> list[Effect]:
        """Calls whom `invite` says. Raises `Busy`."""
        self._wire.now = now
        self._make_room()
        audio = self._audio(flow)
        Caller(self._wire, self._talks, flow, contact, audio, invite, login, patience, ended)
        return self._done()

    def rings(
        self, invite: ServerTransaction, contact: Contact, manner: Manner, ended: Ended, now: float
    ) -> list[Effect]:
        """It is rung. Raises `SipError`."""
        self._wire.now = now
        self._make_room()
        Rung(self._wire, self._talks, contact, self._audio(invite.flow), invite, manner, ended)
        return self._done()

    def leave(self, now: float) -> list[Effect]:
        """Ends all calls."""
        self._wire.now = now
        for talk in tuple(self._talks.values()):
            talk.leave()
        return self._done()

    def _done(self) -> list[Effect]:
        if not self._talks:
            self._idle()
        return self._wire.take()

    def _make_room(self) -> None:
        if len(self._talks) >= _MOST:
            raise Busy(f"{_MOST} calls are under way")

    # What the driver hands over

    def knows(self, request: Request, flow: Flow) -> bool:
        """Whether a request is in a dialog of a call. A phone hears whoever speaks in one."""
        return leg_key(request) in self._talks

    def receive(self, transaction: ServerTransaction, now: float) -> list[Effect]:
        """A request has come in a dialog of a call. Raises `SipError`."""
        self._wire.now = now
        talk = self._talks.get(leg_key(transaction.request))
        if talk is None:
            raise NoCall("the call is over")
        talk.receive(transaction)
        return self._done()

    def take(self, effect: Effect, now: float) -> list[Effect]:
        """Something that the transactions tell, if it is about a call."""
        self._wire.now = now
        self._wire.hear(effect, self._acknowledged)
        return self._done()

    def _acknowledged(self, ack: Request) -> None:
        if (talk := self._talks.get(leg_key(ack))) is not None:
            talk.acknowledged(ack)

    def timer(self, now: float) -> list[Effect]:
        """Does what is due by `now`."""
        self._wire.now = now
        self._wire.ring()
        return self._done()
