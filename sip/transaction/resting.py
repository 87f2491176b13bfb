"""What is left of transactions that rest: of each kind for as long as something of it may come again."""

from __future__ import annotations

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

    def __len__(self) -> int:
        return len(self.answers) + len(self.accepted) + len(self._refused) + len(self._heard)

    @property
    def deadline(self) -> float:
        """When `timer` is to be called."""
        return min([each.deadline for each in self._all])

    def timer(self, now: float) -> None:
        """Forgets what can't come again."""
        for each in self._all:
            each.timer(now)

    def add(self, machine: Machine, now: float) -> None:
        """Keeps of a machine that rests what may be wanted yet."""
        match machine:
            case NonInviteServer(key=key, answer=bytes() as answer):
                self.answers.add(key, answer, now)
            case InviteServer(key=key, to_tag=tag):
                self.accepted.add(key, tag, now)
                if (same := merge_key(machine.request)) is not None:
                    self._copies.add(same, key, now)
            case InviteClient(key=branch, ack=ack):
                self._refused.add(branch, Send(machine.flow, ack), now)
            case NonInviteClient(key=branch):
                self._heard.add(branch, None, now)

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
