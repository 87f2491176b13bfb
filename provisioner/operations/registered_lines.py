"""What is said of lines, put together from their bindings, their phones, and what happened last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import registered as queries
from db.queries.chosen_lines import Line
from db.schema import RegistrationRow
from phone_templates.yealink.models import known_model
from phone_templates.yealink.user_agent import parse_user_agent
from provisioner.centrex.mac import MacAddress
from provisioner.operations.ladder import Ladder
from provisioner.operations.registered import LIVE, Device, Difference, Registration, Sight, State

_ENDS = {"unregistered": State.UNREGISTERED, "displaced": State.DISPLACED, "revoked": State.REVOKED}


async def of_lines(
    session: AsyncSession, lines: Sequence[Line], at: Sight
) -> list[Registration]:
    """What is to be said of these lines, line by line."""
    ids = [line.id for line in lines]
    bindings = await queries.bindings_of_lines(session, ids)
    on_lines = await queries.phones_on_lines(session, ids)
    concerned = {each.device_id for each in on_lines} | {row.device_id for row in bindings if row.device_id}
    all_of_them = _AllOfThem(
        at,
        await queries.phones(session, sorted(concerned)),
        await queries.extensions_of_lines(session, ids),
        _by_line(bindings),
        {(each.line_id, each.device_id): each for each in await queries.last_of_each(session, ids)},
    )
    phones = defaultdict(list)
    for each in on_lines:
        phones[each.line_id].append(each.device_id)
    return [each for line in lines for each in all_of_them.of_line(line, phones[line.id])]


def _by_line(bindings: Sequence[RegistrationRow]) -> dict[int, list[RegistrationRow]]:
    found: dict[int, list[RegistrationRow]] = defaultdict(list)
    for row in bindings:
        found[row.line_id].append(row)
    return found


@dataclass(frozen=True, slots=True)
class _AllOfThem:
    """What is known of some lines."""

    at: Sight
    phones: dict[int, queries.Phone]
    extensions: dict[int, queries.Extension]
    bindings: dict[int, list[RegistrationRow]]
    last: dict[tuple[int, int | None], queries.Happened]
    "By line and phone."

    def of_line(self, line: Line, device_ids: Sequence[int]) -> Iterator[Registration]:
        """One for each binding that lives, and for each phone of the line that has none."""
        bindings = self.bindings.get(line.id, [])
        live = [row for row in bindings if row.expires_at > self.at.now]
        # The newest first: of two of one phone the older is what it held before it was started again.
        live.reverse()
        shown = 0
        for device_id in device_ids:
            its_own = [row for row in live if row.device_id == device_id]
            for row in its_own:
                yield self._live(line, row)
            if not its_own:
                yield self._gone(line, device_id, bindings)
            shown += 1
        for row in live:
            if row.device_id not in device_ids:
                yield self._live(line, row)
                shown += 1
        if not shown:
            yield self._gone(line, None, bindings)

    def _live(self, line: Line, row: RegistrationRow) -> Registration:
        state = state_of(row, self.at)
        phone = self.phones.get(row.device_id) if row.device_id is not None else None
        return self._told(
            line,
            phone,
            state,
            _Binding(row.contact, row.transport, row.source, row.user_agent),
            since=row.registered_at,
            until=row.expires_at,
            refreshed_at=row.refreshed_at,
            refreshes=row.refreshes,
            heard_at=heard_at(row),
            rtt_ms=row.rtt_ms,
        )

    def _gone(
        self, line: Line, device_id: int | None, bindings: Collection[RegistrationRow]
    ) -> Registration:
        phone = self.phones.get(device_id) if device_id is not None else None
        lapsed = [row for row in bindings if row.device_id == device_id]
        if lapsed:
            # It has run out, and nobody has noted that yet.
            row = max(lapsed, key=lambda each: each.expires_at)
            binding = _Binding(row.contact, row.transport, row.source, row.user_agent)
            return self._told(
                line,
                phone,
                State.EXPIRED,
                binding,
                since=row.registered_at,
                until=row.expires_at,
                ended_at=row.expires_at,
                heard_at=heard_at(row),
            )
        last = self.last.get((line.id, device_id))
        if last is None:
            return self._told(line, phone, State.NEVER, None)
        binding = _Binding(last.contact, last.transport, last.source, last.user_agent)
        return self._told(line, phone, _ENDS.get(last.kind, State.EXPIRED), binding, ended_at=last.at)

    def _told(
        self,
        line: Line,
        phone: queries.Phone | None,
        state: State,
        binding: _Binding | None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        ended_at: datetime | None = None,
        refreshed_at: datetime | None = None,
        refreshes: int = 0,
        heard_at: datetime | None = None,
        rtt_ms: int | None = None,
    ) -> Registration:
        agent = parse_user_agent(binding.user_agent) if binding is not None else None
        extension = self.extensions.get(line.id)
        return Registration(
            line=line.number,
            customer=line.login,
            extension=extension.number if extension else None,
            name=(extension.name if extension else "") or (phone.name if phone else ""),
            device=_device(phone) if phone else None,
            state=state,
            rungs=ladder(phone, {state}).steps if phone else (),
            model=agent.model if agent else None,
            firmware=agent.firmware if agent else None,
            differences=tuple(_differences(phone, binding.user_agent)) if phone and binding else (),
            user_agent=binding.user_agent if binding else None,
            contact=binding.contact if binding else None,
            transport=binding.transport if binding else None,
            source=binding.source if binding else None,
            since=since,
            until=until,
            ended_at=ended_at,
            refreshed_at=refreshed_at,
            refreshes=refreshes,
            heard_at=heard_at,
            rtt_ms=rtt_ms,
        )


@dataclass(frozen=True, slots=True)
class _Binding:
    """What is told of a binding, also of one that is gone."""

    contact: str
    transport: str
    source: str
    user_agent: str


async def states_of_devices(session: AsyncSession, at: Sight) -> dict[int, set[State]]:
    """What the live bindings of each listed phone are worth now, by its row."""
    found: dict[int, set[State]] = defaultdict(set)
    for row in await queries.bindings_of_devices(session, at.now):
        if row.device_id is not None:
            found[row.device_id].add(state_of(row, at))
    return found


def state_of(row: RegistrationRow, at: Sight) -> State:
    """What a binding is worth."""
    if row.expires_at <= at.now:
        return State.EXPIRED
    if row.reachable is False:
        return State.UNREACHABLE
    return State.REACHABLE if row.reachable and heard_at(row) > at.lately else State.REGISTERED


def heard_at(row: RegistrationRow) -> datetime:
    """When anything came from it last: a REGISTER is something, too."""
    return max(row.heard_at, row.refreshed_at) if row.heard_at is not None else row.refreshed_at


def ladder(phone: queries.Phone, states: Collection[State]) -> Ladder:
    """How far a phone came, some of whose lines are in these states."""
    return Ladder(
        has_contacted=phone.contacted_at is not None,
        has_fetched=phone.fetched_at is not None,
        is_current=phone.fetched_revision_id is not None
        and phone.fetched_revision_id == phone.current_revision_id,
        is_registered=not LIVE.isdisjoint(states),
        is_reachable=State.REACHABLE in states,
        is_proven=phone.is_proved,
    )


def _device(phone: queries.Phone) -> Device:
    return Device(str(MacAddress(phone.mac)), phone.model, phone.name, phone.firmware)


def _differences(phone: queries.Phone, user_agent: str) -> Iterator[Difference]:
    """What the phone says in SIP otherwise; what it does not say is no difference."""
    agent = parse_user_agent(user_agent)
    if agent is None:
        if user_agent:
            yield Difference.MODEL
        return
    if agent.model is not None and known_model(agent.model) is not known_model(phone.model):
        yield Difference.MODEL
    if agent.firmware is not None and phone.firmware not in (None, agent.firmware):
        yield Difference.FIRMWARE
    if agent.mac not in (None, phone.mac):
        yield Difference.MAC
