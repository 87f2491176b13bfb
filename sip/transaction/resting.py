"""What is left of transactions that rest: of each kind for as long as something of it may come again."""

from __future__ import annotations

from math import inf
from typing import TypeVar

from sip.message.message import Response
from sip.transaction.client import NonInviteClient
from sip.transaction.client_invite import InviteClient
from sip.transaction.effects import Effect, Send
from sip.transaction.ended import Ended
from sip.transaction.keys import ClientKey, MergeKey, merge_key
from sip.transaction.machine import Machine
from sip.transaction.server import NonInviteServer
from sip.transaction.server_invite import InviteServer
from sip.transaction.timers import Timers
from sip.transport.flow import Transport

K = TypeVar("K")
V = TypeVar("V")


class Resting:
    """All that rest: no machines, only what answers that which comes late."""

    def __init__(self, timers: Timers, most: int) -> None:
        """`most` of each kind are known."""
        self.answers: Ended[str, bytes] = Ended(timers.j_s(Transport.UDP), most)
        "Of requests that have been answered."
        self.accepted: Ended[str, str | None] = Ended(timers.give_up_s, most)
        "Of INVITEs that have been answered with a 2xx: our tag."
        self._copies: Ended[MergeKey, str] = Ended(timers.give_up_s, most)
        "Which of those has a request that may come by other ways, too."
        self._refused: Ended[ClientKey, Send] = Ended(timers.d_s(Transport.UDP), most)
        "Of our INVITEs that were refused: the ACK."
        self._heard: Ended[ClientKey, None] = Ended(timers.k_s(Transport.UDP), most)
        "Other requests of ours that have their answer."
        self._all = (self.answers, self.accepted, self._copies, self._refused, self._heard)
        self.deadline = inf
        "When `timer` is to be called."

    def __len__(self) -> int:
        return len(self.answers) + len(self.accepted) + len(self._refused) + len(self._heard)

    def timer(self, now: float) -> None:
        """Forgets what can't come again."""
        if self.deadline > now:
            return
        for each in self._all:
            each.timer(now)
        self.deadline = min(each.deadline for each in self._all)

    def add(self, machine: Machine, now: float) -> None:
        """Keeps of a machine that rests what may be wanted yet."""
        match machine:
            case NonInviteServer(key=key, answer=bytes() as answer):
                self.answer(key, answer, now)
            case InviteServer(key=key, to_tag=tag):
                self._keep(self.accepted, key, tag, now)
                if (same := merge_key(machine.request)) is not None:
                    self._keep(self._copies, same, key, now)
            case InviteClient(key=branch, ack=ack):
                self._keep(self._refused, branch, Send(machine.flow, ack), now)
            case NonInviteClient(key=branch):
                self._keep(self._heard, branch, None, now)

    def answer(self, key: str, answer: bytes, now: float) -> None:
        """Keeps the answer to a request."""
        self._keep(self.answers, key, answer, now)

    def _keep(self, kept: Ended[K, V], key: K, value: V, now: float) -> None:
        kept.add(key, value, now)
        self.deadline = min(self.deadline, kept.deadline)

    def __contains__(self, key: str) -> bool:
        """Whether the request has been answered that this is the key of."""
        return key in self.answers or key in self.accepted

    def copy_of(self, same: MergeKey) -> str | None:
        """The key of an INVITE, if this one is the same by another way."""
        return self._copies.get(same)

    def receive(self, key: ClientKey, response: Response) -> list[Effect] | None:
        """What comes of a response to a request of ours; None: it is to none of these."""
        if key in self._heard:
            return []
        ack = self._refused.get(key)
        if ack is None:
            return None
        return [ack] if response.status >= 300 else []
