"""What must hold of all that calls tell of themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from sip.call.story import CallAnswered, CallBegan, CallEnded, Event, LegBegan, LegEnded, LegRang


def assert_is_whole(story: Iterable[Event], live: int) -> None:
    """Calls and legs begin once, end once, and nothing is told before or after; so many calls go on."""
    calls: dict[UUID, list[Event]] = defaultdict(list)
    for event in story:
        calls[event.call].append(event)
    for events in calls.values():
        _assert_is_one_call(events)
    assert sum(not isinstance(events[-1], CallEnded) for events in calls.values()) == live


def _assert_is_one_call(events: list[Event]) -> None:
    assert isinstance(events[0], CallBegan)
    rings: set[UUID] = set()
    over: set[UUID] = set()
    answered: set[UUID] = set()
    for number, event in enumerate(events):
        match event:
            case CallBegan():
                assert number == 0
            case CallEnded():
                assert event is events[-1]
                assert rings - over == answered
            case LegBegan():
                assert event.leg not in rings
                assert not answered
                rings.add(event.leg)
            case LegRang():
                assert event.leg in rings - over - answered
            case LegEnded():
                assert event.leg in rings - over - answered
                over.add(event.leg)
            case CallAnswered():
                assert event.leg in rings - over
                assert not answered
                answered.add(event.leg)
        assert number == 0 or event.at >= events[number - 1].at
