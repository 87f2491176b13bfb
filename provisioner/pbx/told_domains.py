"""Names of this server that phones are told, or were once (`sip_host` in `[public]` or a company file)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Sequence
from functools import partial

from db.changes import ALL
from db.engine import Database
from db.errors import StorageError
from db.queries.told_hosts import keep_hosts, kept_hosts, told_hosts
from provisioner.pbx.domains import Domains
from provisioner.pbx.news import News
from provisioner.store.options import option_from_json
from sip.message.uri import canonical_host

logger = logging.getLogger(__name__)

_SCOPES = ("customer:", "device:", "models")
"What a change's scope begins with that may have told phones another host (`db.changes.touch`)."
_MOST_FORMER = 1_000
"Of those that phones are told no longer. Whose files are older than that knows none of ours."


class ToldDomains(Domains):
    """The names that are given, and those that are told.

    One that phones are told no longer stays ours, also when the server has started anew: until each has
    fetched its new file, which may take as long as a roll-out, it registers and calls by that.
    """

    def __init__(self, names: Iterable[str], public: str, database: Database, news: News) -> None:
        """`public`: which of the names phones are told that are told no other."""
        super().__init__(names)
        self._given = self._names
        self._public = canonical_host(public)
        self._database = database
        self._news = news
        self._is_stale = True
        self._reading = asyncio.Lock()
        news.on_news(self._hear)

    @property
    def is_behind(self) -> bool:
        """See `Domains`."""
        return not self._news.hear() or self._is_stale

    async def catch_up(self) -> None:
        """See `Domains`."""
        # One at a time: of many phones that were told together, all but the first find it known.
        async with self._reading:
            if not self.is_behind:
                return
            trusts = self._news.hear()
            moment = self._news.moment
            values = await told_hosts(self._database)
            told = {self._public: None}
            told |= {canonical_host(option_from_json("sip_host", value)): None for value in values}
            kept = await kept_hosts(self._database)
            former = [name for name in kept if name not in told]
            self._names = self._given.union(told, former)
            await self._keep([name for name in told if name not in kept], former[:-_MOST_FORMER])
            self._is_stale = not (trusts and self._news.hear() and moment == self._news.moment)

    async def _keep(self, new: Collection[str], old: Collection[str]) -> None:
        if not new and not old:
            return
        try:
            await self._database.appended(partial(keep_hosts, new=new, old=old))
        except StorageError as error:
            # They are ours all the same, and are kept when it is looked again.
            logger.warning("what phones are told can't be kept hosts=%s error=%s", ",".join(new), error)

    def _hear(self, scopes: Sequence[str]) -> None:
        if any(scope == ALL or scope.startswith(_SCOPES) for scope in scopes):
            self._is_stale = True
