"""Calls as they go on: all that live, then each to which something happens, for whoever looks on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from uuid import UUID

from provisioner.centrex.errors import NotFound
from provisioner.operations.calls import Call, Wanted, list_calls, show_call
from provisioner.operations.event_tail import EventTail
from provisioner.operations.events import CallKind, Event
from provisioner.operations.events import Wanted as WantedEvents
from provisioner.operations.installation import Installation


async def watch(
    installation: Installation, tail: EventTail, customer: str | None = None
) -> AsyncGenerator[Sequence[Call], None]:
    """Calls as they are when something has happened to them; never ends by itself but with the tail.

    `customer`: one's only, by login. Raises `NotFound` where it is not there, and `StorageError`.
    """
    async with tail.subscribed(WantedEvents(kinds=frozenset(CallKind))) as news:
        yield (await list_calls(installation, Wanted(customer=customer, is_live=True))).calls[::-1]
        while news.has_ended is None:
            events = [each for each in await news.next() if _counts(each, customer)]
            # Each once, however much has happened to it.
            touched = dict.fromkeys(UUID(str(event.details["call"])) for event in events)
            calls = [call for each in touched if (call := await _as_it_is(installation, each)) is not None]
            if calls:
                yield calls


def _counts(event: Event, customer: str | None) -> bool:
    """Whether it is about a call that is shown: of everybody's each is shown as its caller's only."""
    return event.details.get("direction") != "incoming" if customer is None else event.customer == customer


async def _as_it_is(installation: Installation, call_id: UUID) -> Call | None:
    try:
        return await show_call(installation, call_id)
    except NotFound:
        return None
