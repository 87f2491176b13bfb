"""Calls, as people and programs see them: read from the database, so that every process can."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import calls as queries
from provisioner.centrex.dialling import NumberForms
from provisioner.centrex.errors import Forbidden
from provisioner.centrex.features import Feature
from provisioner.operations.installation import Installation
from provisioner.operations.missing import no_call
from provisioner.operations.visible import customer_seen

MOST_CALLS = 500
"Of a page."


class LegEnd(StrEnum):
    """What became of somebody who was tried. Who was cut off in the middle has the call's `EndedBy`."""

    ANSWERED = "answered"
    BUSY = "busy"
    FULL = "full"
    "In as many calls as its line may have at once; of a caller's own line: that is why nobody was called."
    SITE_FULL = "site-full"
    "Its site is in as many calls as it may be; of a caller's own line as above."
    DECLINED = "declined"
    "Somebody has turned the call down."
    NO_ANSWER = "no-answer"
    UNREACHABLE = "unreachable"
    "Not registered, or its phone did not say anything."
    REFUSED = "refused"
    "It could not take the call."
    MOVED = "moved"
    "It wanted the call to go elsewhere."
    ELSEWHERE = "elsewhere"
    "Somebody else has answered."
    GIVEN_UP = "given-up"
    "The caller has hung up before."


@dataclass(frozen=True, slots=True)
class Leg:
    """A line that was tried: when, for how long it rang, and why it did or did not answer."""

    line: str | None
    extension: str | None
    name: str | None
    groups: tuple[str, ...]
    "The hunt groups by which it was reached, outermost first."
    phones: int
    "How many were asked; 0: it was not registered."
    began_at: datetime | None
    rang_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    reason: str | None
    "A `LegEnd` or an `EndedBy`; None: it rings."
    status: int | None
    "What its phones have said."


@dataclass(frozen=True, slots=True)
class Call:
    """One call."""

    id: str
    customer: str
    "The customer's login."
    direction: str
    sip_call_id: str | None
    "Under which the caller's phone logs it."
    from_number: str
    from_name: str | None
    line: str | None
    "The caller's."
    to_number: str
    "As it was dialled."
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    "None: it lives."
    end: str | None
    "An `EndedBy` (`sip.call.story`)."
    status: int | None
    "What the caller was told."
    legs: tuple[Leg, ...]

    @property
    def is_live(self) -> bool:
        """Whether it has not ended."""
        return self.ended_at is None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls are looked for; what is None or empty chooses nothing."""

    customer_id: int | None = None
    "Whose program asks: it sees nobody else's, and those alone that its lines' products keep."
    customer: str | None = None
    "A login."
    line: str | None = None
    group: str | None = None
    text: str = ""
    "Stands in a number or a name."
    is_live: bool | None = None
    is_answered: bool | None = None
    since: datetime | None = None
    until: datetime | None = None

    def chosen(self, uuid: UUID | None = None) -> queries.Chosen:
        """The same for the database."""
        return queries.Chosen(
            self.customer_id,
            Feature.CALL_LOGS,
            self.customer,
            self.line,
            self.group,
            self.text,
            self.is_live,
            self.is_answered,
            self.since,
            self.until,
            uuid,
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Some of them, the newest first."""

    calls: tuple[Call, ...]
    next: int | None
    "What `list_calls` goes on before; None: these were the last."


async def list_calls(
    installation: Installation, wanted: Wanted, before: int | None = None, most: int = MOST_CALLS
) -> Page:
    """The next page. Raises `Forbidden`, and `NotFound` for a customer that is not there, or not its own."""
    async with installation.database.read() as session:
        if wanted.customer is not None:
            await customer_seen(session, wanted.customer, wanted.customer_id)
        await check_rights(session, wanted.customer_id)
        return await page(session, wanted, before, most, installation.settings.numbering.forms)


async def page(
    session: AsyncSession, wanted: Wanted, before: int | None, most: int, forms: NumberForms
) -> Page:
    """See `list_calls`; without asking who may see what is named."""
    found = await queries.calls(session, wanted.chosen(), before, most + 1)
    shown = found[:most]
    calls = await _whole(session, shown, wanted.customer_id, forms)
    return Page(calls, shown[-1].id if len(found) > most else None)


async def show_call(installation: Installation, call_id: UUID, customer_id: int | None = None) -> Call:
    """One call. Raises `NotFound` for one that is not there, or not for that customer to see."""
    async with installation.database.read() as session:
        found = await queries.calls(session, Wanted(customer_id).chosen(call_id), None, 1)
        if not found:
            raise no_call(call_id)
        return (await _whole(session, found, customer_id, installation.settings.numbering.forms))[0]


async def check_rights(session: AsyncSession, customer_id: int | None) -> None:
    """Raises `Forbidden` for a customer none of whose lines has call logs; None: staff, which sees all."""
    if customer_id is not None and not await logged_lines(session, customer_id):
        raise Forbidden("none of your lines has call logs: ask your operator for a product that has them")


async def logged_lines(session: AsyncSession, customer_id: int) -> frozenset[str]:
    """The lines of a customer whose calls it may look at itself: by their products."""
    return await queries.lines_with(session, customer_id, Feature.CALL_LOGS)


def _anothers(leg: queries.Leg, dialled: str) -> queries.Leg:
    """What of a leg of another customer's is to be seen: that it was tried, and what came of it.

    `dialled` as lines have their numbers.
    """
    line = leg.line if leg.line == dialled else None
    phones = min(leg.phones or 0, 1)
    return leg._replace(line=line, extension=None, name=None, hunt_groups=None, phones=phones)


async def _whole(
    session: AsyncSession, found: Sequence[queries.Call], customer_id: int | None, forms: NumberForms
) -> tuple[Call, ...]:
    """The calls with their legs, as that customer may see them; None: as staff does."""
    legs: defaultdict[int, list[Leg]] = defaultdict(list)
    dialled = {call.id: call.to_number for call in found}
    for each in await queries.legs(session, list(dialled)):
        if customer_id is not None and each.owner_id not in (None, customer_id):
            each = _anothers(each, forms.whole(dialled[each.call_id]))
        legs[each.call_id].append(
            Leg(
                each.line,
                each.extension,
                each.name,
                tuple((each.hunt_groups or "").split()),
                each.phones or 0,
                each.began_at,
                each.rang_at,
                each.answered_at,
                each.ended_at,
                each.reason,
                each.sip_code,
            )
        )
    return tuple(
        Call(
            str(call.uuid),
            call.login,
            call.direction,
            call.sip_call_id,
            call.from_number,
            call.from_name,
            call.line,
            call.to_number,
            call.started_at,
            call.answered_at,
            call.ended_at,
            call.end_reason,
            call.sip_code,
            tuple(legs[call.id]),
        )
        for call in found
    )
