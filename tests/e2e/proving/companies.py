"""Companies that show it where the engine is broken, and the test calls that are made in them."""

from __future__ import annotations

from typing import Any

from provisioner.centrex.customer import CallerPresentation, Forwardings, HuntGroup, HuntStrategy, Member
from provisioner.centrex.exchange import Exchange
from sip.testcall.scenario import Kind
from tests.e2e.proving.stage import Trial
from tests.provisioner.pbx.switchboards import exchange, group, line_of, to


def brief(number: str, **said: Any) -> Member:
    """Rings for three seconds, at the usual speed."""
    return Member(number, ring_time=12, **said)


def pair(strategy: HuntStrategy = HuntStrategy.ORDER, **said: Any) -> HuntGroup:
    """Two members."""
    return group("600", brief("101"), brief("102"), strategy=strategy, **said)


def many(strategy: HuntStrategy) -> HuntGroup:
    """All five."""
    return group("600", *map(brief, ("101", "102", "103", "104", "105")), strategy=strategy)


ONE, TWO = line_of("101"), line_of("102")
AT_ONCE, LEAST_USED = HuntStrategy.SIMULTANEOUS, HuntStrategy.LEAST_USED
KEEP, GROUP, GROUP_NAME = CallerPresentation
IN_ORDER = exchange(pair())
TOGETHER = exchange(pair(AT_ONCE))
DELAYED = exchange(group("600", brief("101"), brief("102", ring_delay=12)))
DELAYED_TOGETHER = exchange(group("600", brief("101"), brief("102", ring_delay=10), strategy=AT_ONCE))
USED = exchange(pair(LEAST_USED), used={("600", ONE): 2, ("600", TWO): 1})
UNUSED = exchange(pair(LEAST_USED))
THREE_UNUSED = exchange(group("600", *map(brief, ("101", "102", "103")), strategy=LEAST_USED))
NESTED = exchange(
    group("600", Member(group="610", ring_time=24), brief("102")), group("610", brief("101"), overflow="103")
)
SHUFFLED = exchange(many(HuntStrategy.RANDOM))
SHORT = exchange(short_numbers={"1": "101"})
DISTINCT = exchange(distinctive_ring=True)


def forwarded(case: str, **said: Any) -> Exchange:
    """101's calls go to 103."""
    return exchange(forwarding={"101": Forwardings(**{case: to("103", **said)})})


def shown(presentation: CallerPresentation) -> Trial:
    """A group that presents callers in this way."""
    return Trial(exchange(pair(caller_presentation=presentation)), "600", Kind.FIRST_ANSWERS)


def one(kind: Kind, here: Exchange = IN_ORDER) -> Trial:
    """A call to 101."""
    return Trial(here, "101", kind)


def many_of(kind: Kind, here: Exchange = IN_ORDER, calls: int = 1) -> Trial:
    """Calls to the group."""
    return Trial(here, "600", kind, calls)


FIRST, LAST, NONE, LAMP = Kind.FIRST_ANSWERS, Kind.LAST_ANSWERS, Kind.NO_ANSWER, Kind.LAMP
DRAWS = Trial(SHUFFLED, "600", FIRST, 12, is_draw=True)
