"""The registrar: what a REGISTER does to the bindings of an AOR (RFC 3261 §10.3).

Steps 1 to 5 (whose domain it is, Require, who asks, whether they may, which AOR it is) need what is not known
here; who calls `register` has taken them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from sys import intern
from typing import Self

from sip.binding import Binding, Change, ChangeKind, Key
from sip.message import lexer
from sip.message.message import Request, Response
from sip.message.values import write_date
from sip.registrar_contact import Asked, Limits, Outbound, storable, supports
from sip.registrar_errors import BadContact, OutOfOrder, PathNotSupported, TooManyBindings
from sip.registrar_match import binding_of, displaces, moved_from
from sip.transport.flow import Address, Flow, Transport


@dataclass(frozen=True, slots=True)
class Origin:
    """The flow that a REGISTER came by, as far as it is kept."""

    transport: Transport
    remote: Address
    local: Address

    @classmethod
    def of(cls, flow: Flow) -> Self:
        """Of this flow."""
        return cls(flow.transport, flow.remote, flow.local)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a REGISTER does. Nothing is done yet: once it is stored, it is to be applied and answered."""

    bindings: tuple[Binding, ...]
    "All of the AOR, after it."
    changes: tuple[Change, ...]
    "In order. None: it only asked, or repeats what was done, and there is nothing to store."
    headers: tuple[tuple[str, str], ...]
    "Of the 200, beside Date and what every response has."

    def response(self, request: Request, date: datetime, to_tag: str) -> Response:
        """The 200 (step 8)."""
        response = request.response(200, to_tag=to_tag)
        response.headers.add("Date", write_date(date))
        for name, value in self.headers:
            response.headers.add(name, value)
        return response


def register(
    request: Request,
    aor: str,
    origin: Origin,
    bindings: Iterable[Binding],
    now: float,
    limits: Limits,
    chance: Callable[[], float],
    *,
    device_id: int | None = None,
    dead: Collection[Key] = (),
) -> Decision:
    """What `request`, which may change `aor`, does to its `bindings` at `now` (loop time, seconds).

    `chance` returns 0 to 1, below 1. `device_id` goes into the bindings that are made. The bindings of `dead`
    are known to be out of reach: they give way where there are too many. A binding that has lapsed counts no
    more; if it is given all the same, that it expired is among the changes.
    Raises `RegisterRefused`, or `MessageError` for a header that can't be read; nothing has changed then.
    """
    work = _Work(request, aor, origin, now, limits, device_id)
    for binding in bindings:
        if binding.expires_at > now:
            work.held.append(binding)
        else:
            work.tell(ChangeKind.EXPIRED, binding)
    contacts = request.contact
    if not contacts:
        # Step 6: a star takes back all bindings; without a Contact it only asks (§10.2.3).
        if request.is_contact_star:
            work.take_back_all()
        return work.decision()
    if len(contacts) > 2 * limits.bindings:
        # All that there may be taken back, and as many made: what is more is never granted, so don't compare.
        raise TooManyBindings(limits.bindings)
    # Step 7: all or nothing. Until the decision is returned, only `work` knows.
    outbound = Outbound(request)
    path = _path(request, limits)
    expires_s = request.expires_s
    asked = [Asked.of(each, expires_s, outbound, limits, origin.local, chance) for each in contacts]
    kept = [each for each in asked if each.granted_s]
    taken_back = [each for each in asked if not each.granted_s]
    count_before = len(work.held)
    for each in kept:
        work.take(each, kept, taken_back, outbound, path)
    for each in taken_back:
        work.take_back(each)
    if len(work.held) > max(limits.bindings, count_before):
        work.make_room(dead)
    # Step 8, for what is asked beside the Contacts.
    headers: list[tuple[str, str]] = []
    if path and supports(request, "path"):
        headers.append(("Path", ", ".join(path)))
    if any(each.reg_id is not None for each in asked) and outbound.is_asked:
        headers.append(("Require", "outbound"))
        if outbound.is_direct and limits.flow_timer_s is not None:
            headers.append(("Flow-Timer", str(limits.flow_timer_s)))
    return work.decision(headers)


class _Work:
    """What one REGISTER has done so far."""

    def __init__(
        self, request: Request, aor: str, origin: Origin, now: float, limits: Limits, device_id: int | None
    ) -> None:
        self._request, self._aor, self._origin, self._now, self._limits = request, aor, origin, now, limits
        self._device_id = device_id
        self._call_id = storable(request.call_id, "Call-ID", limits)
        self._cseq = request.cseq.number
        self._changes: list[Change] = []
        self.held: list[Binding] = []

    def tell(self, kind: ChangeKind, binding: Binding, before: Binding | None = None) -> None:
        self._changes.append(Change(kind, self._aor, binding, self._now, before))

    def end(self, kind: ChangeKind, binding: Binding) -> None:
        self.held.remove(binding)
        self.tell(kind, binding)

    def made(self, binding: Binding) -> bool:
        """Whether `binding` is of this request, or of what it repeats."""
        return binding.cseq == self._cseq and binding.call_id == self._call_id

    def check_order(self, binding: Binding) -> None:
        """Raises `OutOfOrder`. Another Call-ID is another phone, or one started anew: it counts anew."""
        if binding.call_id == self._call_id and self._cseq <= binding.cseq:
            raise OutOfOrder(binding.cseq)

    def take(
        self,
        asked: Asked,
        kept: Sequence[Asked],
        taken_back: Sequence[Asked],
        outbound: Outbound,
        path: tuple[str, ...],
    ) -> None:
        """Step 7 for one Contact that is to be bound. Raises `OutOfOrder`.

        `kept` and `taken_back` are all Contacts of the request.
        """
        before = binding_of(self.held, asked) or moved_from(self.held, asked, kept, taken_back)
        if before is not None:
            if self.made(before) and before.contact == asked.text:
                # The same once more, perhaps because the answer got lost: it is done, and not done twice.
                return
            self.check_order(before)
        binding = self._binding(asked, path, before)
        for old in self.held[:]:
            if (
                old is not before
                and all(old.contact != each.text for each in kept)
                and displaces(binding, asked.uri, old, is_new=before is None, is_direct=outbound.is_direct)
            ):
                self.end(ChangeKind.DISPLACED, old)
        if before is None:
            self.held.append(binding)
            self.tell(ChangeKind.REGISTERED, binding)
            return
        self.held[self.held.index(before)] = binding
        is_same = binding.key == before.key and binding.way == before.way
        self.tell(ChangeKind.REFRESHED if is_same else ChangeKind.MOVED, binding, before)

    def take_back(self, asked: Asked) -> None:
        """Step 7 for one Contact that is bound no longer. Raises `OutOfOrder`."""
        binding = binding_of(self.held, asked)
        if binding is not None:
            self.check_order(binding)
            self.end(ChangeKind.UNREGISTERED, binding)

    def take_back_all(self) -> None:
        """Step 6. Raises `OutOfOrder`, `BadContact`."""
        if self._request.expires_s != 0:
            raise BadContact("a star as Contact stands with Expires: 0 alone")
        for binding in self.held[:]:
            self.check_order(binding)
            self.end(ChangeKind.UNREGISTERED, binding)

    def _binding(self, asked: Asked, path: tuple[str, ...], before: Binding | None) -> Binding:
        now, origin = self._now, self._origin
        return Binding(
            contact=asked.text,
            call_id=self._call_id,
            cseq=self._cseq,
            transport=origin.transport,
            remote=origin.remote,
            local=origin.local,
            registered_at=now if before is None else before.registered_at,
            refreshed_at=now,
            expires_at=now + asked.granted_s,
            instance=asked.instance,
            reg_id=asked.reg_id,
            q=asked.q,
            path=path,
            user_agent=self._user_agent(),
            refreshes=0 if before is None else before.refreshes + 1,
            device_id=self._device_id,
        )

    def _user_agent(self) -> str | None:
        """Who it says it is. For people, so never a reason to refuse."""
        text = self._request.headers.get("User-Agent")
        if not text:
            return None
        text = text[: self._limits.user_agent]
        if not text.isprintable():
            text = "".join(c if c.isprintable() else "\ufffd" for c in text)
        # A hundred thousand phones are of a few models.
        return intern(text)

    def make_room(self, dead: Collection[Key]) -> None:
        """Drops bindings that are out of reach. Raises `TooManyBindings` if those aren't enough."""
        for binding in self.held[:]:
            if len(self.held) <= self._limits.bindings:
                return
            if binding.key in dead and not self.made(binding):
                self.end(ChangeKind.DISPLACED, binding)
        if len(self.held) > self._limits.bindings:
            raise TooManyBindings(self._limits.bindings)

    def decision(self, headers: Sequence[tuple[str, str]] = ()) -> Decision:
        """Step 8: all bindings, each with the time that it has left."""
        contacts = [("Contact", _contact(each, self._now)) for each in self.held]
        return Decision(tuple(self.held), tuple(self._changes), (*contacts, *headers))


def _path(request: Request, limits: Limits) -> tuple[str, ...]:
    """The Path, as it is kept. Raises `PathNotSupported`, `NotStorable`."""
    if not (path := request.path):
        return ()
    if limits.is_path_strict and not supports(request, "path"):
        raise PathNotSupported
    kept = tuple(map(str, path))
    storable("".join(kept), "Path", limits)
    return kept


def _contact(binding: Binding, now: float) -> str:
    text = f"<{binding.contact}>;expires={binding.remaining_s(now)}"
    if binding.q is not None:
        text += f";q={binding.q:g}"
    if binding.instance is not None:
        text += f";+sip.instance={lexer.quoted(binding.instance)}"
        if binding.reg_id is not None:
            text += f";reg-id={binding.reg_id}"
    return text
