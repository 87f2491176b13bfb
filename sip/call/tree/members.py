"""Members of a hunt group: who they are, and in which order a strategy has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from sip.call.ringing import GivenUp, Outcome
from sip.call.tree.node import MakeNode, plainest


@dataclass(frozen=True, slots=True)
class Member:
    """One of those that are rung for a group."""

    make: MakeNode
    "Whom to ring; how long is its own business."
    delay_s: float = 0
    "How long it is waited before it rings."
    is_last: bool = False
    "No member after it is tried."


def up_to_last(members: Sequence[Member]) -> list[Member]:
    """Those that may be tried at all."""
    before = list(takewhile(lambda member: not member.is_last, members))
    return [*before, *members[len(before) : len(before) + 1]]


def nobody(outcomes: Sequence[Outcome]) -> GivenUp:
    """What a group says of itself when none of its members is left."""
    return GivenUp(plainest(outcomes), 480)
