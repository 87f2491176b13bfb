"""Phones that want to be told of their own line: where it is registered (RFC 3680), whether messages wait.

Nobody is told of another line.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable

from provisioner.pbx.authentication import Authentication, Caller
from provisioner.pbx.domains import Domains
from sip.errors import SipError
from sip.location import Location
from sip.message.uri import SipUri
from sip.notifier import Admission, Notifier, Notify
from sip.packages.message_summary import Mailbox, MessageSummaryPackage
from sip.packages.reg import Registration, RegPackage
from sip.server import Incoming, SipServer
from sip.subscription_errors import NotAllowed, TooManySubscriptions
from sip.tags import new_tag
from sip.watch import Watch

logger = logging.getLogger(__name__)

_IDLE_S = 1.0
"How soon a time is noticed that has come nearer."
_MOST_UNHEARD = 400
"NOTIFYs of one line that wait for an answer: each has a transaction, of which others need some, too."
_AGAIN_S = 60


class Subscriptions:
    """The driver of `sip.notifier`."""

    def __init__(
        self,
        server: SipServer,
        authentication: Authentication,
        domains: Domains,
        location: Location,
        tasks: asyncio.TaskGroup,
        reg: RegPackage | None = None,
    ) -> None:
        self._server = server
        self._authentication = authentication
        self._domains = domains
        self._location = location
        self._tasks = tasks
        self._reg, self._messages = reg or RegPackage(), MessageSummaryPackage()
        self._notifier = Notifier((self._reg, self._messages), new_tag)
        self._watched: dict[str, tuple[SipUri, Watch]] = {}
        "The AOR of each line whose registrations are told, and who watches it."
        self._changed: set[str] = set()
        "Of those, the lines with news."
        self._unheard: Counter[str] = Counter()
        "NOTIFYs that wait for an answer, by line."
        self._woken = asyncio.Event()
        server.on("SUBSCRIBE", self._subscribe)

    async def run(self) -> None:
        """Tells what is new, and ends what has not been refreshed, until it is cancelled."""
        while True:
            due = self._notifier.deadline
            wait_s = _IDLE_S if due is None else min(_IDLE_S, max(0.0, due - self._server.now()))
            try:
                async with asyncio.timeout(wait_s):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()
            self._send(self._notifier.timer(self._server.now()))
            changed, self._changed = self._changed, set()
            for line in changed:
                self._publish(line)

    def _subscribe(self, incoming: Incoming) -> None:
        self._authentication.admit(incoming, self._subscribes)

    def _subscribes(self, incoming: Incoming, caller: Caller) -> None:
        if self._unheard[caller.number] >= _MOST_UNHEARD:
            raise TooManySubscriptions(_AGAIN_S)
        incoming.serve()
        subscribed = self._notifier.subscribe(
            incoming.request,
            incoming.flow,
            self._server.now(),
            caller.number,
            lambda package: self._admit(incoming, caller, package),
        )
        incoming.answer(subscribed.response)
        self._send(subscribed.notifies)

    def _admit(self, incoming: Incoming, caller: Caller, package: str) -> Admission:
        uri = incoming.request.uri
        line = self._domains.line_of(uri, incoming.flow)
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

    def _send(self, notifies: Iterable[Notify]) -> None:
        for notify in notifies:
            self._tasks.create_task(self._notify(notify))

    async def _notify(self, notify: Notify) -> None:
        line = notify.subscription.resource
        try:
            await self._tell(notify, line)
        except Exception:
            # Whatever is wrong with one, the others are told.
            logger.exception("a phone could not be told aor=%s", line)

    async def _tell(self, notify: Notify, line: str) -> None:
        self._unheard[line] += 1
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
