"""How the numbers of a company stand by their test calls: for the page, and for who asks with a program."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from db.queries import proof_states as queries
from db.queries.chosen_lines import customer_called
from provisioner.centrex.errors import CentralkaError
from provisioner.centrex.exchange import Exchange
from provisioner.operations.exchanges import exchange_called
from provisioner.operations.fingerprints import fingerprint
from provisioner.operations.installation import Installation
from provisioner.operations.reds import reds_in

Result = queries.Result
Stand = queries.Stand


_MOST_COMPARED = 300
"Numbers of a company: of others it is enough that something of it was changed."


class Standing(StrEnum):
    """How a number stands."""

    RED = "red"
    "It did not ring as is configured, and the same test has not passed since."
    CHANGED = "changed"
    "It did, and what is set for it was changed since, or may have been."
    NEVER = "never"
    PROVEN = "proven"


@dataclass(frozen=True, slots=True)
class Tested:
    """A number that can be tested."""

    number: str
    name: str
    is_group: bool
    standing: Standing
    past: tuple[Result, ...]
    "What is kept of it, the oldest first."

    @property
    def newest(self) -> Result | None:
        """Of these."""
        return self.past[-1] if self.past else None

    @property
    def red_before(self) -> int | None:
        """The test that makes it red, where newer ones have passed and did not try the same; its id."""
        newest = self.newest
        return reds_in(newest.reds)[-1].test_call if newest and newest.passed and newest.reds else None


@dataclass(frozen=True, slots=True)
class ProofBoard:
    """A part of the numbers of a company."""

    customer: str
    counts: Counter[Standing]
    "Of all its numbers."
    numbers: tuple[Tested, ...]
    next: str | None
    "The number behind which the next part begins; None: this was the last."


async def proof_board(
    installation: Installation, login: str, standing: Standing | None, text: str, after: str, most: int
) -> ProofBoard:
    """So many of a customer's numbers behind `after`: groups first, then extensions. Raises `NotFound`."""
    exchange = await exchange_called(installation, login)
    customer_id = exchange.customer_id
    async with installation.database.read() as session:
        newest = {each.number: each for each in await queries.newest(session, customer_id)}
        changed_at = await queries.changed_at(session, customer_id)
    standings = {number: _standing(newest.get(number), changed_at) for number in _testable(exchange)}
    emergency_numbers = installation.settings.numbering.emergency_numbers
    for number in await asyncio.to_thread(_unchanged, standings, newest, exchange, emergency_numbers):
        standings[number] = Standing.PROVEN
    async with installation.database.read() as session:
        chosen = [
            number
            for number, each in standings.items()
            if standing in (None, each) and _is_meant(exchange, number, text)
        ]
        begin = chosen.index(after) + 1 if after in chosen else 0
        shown = chosen[begin : begin + most]
        past: defaultdict[str, list[Result]] = defaultdict(list)
        for each in await queries.past(session, customer_id, shown):
            past[each.number].append(each)
    return ProofBoard(
        login,
        Counter(standings.values()),
        tuple(
            Tested(each, _name(exchange, each), each in exchange.groups, standings[each], tuple(past[each]))
            for each in shown
        ),
        shown[-1] if begin + most < len(chosen) else None,
    )


async def past_of(installation: Installation, login: str, number: str) -> tuple[Result, ...]:
    """All that is kept of a number, the oldest first."""
    async with installation.database.read() as session:
        customer_id = await customer_called(session, login)
        return () if customer_id is None else tuple(await queries.past(session, customer_id, [number]))


async def proof_stands(installation: Installation, text: str, after: str, most: int) -> tuple[Stand, ...]:
    """So many customers behind that login, each with how its tested numbers stand."""
    async with installation.database.read() as session:
        return tuple(await queries.stands(session, text, after, most))


def _unchanged(
    standings: Mapping[str, Standing],
    newest: Mapping[str, Result],
    exchange: Exchange,
    emergency_numbers: Collection[str],
) -> list[str]:
    """Of a company that was changed, the numbers that ring as they did when they were tested."""
    found = []
    doubted = [number for number, each in standings.items() if each is Standing.CHANGED]
    for number in doubted[:_MOST_COMPARED]:
        # Where it can't be tested any more, it is another.
        with suppress(CentralkaError):
            if fingerprint(exchange, number, emergency_numbers) == newest[number].fingerprint:
                found.append(number)
    return found


def _testable(exchange: Exchange) -> Iterator[str]:
    yield from sorted(exchange.groups)
    yield from sorted(number for number, each in exchange.extensions.items() if each.line in exchange.lines)


def _name(exchange: Exchange, number: str) -> str:
    group = exchange.groups.get(number)
    return exchange.extensions[number].name if group is None else group.name


def _is_meant(exchange: Exchange, number: str, text: str) -> bool:
    return text.casefold() in f"{number} {_name(exchange, number)}".casefold()


def _standing(newest: Result | None, changed_at: datetime | None) -> Standing:
    if newest is None:
        return Standing.NEVER
    if newest.reds is not None:
        return Standing.RED
    return Standing.CHANGED if changed_at is not None and changed_at > newest.at else Standing.PROVEN
