"""The switchboards of customers, in memory and never stale (rule 2): each call looks at one or a few."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from db.changes import ALL
from db.engine import Database
from db.queries.exchanges import exchange_rows, line_rows, owner_of_line
from provisioner.centrex.dialling import NumberForms
from provisioner.centrex.exchange import Exchange
from provisioner.pbx.news import News
from provisioner.store.exchanges import exchange_of, with_line

CUSTOMER = "customer:"
"What a change's scope begins with that is about a customer; its row's number follows."
_SERVICES = "services:"
"""The same of one that only changed what a line does with its calls, as codes do; the customer's row follows,
and the line."""

_NUMBER = re.compile("[0-9]{1,20}")
"What may be a line's: who calls may dial anything."
_MOST_THINGS = 500_000
"Lines, extensions, members and the like, of all switchboards together."
_MOST_LINES = 250_000
_MOST_NOBODYS = 100_000
_MOST_STALE = 20
"Lines of a switchboard that are read anew one by one."
_MOST_ELSEWHERE = 50
"Numbers outside of the caller's company that are looked up for one call."


class Exchanges:
    """Switchboards by the lines that belong to them."""

    def __init__(self, database: Database, news: News, forms: NumberForms) -> None:
        """`forms`: in which people dial."""
        self._database = database
        self._forms = forms
        self._news = news
        self._kept: OrderedDict[int, Exchange] = OrderedDict()
        self._stale: dict[int, set[str]] = {}
        "Of those, the lines that have changed what they do with calls."
        self._things = 0
        self._owners: OrderedDict[str, int] = OrderedDict()
        self._nobodys: set[str] = set()
        "Numbers that no line has: where calls are forwarded to mobiles, each call asks for them."
        self._reading = asyncio.Lock()
        news.on_news(self._hear)

    def known(self, line: str) -> Exchange | None:
        """What memory has of the customer of a line; None: nothing that may be believed now."""
        if not self._news.hear():
            return None
        owner = self._owners.get(line)
        exchange = None if owner is None else self._kept.get(owner)
        if owner is None or exchange is None or owner in self._stale:
            return None
        self._kept.move_to_end(owner)
        self._owners.move_to_end(line)
        return exchange if line in exchange.lines else None

    async def of_line(self, line: str) -> Exchange | None:
        """Of the customer of a line; None: there is no such line. Raises `StorageError`."""
        exchange = self.known(line)
        if exchange is not None or (self._news.hear() and line in self._nobodys):
            return exchange
        # One at a time: of many calls that wait for the same one, all but the first find it in memory.
        async with self._reading:
            return self.known(line) or await self._read(line)

    async def elsewhere(self, exchange: Exchange, dialled: str) -> Mapping[str, Exchange]:
        """Those that a call to `dialled` may come to by all that is set, by their lines' numbers.

        Raises `StorageError`.
        """
        found: dict[str, Exchange] = {}
        asked: set[str] = set()
        waiting = [(exchange, dialled)]
        while waiting:
            here, number = waiting.pop()
            for outside in here.leads_outside(number) - asked:
                if len(asked) == _MOST_ELSEWHERE:
                    return found
                asked.add(outside)
                other = await self.of_line(outside) if _NUMBER.fullmatch(outside) else None
                if other is not None:
                    found[outside] = other
                    waiting.append((other, outside))
        return found

    async def _read(self, line: str) -> Exchange | None:
        trusts = self._news.hear()
        moment = self._news.moment
        owner = await owner_of_line(self._database, line)
        if owner is None:
            if trusts and self._news.hear() and moment == self._news.moment:
                self._note_nobodys(line)
            return None
        # A colleague may have called before.
        exchange = self._kept.get(owner) if trusts else None
        if exchange is not None:
            for changed in tuple(self._stale.get(owner, ())):
                exchange = with_line(exchange, await line_rows(self._database, owner, changed))
        else:
            rows = await exchange_rows(self._database, owner)
            if rows is None:
                return None
            exchange = exchange_of(owner, rows, self._forms)
        if line not in exchange.lines:
            return None
        if trusts and self._news.hear() and moment == self._news.moment:
            self._keep(line, exchange)
        return exchange

    def _keep(self, line: str, exchange: Exchange) -> None:
        self._forget(exchange.customer_id)
        self._kept[exchange.customer_id] = exchange
        self._things += exchange.size
        while self._things > _MOST_THINGS and len(self._kept) > 1:
            self._forget(next(iter(self._kept)))
        self._owners[line] = exchange.customer_id
        self._owners.move_to_end(line)
        if len(self._owners) > _MOST_LINES:
            self._owners.popitem(last=False)

    def _note_nobodys(self, number: str) -> None:
        if len(self._nobodys) >= _MOST_NOBODYS:
            self._nobodys.clear()
        self._nobodys.add(number)

    def _note_stale(self, customer_id: int, line: str) -> None:
        if customer_id in self._kept:
            stale = self._stale.setdefault(customer_id, set())
            stale.add(line)
            if len(stale) > _MOST_STALE:
                self._forget(customer_id)

    def _forget(self, customer_id: int) -> None:
        self._stale.pop(customer_id, None)
        exchange = self._kept.pop(customer_id, None)
        if exchange is not None:
            self._things -= exchange.size

    def _hear(self, scopes: Sequence[str]) -> None:
        for scope in scopes:
            if scope == ALL:
                self._kept.clear()
                self._stale.clear()
                self._owners.clear()
                self._things = 0
                self._nobodys.clear()
            elif scope.startswith(_SERVICES):
                _, customer_id, line = scope.split(":")
                self._note_stale(int(customer_id), line)
            elif scope.startswith(CUSTOMER):
                self._forget(int(scope.partition(":")[2]))
                # It may have got a line.
                self._nobodys.clear()
