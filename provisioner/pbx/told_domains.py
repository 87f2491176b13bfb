"""Names of this server that only some phones are told (`sip_host` in a company file)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from db.changes import ALL
from db.engine import Database
from db.queries.told_hosts import told_hosts
from provisioner.pbx.domains import Domains
from provisioner.pbx.news import News
from provisioner.store.options import option_from_json
from sip.message.uri import canonical_host

_SCOPES = ("customer:", "device:", "models")
"What a change's scope begins with that may have told phones another host (`db.changes.touch`)."


class ToldDomains(Domains):
    """The names that are given, and those that are told."""

    def __init__(self, names: Iterable[str], database: Database, news: News) -> None:
        super().__init__(names)
        self._given = self._names
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
            told = [option_from_json("sip_host", value) for value in await told_hosts(self._database)]
            self._names = self._given.union(canonical_host(name) for name in told)
            self._is_stale = not (trusts and self._news.hear() and moment == self._news.moment)

    def _hear(self, scopes: Sequence[str]) -> None:
        if any(scope == ALL or scope.startswith(_SCOPES) for scope in scopes):
            self._is_stale = True
