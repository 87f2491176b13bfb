"""Phones that want to be told: where their line is registered (RFC 3680), whether messages wait for it, and
what lines and groups of their company are doing (RFC 4235).

Of another line nobody is told anything but whether it is in a call.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from db.errors import StorageError
from provisioner.centrex.exchange import Exchange
from provisioner.pbx.authentication import Authentication, Caller
from provisioner.pbx.domains import Domains
from provisioner.pbx.lamp_watch import LampWatch
from provisioner.pbx.lamps import Lamps, Place
from provisioner.pbx.lookups import once_known
from provisioner.pbx.router import Switchboards
from sip.errors import SipError
from sip.location import Location
from sip.message.uri import SipUri
from sip.notifier import Admission, Notifier, Notify
from sip.packages.dialog import DialogPackage
from sip.packages.message_summary import Mailbox, MessageSummaryPackage
from sip.packages.reg import Registration, RegPackage
from sip.server import Incoming, SipServer
from sip.subscription import DEACTIVATED, NO_RESOURCE, Subscription
from sip.subscription_errors import NoSuchState, NotAllowed, TooManySubscriptions
from sip.tags import new_tag
from sip.watch import Watch

logger = logging.getLogger(__name__)

_IDLE_S = 1.0
"How soon a time is noticed that has come nearer."
_MOST_UNHEARD = 400
"NOTIFYs of one line that wait for an answer: each has a transaction, of which others need some, too."
_AGAIN_S = 60
_GOODBYE_S = 2.0
"How long phones are waited for that are told of the end."
_AT_ONCE = 200
_LOOK_S = 0.02


class Changes(Protocol):
    """Who tells of changes (see `provisioner.pbx.news.News`)."""

    def on_news(self, hear: Callable[[Sequence[str]], None]) -> None:
        """Has `hear` told the scopes (`db.changes`) of every change."""


class Subscriptions:
    """The driver of `sip.notifier`."""

    def __init__(
        self,
        server: SipServer,
        authentication: Authentication,
        domains: Domains,
        location: Location,
        tasks: asyncio.TaskGroup,
        exchanges: Switchboards,
        news: Changes,
        reg: RegPackage | None = None,
        note: Callable[[Subscription], None] = lambda _: None,
    ) -> None:
        """`note` is told of each subscription, whenever there is something to tell its subscriber."""
        self._note = note
        self._server = server
        self._authentication = authentication
        self._domains = domains
        self._location = location
        self._tasks = tasks
        self._exchanges = exchanges
        self._reg, self._messages = reg or RegPackage(), MessageSummaryPackage()
        self._dialog = DialogPackage()
        self._notifier = Notifier((self._reg, self._messages, self._dialog), new_tag)
        self._watched: dict[str, tuple[SipUri, Watch]] = {}
        "The AOR of each line whose registrations are told, and who watches it."
        self._changed: set[str] = set()
        "Of those, the lines with news."
        self.lamps = Lamps(self._lit)
        "Are to be told of all calls."
        self._lamp_watch = LampWatch(self.lamps)
        self._lit_anew: set[str] = set()
        "Lamps that may show something else now."
        self._in_doubt: set[str] = set()
        "Lamps of companies that have changed."
        self._unheard: Counter[str] = Counter()
        "NOTIFYs that wait for an answer, by the line that is told."
        self._woken = asyncio.Event()
        self._is_closing = False
        self._wakes_at = 0.0
        "When times are looked at next, unless it is woken."
        news.on_news(self._hear)
        server.on("SUBSCRIBE", self._subscribe)

    async def run(self) -> None:
        """Tells what is new, and ends what has not been refreshed, until it is cancelled."""
        while True:
            due = self._notifier.deadline
            now = self._server.now()
            self._wakes_at = now + _IDLE_S if due is None else min(now + _IDLE_S, due)
            try:
                async with asyncio.timeout(max(0.0, self._wakes_at - now)):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()
            self._send(self._notifier.timer(self._server.now()))
            changed, self._changed = self._changed, set()
            for line in changed:
                self._publish(line)
            lit, self._lit_anew = self._lit_anew, set()
            for resource in lit:
                self._publish_lamp(resource)
            if self._in_doubt:
                await self._look_at_companies()

    async def close(self) -> None:
        """Has everybody subscribe anew: the next server knows nobody, and no key is to wait until it asks.

        Whoever doesn't answer that is not waited for.
        """
        self._is_closing = True
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_S):
                for number, subscription in enumerate(self._notifier.all):
                    self._send(self._notifier.end(subscription, DEACTIVATED, self._server.now()))
                    if number % _AT_ONCE == 0:
                        await asyncio.sleep(0)
                while self._unheard:  # noqa: ASYNC110 - nobody tells of it
                    await asyncio.sleep(_LOOK_S)

    def _subscribe(self, incoming: Incoming) -> None:
        if self._is_closing:
            # Whoever hears nothing asks again, and the next server answers.
            return
        self._authentication.admit(incoming, self._subscribes)

    def _subscribes(self, incoming: Incoming, caller: Caller) -> None:
        if self._unheard[caller.number] >= _MOST_UNHEARD:
            raise TooManySubscriptions(_AGAIN_S)
        incoming.serve()
        event = incoming.request.event
        if event is not None and event.package.lower() == self._dialog.name:
            self._tasks.create_task(self._subscribes_to_lamp(incoming, caller))
        else:
            self._take(incoming, caller, None)

    async def _subscribes_to_lamp(self, incoming: Incoming, caller: Caller) -> None:
        await once_known(
            incoming,
            self._exchanges.of_line(caller.number),
            "whose line it is",
            lambda exchange: self._take(incoming, caller, exchange),
        )

    def _take(self, incoming: Incoming, caller: Caller, exchange: Exchange | None) -> None:
        """`exchange`: of the caller's company, where lamps are asked for."""
        subscribed = self._notifier.subscribe(
            incoming.request,
            incoming.flow,
            self._server.now(),
            caller.number,
            lambda package: self._admit(incoming, caller, package, exchange),
        )
        incoming.answer(subscribed.response)
        self._send(subscribed.notifies)

    def _admit(
        self, incoming: Incoming, caller: Caller, package: str, exchange: Exchange | None
    ) -> Admission:
        uri = incoming.request.uri
        line = self._domains.line_of(uri, incoming.flow)
        if package == self._dialog.name:
            if not isinstance(uri, SipUri) or line is None:
                raise NoSuchState("that is no number of this server")
            aor = uri.address_of_record()
            if aor.port != incoming.flow.local.port:
                # One number is one lamp, or a few: not one for each port that somebody makes up.
                aor = replace(aor, port=None)
            return Admission(*self._lamp_watch.admit(exchange, caller.number, line, aor))
        if not isinstance(uri, SipUri) or line != caller.number:
            raise NotAllowed("a line's state is told to the line itself")
        aor = uri.address_of_record()
        if package == self._messages.name:
            return Admission(line, Mailbox(str(aor)))
        if line not in self._watched:
            self._watched[line] = (aor, self._location.subscribe(line, lambda: self._wake(line), pending=1))
        return Admission(line, self._registration(line, aor))

    def _wake(self, line: str) -> None:
        self._changed.add(line)
        self._woken.set()

    def _registration(self, line: str, aor: SipUri) -> Registration:
        now = self._server.now()
        return Registration(str(aor), self._location.bindings(line, now), now)

    def _publish(self, line: str) -> None:
        """The registrations of `line` are new. If nobody wants to know any more, it is watched no longer."""
        aor, watch = self._watched[line]
        if self._notifier.subscriptions(self._reg.name, line):
            watch.take()
            state = self._registration(line, aor)
            self._send(self._notifier.publish(self._reg.name, line, state, self._server.now()))
        else:
            watch.close()
            del self._watched[line]

    # Lamps

    def _lit(self, place: Place) -> None:
        """Something that lamps show has happened."""
        seen = self._lamp_watch.seen_at(place)
        if seen:
            self._lit_anew |= seen
            self._woken.set()

    def _publish_lamp(self, resource: str) -> None:
        """A lamp shows something else. If nobody watches it any more, neither do we."""
        if self._lamp_watch.asked_by(resource) is None:
            return
        if self._notifier.subscriptions(self._dialog.name, resource):
            state = self._lamp_watch.state(resource)
            self._send(self._notifier.publish(self._dialog.name, resource, state, self._server.now()))
        else:
            self._lamp_watch.forget(resource)

    def _hear(self, scopes: Sequence[str]) -> None:
        self._in_doubt.update(self._lamp_watch.of_customers(scopes))
        if self._in_doubt:
            self._woken.set()

    async def _look_at_companies(self) -> None:
        """Lamps may belong to another line now, or to none."""
        doubt, self._in_doubt = self._in_doubt, set()
        for resource in doubt:
            line = self._lamp_watch.asked_by(resource)
            if line is None:
                continue
            try:
                exchange = await self._exchanges.of_line(line)
            except StorageError as error:
                logger.debug("can't tell whose lamp it is aor=%s error=%s", line, error)
                # The next look may tell.
                self._in_doubt.add(resource)
                continue
            if self._lamp_watch.asked_by(resource) is None:
                continue
            if self._lamp_watch.moved(resource, exchange):
                self._publish_lamp(resource)
                continue
            for subscription in self._notifier.subscriptions(self._dialog.name, resource):
                self._send(self._notifier.end(subscription, NO_RESOURCE, self._server.now()))
            self._lamp_watch.forget(resource)

    def _send(self, notifies: Iterable[Notify]) -> None:
        for notify in notifies:
            self._tasks.create_task(self._notify(notify))

    async def _notify(self, notify: Notify) -> None:
        line = notify.subscription.subscriber
        try:
            await self._tell(notify, line)
        except Exception:
            # Whatever is wrong with one, the others are told.
            logger.exception("a phone could not be told aor=%s", line)

    async def _tell(self, notify: Notify, line: str) -> None:
        self._unheard[line] += 1
        self._note(notify.subscription)
        try:
            response = await self._server.ask(notify.request, notify.flow)
        except SipError as error:
            # Too much is under way: as good as no answer.
            logger.debug("not told aor=%s error=%s", line, error)
            response = None
        finally:
            self._unheard[line] -= 1
            if not self._unheard[line]:
                del self._unheard[line]
        self._send(self._notifier.answered(notify.subscription, response, self._server.now()))
        self._note(notify.subscription)
        due = self._notifier.deadline
        if due is not None and due < self._wakes_at:
            # What has happened while it was under way is told soon, and not when somebody looks.
            self._woken.set()
