"""Subscriptions outlive their server: what it could not say to its subscribers the next one says.

Of each it is kept how to end it (RFC 6665 §4.1.3, `deactivated`): its phone then subscribes anew, and its
keys show what is so now. Over UDP alone: whose connection has gone with the server learns of it by that.
Nobody waits for what is written here; a subscription of the last second before a crash may not be known.
"""

from __future__ import annotations

import asyncio
import logging

from db.engine import Database
from db.errors import StorageError
from db.queries import subscriptions as queries
from db.queries.subscriptions import KeptSubscription
from db.writing import Writer
from provisioner.settings import split_address
from sip.errors import SipError
from sip.message.errors import MessageError
from sip.message.message import Request
from sip.message.parser import parse_datagram
from sip.server import SipServer
from sip.subscription import Subscription
from sip.transport.flow import Address, Transport
from sip.transport.transport import SipTransport

logger = logging.getLogger(__name__)

_TICK_S = 0.5
_PER_S = 300
_AT_ONCE = 1_000
"NOTIFYs that wait for an answer, half a minute where there is nobody."
_VIA = "SIP/2.0/UDP nowhere.invalid"
"Stands in what is kept, for no message is read without one."


class Farewells:
    """Keeps how to end each subscription, and ends those that the server before has left."""

    def __init__(self, database: Database, server: SipServer, transport: SipTransport) -> None:
        self._database = database
        self._server = server
        self._transport = transport
        self._has_begun = False
        self._known: dict[str, Address] = {}
        "By our tag: where each is, as it is written or soon will be."
        self._new: dict[str, KeptSubscription] = {}
        self._over: set[str] = set()
        "Of both what is not written yet."

    def note(self, subscription: Subscription) -> None:
        """It is there, perhaps elsewhere than before; or it is over."""
        tag = subscription.key[0].local_tag
        if subscription.ended is not None:
            if self._known.pop(tag, None) is not None:
                self._new.pop(tag, None)
                self._over.add(tag)
            return
        flow = subscription.flow
        if flow.transport is Transport.UDP and self._known.get(tag) != flow.remote:
            told = subscription.farewell()
            told.headers.prepend("Via", _VIA)
            text = bytes(told).decode("utf-8", "replace")
            self._known[tag] = flow.remote
            self._new[tag] = KeptSubscription(tag, str(flow.remote), str(flow.local), text)

    async def run(self) -> None:
        """Ends what was left, then writes what is noted, until it is cancelled."""
        # Begun anew after a mistake of ours, all that is there is our own.
        left = [] if self._has_begun else await self._taken()
        self._has_begun = True
        async with asyncio.TaskGroup() as tasks:
            ending = tasks.create_task(self._end(left))
            try:
                while True:
                    await asyncio.sleep(_TICK_S)
                    await self.write()
            finally:
                ending.cancel()

    async def write(self) -> None:
        """Writes what has changed, if that can be done now."""
        if not self._new and not self._over:
            return
        new, self._new = self._new, {}
        over, self._over = self._over, set()

        async def write(writer: Writer) -> None:
            await queries.keep(writer, list(new.values()))
            await queries.forget(writer, over)

        try:
            await self._database.appended(write)
        except StorageError as error:
            logger.debug("subscriptions are not kept count=%d error=%s", len(new), error)
            still = {tag: kept for tag, kept in new.items() if tag in self._known}
            self._new, self._over = still | self._new, over | self._over

    async def _taken(self) -> list[KeptSubscription]:
        try:
            return await self._database.appended(queries.take)
        except StorageError as error:
            logger.warning("what subscriptions were left is not known error=%s", error)
            return []

    async def _end(self, left: list[KeptSubscription]) -> None:
        """One after another, for each phone subscribes anew; none is waited for that is there no more."""
        if left:
            logger.info("phones are had subscribe anew count=%d", len(left))
        free = asyncio.Semaphore(_AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            for kept in left:
                await free.acquire()
                tasks.create_task(self._say(kept)).add_done_callback(lambda _: free.release())
                await asyncio.sleep(1 / _PER_S)

    async def _say(self, kept: KeptSubscription) -> None:
        try:
            notify = parse_datagram(kept.farewell.encode())
            remote = Address(*split_address(kept.remote))
            local = Address(*split_address(kept.local_address))
        except (MessageError, ValueError):
            logger.debug("a subscription can't be ended tag=%s", kept.tag)
            return
        flow = self._transport.flow_to(Transport.UDP, remote, local)
        if not isinstance(notify, Request) or flow is None:
            return
        notify.headers.remove("Via")
        try:
            await self._server.ask(notify, flow)
        except SipError as error:
            # Too much is under way: it asks again by itself.
            logger.debug("not told remote=%s error=%s", kept.remote, error)
