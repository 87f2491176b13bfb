"""Test calls of one run that differ only by who takes part: whoever comes first makes one for all of them.

Twelve extensions that are configured alike differ by their phones. That each of these rings, and no other,
every number shows by calls of its own: one that is answered, one that nobody answers, and the one by its
short number. What becomes of a phone that is busy, or of a code that is dialled, is the same for all.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sip.testcall.expected import expected
from sip.testcall.plan_parts import phones_of
from sip.testcall.scenario import Kind, Scenario

_TEXT = re.compile(r"'(?:[^'\\]|\\.)*'" + r'|"(?:[^"\\]|\\.)*"')


class Equals:
    """Who makes which call, of the numbers of one run."""

    def __init__(self) -> None:
        self._makers: dict[bytes, str] = {}
        "By what the calls are; of each customer there are as many as its numbers have."

    def places(self, customer_id: int, number: str, scenarios: Sequence[Scenario]) -> list[int]:
        """Those of a number's calls that it is to make: the same ones whenever it is asked."""
        own = _own(scenarios)
        proved = {phone for each in scenarios if each.kind in own for phone in _rung(each)}
        configured = {phone for each in scenarios[:1] for phone in phones_of(each.plan)}
        return [
            place
            for place, each in enumerate(scenarios)
            if each.kind in own
            # Who rings here alone is in no other call of this number.
            or not configured.intersection(_rung(each)) <= proved
            or self._makers.setdefault(_what(customer_id, each), number) == number
        ]


def _own(scenarios: Sequence[Scenario]) -> set[Kind]:
    """Kinds of calls that every number makes. With a lamp one that is answered is all that it is without."""
    kinds = {each.kind for each in scenarios}
    answered = Kind.LAMP if Kind.LAMP in kinds else Kind.FIRST_ANSWERS
    return {answered, Kind.NO_ANSWER, Kind.SHORT_NUMBER}


def _rung(scenario: Scenario) -> Iterator[str]:
    return (ring.phone for ring in expected(scenario).rings)


def _what(customer_id: int, scenario: Scenario) -> bytes:
    """What a call is, whoever takes part in it: each name and number is said by when it comes first."""
    order: dict[str, str] = {}
    whole = repr(replace(scenario, bystanders=()))
    said = _TEXT.sub(lambda found: order.setdefault(found[0], f"#{len(order)}"), whole)
    return hashlib.blake2b(f"{customer_id} {said}".encode(), digest_size=16).digest()
