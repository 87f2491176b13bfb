"""All transactions together: what comes finds its own (RFC 3261 §17, §18.2.1, §9.2, §8.2.2.2)."""

from __future__ import annotations

import hashlib
import itertools
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable
from math import inf

from sip.message.message import Request, Response
from sip.message.values import Reason
from sip.transaction.client import NonInviteClient
from sip.transaction.client_invite import InviteClient
from sip.transaction.effects import (
    Acknowledged,
    Answered,
    Cancelled,
    Effect,
    Failed,
    NewRequest,
    Refused,
    Reply,
    Send,
    Stray,
)
from sip.transaction.errors import AlreadyServed, MergedRequest, TooLarge, TooManyTransactions
from sip.transaction.keys import (
    ClientKey,
    MergeKey,
    ack_key,
    client_key,
    fresh_branch,
    merge_key,
    server_key,
)
from sip.transaction.machine import ClientTransaction, Machine, ServerTransaction
from sip.transaction.outgoing import with_via
from sip.transaction.resting import Resting
from sip.transaction.server import NonInviteServer
from sip.transaction.server_invite import InviteServer
from sip.transaction.timers import Timers
from sip.transaction.wakings import Wakings
from sip.transport.flow import LARGEST_DATAGRAM, Flow

_TAG_BYTES = 8


class Transactions:
    """Every transaction of a process. The driver performs the effects, and calls `timer` at `deadline`.

    Times are loop times, in seconds. A send that fails for good is told by `closed`.
    """

    def __init__(
        self,
        timers: Timers | None = None,
        *,
        most: int = 64_000,
        remembered: int = 200_000,
        branches: Callable[[], str] = fresh_branch,
    ) -> None:
        """`most` may be under way; `remembered` of each kind rest, see `Resting`.

        An INVITE of ours that was accepted is under way for 32 s more (RFC 6026): `most` is what two thousand
        calls a second come to.
        """
        self._timers = timers or Timers()
        self._most = most
        self._branches = branches
        self._secret = secrets.token_bytes(32)
        self._clients: dict[ClientKey, ClientTransaction] = {}
        self._invites: dict[str, InviteServer] = {}
        self._acks: dict[str, InviteServer] = {}
        "Refused INVITEs of RFC 2543, by what their ACK will be known by."
        self._requests: OrderedDict[str, NonInviteServer] = OrderedDict()
        "Not yet answered; all may take equally long, so the first is the first to end."
        self._resting = Resting(self._timers, remembered)
        self._merged: dict[MergeKey | None, str] = {}
        "Which transaction has a request that may come by other ways, too."
        self._by_flow: dict[Flow, set[Machine]] = {}
        "Those that end with their connection."
        self._wakings = Wakings()
        "Of all others."

    def __len__(self) -> int:
        return self._under_way + len(self._resting)

    @property
    def deadline(self) -> float | None:
        """When `timer` is to be called; None: nothing waits."""
        soonest = min(self._wakings.deadline, self._resting.deadline)
        if self._requests:
            oldest = next(iter(self._requests.values())).deadline
            soonest = soonest if oldest is None else min(soonest, oldest)
        return None if soonest == inf else soonest

    def receive(self, message: Request | Response, flow: Flow, now: float) -> list[Effect]:
        """A message has come, its top Via as `Via.received_from` leaves it."""
        if isinstance(message, Response):
            return self._receive_response(message, flow, now)
        match message.method:
            case "ACK":
                return self._receive_ack(message, flow, now)
            case "CANCEL":
                return self._receive_cancel(message, flow, now)
        key = server_key(message, flow)
        if self._knows(key):
            return self._again(message, flow, key)
        if self._is_merged(message, key):
            return [self._refusal(message, flow, key, MergedRequest.status)]
        return [NewRequest(message, flow, key)]

    def serve(self, new: NewRequest, now: float) -> ServerTransaction:
        """Makes the transaction of a request: from now on its retransmissions are absorbed.

        Raises `TooManyTransactions`, `MergedRequest`, or `AlreadyServed` where another copy was served first.
        """
        request, flow, key = new.request, new.flow, new.key
        if self._knows(key):
            raise AlreadyServed(f"a {request.method} came again before it was served")
        if self._is_merged(request, key):
            raise MergedRequest(f"the {request.method} is being served already, by another way")
        self._make_room()
        transaction: ServerTransaction
        if request.method == "INVITE":
            transaction = self._invites[key] = InviteServer(request, flow, self._timers, key, now)
            self._wakings.expect(transaction)
        else:
            transaction = self._requests[key] = NonInviteServer(request, flow, self._timers, key, now)
        if (same := merge_key(request)) is not None:
            self._merged[same] = key
        self._hold_by_flow(transaction)
        return transaction

    def respond(self, transaction: ServerTransaction, response: Response, now: float) -> list[Effect]:
        """Sends a response. One that comes too late, after the transaction has failed, goes nowhere."""
        effects = transaction.respond(response, now)
        is_refused = bool(effects) and response.status >= 300
        if is_refused and isinstance(transaction, InviteServer):
            self._await_ack_of_rfc_2543(transaction)
        return self._after(transaction, effects, now)

    def request(
        self, request: Request, flow: Flow, now: float, *, unless_large: bool = False
    ) -> tuple[ClientTransaction, list[Effect]]:
        """Sends a request, our Via on top of its own; `request` itself is left as it is.

        Raises `TooManyTransactions`, and with `unless_large` `TooLarge`.
        """
        self._make_room()
        branch = self._branches()
        make = InviteClient if request.method == "INVITE" else NonInviteClient
        transaction = make(with_via(request, flow, branch), flow, self._timers, (branch, request.method))
        if unless_large and transaction.size > LARGEST_DATAGRAM and not flow.transport.is_reliable:
            raise TooLarge(transaction.size)
        return transaction, self._start(transaction, now)

    def abandon(self, transaction: ClientTransaction) -> None:
        """Nobody waits for the answer any more: the request, which is no INVITE, is not sent again.

        An answer that comes yet is told as `Stray`.
        """
        transaction.abandon()
        self._remove(transaction)

    def acknowledge(self, ack: Request, flow: Flow) -> Send:
        """Sends the ACK of a 2xx, which has no transaction; its bytes answer each further 2xx (§13.2.2.4)."""
        return Send(flow, bytes(with_via(ack, flow, self._branches())))

    def cancel(
        self, transaction: ClientTransaction, now: float, reasons: Iterable[Reason] = ()
    ) -> list[Effect]:
        """Cancels an INVITE, as soon as that may be; without effect once it has its answer (§9.1).

        The answer is told as ever: mostly a 487, or a 2xx that was faster; or it fails after 32 s.
        Raises `ValueError` for other methods.
        """
        return self._send_cancel(transaction, transaction.cancel([str(each) for each in reasons], now), now)

    def closed(self, flow: Flow, now: float) -> list[Effect]:
        """A flow is no more: whatever needed it fails."""
        if flow.transport.is_reliable:
            ending = list(self._by_flow.get(flow, ()))
        else:
            every: tuple[Iterable[Machine], ...] = (
                self._clients.values(),
                self._invites.values(),
                self._requests.values(),
            )
            ending = [each for each in itertools.chain(*every) if each.flow == flow]
        return [effect for machine in ending for effect in self._after(machine, machine.closed(), now)]

    def timer(self, now: float) -> list[Effect]:
        """Does what is due by `now`."""
        effects: list[Effect] = []
        for machine in self._wakings.due(now):
            effects += self._after(machine, machine.timer(now), now)
        while self._requests:
            oldest = next(iter(self._requests.values()))
            if oldest.deadline is None or oldest.deadline > now:
                break
            effects += self._after(oldest, oldest.timer(now), now)
        self._resting.timer(now)
        return effects

    def _receive_response(self, response: Response, flow: Flow, now: float) -> list[Effect]:
        if len(response.via) > 1:
            # Not for us, whatever it says (§8.1.3.3).
            return []
        key = client_key(response)
        transaction = self._clients.get(key)
        if transaction is None:
            late = self._resting.receive(key, response)
            return [Stray(response, flow)] if late is None else late
        effects = self._after(transaction, transaction.receive(response, now), now)
        return effects + self._send_cancel(transaction, transaction.held_back_cancel(now), now)

    def _receive_ack(self, ack: Request, flow: Flow, now: float) -> list[Effect]:
        key = server_key(ack, flow, "INVITE")
        invite = self._invites.get(key) or self._acks.get(key)
        if invite is None:
            return [Acknowledged(ack, flow)]
        invite.acknowledged(now)
        return self._after(invite, [], now)

    def _receive_cancel(self, cancel: Request, flow: Flow, now: float) -> list[Effect]:
        key = server_key(cancel, flow)
        if self._knows(key):
            return self._again(cancel, flow, key)
        cancelled = server_key(cancel, flow, "INVITE")
        invite = self._invites.get(cancelled)
        if invite is None and cancelled not in self._resting.accepted:
            return [self._refusal(cancel, flow, key, 481)]
        tag = self._resting.accepted.get(cancelled) if invite is None else invite.to_tag
        answer = bytes(cancel.response(200, to_tag=tag or self._tag(key)))
        if not flow.transport.is_reliable:
            self._resting.answer(key, answer, now)
        effects: list[Effect] = [Reply(cancel, flow, answer)]
        if invite is not None and invite.can_be_cancelled:
            invite.is_cancelled = True
            effects.append(Cancelled(invite, cancel))
        return effects

    def _await_ack_of_rfc_2543(self, invite: InviteServer) -> None:
        if (key := _ack_key_of_rfc_2543(invite)) is not None:
            self._acks[key] = invite

    def _again(self, request: Request, flow: Flow, key: str) -> list[Effect]:
        """What a retransmission gets."""
        answer = self._resting.answers.get(key)
        transaction = self._requests.get(key) or self._invites.get(key)
        if transaction is not None:
            answer = transaction.again()
        return [] if answer is None else [Reply(request, flow, answer)]

    def _is_merged(self, request: Request, key: str) -> bool:
        same = merge_key(request)
        if same is None:
            return False
        return (self._merged.get(same) or self._resting.copy_of(same) or key) != key

    def _refusal(self, request: Request, flow: Flow, key: str, status: int) -> Refused:
        return Refused(request, flow, request.response(status, to_tag=self._tag(key)))

    def _tag(self, key: str) -> str:
        """A To tag for an answer without state: the same each time (§8.2.7)."""
        data = key.encode("utf-8", "surrogateescape")
        return hashlib.blake2b(data, key=self._secret, digest_size=_TAG_BYTES).hexdigest()

    def _start(self, transaction: ClientTransaction, now: float) -> list[Effect]:
        self._clients[transaction.key] = transaction
        self._hold_by_flow(transaction)
        return self._after(transaction, transaction.start(now), now)

    def _send_cancel(self, invite: ClientTransaction, cancel: Request | None, now: float) -> list[Effect]:
        if cancel is None:
            return []
        # From now on the INVITE waits, but not for ever.
        self._after(invite, [], now)
        key = (invite.key[0], cancel.method)
        return self._start(NonInviteClient(cancel, invite.flow, self._timers, key), now)

    def _make_room(self) -> None:
        if self._under_way >= self._most:
            raise TooManyTransactions(f"{self._most} transactions are under way")

    @property
    def _under_way(self) -> int:
        return len(self._clients) + len(self._invites) + len(self._requests)

    def _knows(self, key: str) -> bool:
        return key in self._requests or key in self._invites or key in self._resting

    def _after(self, machine: Machine, effects: list[Effect], now: float) -> list[Effect]:
        """Looks to what a machine has become; gives back what of its effects is for the driver."""
        if machine.has_ended:
            self._remove(machine)
        elif machine.rests:
            if self._remove(machine):
                self._resting.add(machine, now)
        elif not isinstance(machine, NonInviteServer):
            self._wakings.expect(machine)
        if isinstance(machine, ClientTransaction) and machine.request.method == "CANCEL":
            # What becomes of a CANCEL is seen by its INVITE.
            return [effect for effect in effects if not isinstance(effect, Answered | Failed)]
        return effects

    def _remove(self, machine: Machine) -> bool:
        """Whether it was there."""
        # By now another may have the key of one that ended before.
        match machine:
            case ClientTransaction(key=branch) if self._clients.get(branch) is machine:
                del self._clients[branch]
            case NonInviteServer(key=key) if self._requests.get(key) is machine:
                del self._requests[key]
            case InviteServer(key=key) if self._invites.get(key) is machine:
                del self._invites[key]
                if (ack := _ack_key_of_rfc_2543(machine)) is not None:
                    self._acks.pop(ack, None)
            case _:
                return False
        if self._merged and isinstance(machine, ServerTransaction):
            self._merged.pop(merge_key(machine.request), None)
        self._wakings.forget(machine)
        if machine.flow.transport.is_reliable:
            kept = self._by_flow[machine.flow]
            kept.discard(machine)
            if not kept:
                del self._by_flow[machine.flow]
        return True

    def _hold_by_flow(self, machine: Machine) -> None:
        if machine.flow.transport.is_reliable:
            self._by_flow.setdefault(machine.flow, set()).add(machine)


def _ack_key_of_rfc_2543(invite: InviteServer) -> str | None:
    request = invite.request
    return None if request.via[0].is_branch_unique else ack_key(request, invite.flow, invite.to_tag)
