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
_MOST_FORMER = 1_000


class ToldDomains(Domains):
    """The names that are given, and those that are told.

    One that phones are told no longer stays ours while the server runs: until each has fetched its new file,
    which may take as long as a roll-out, it registers and calls by that.
    """

    def __init__(self, names: Iterable[str], database: Database, news: News) -> None:
        super().__init__(names)
        self._given = self._names
        self._database = database
        self._news = news
        self._told: dict[str, None] = {}
        "The newest last; the oldest go where there are too many that are told no longer."
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
            told = {canonical_host(option_from_json("sip_host", value)): None for value in values}
            former = [name for name in self._told if name not in told][-_MOST_FORMER:]
            self._told = dict.fromkeys(former) | told
            self._names = self._given.union(self._told)
            self._is_stale = not (trusts and self._news.hear() and moment == self._news.moment)

    def _hear(self, scopes: Sequence[str]) -> None:
        if any(scope == ALL or scope.startswith(_SCOPES) for scope in scopes):
            self._is_stale = True
