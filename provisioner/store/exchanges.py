"""Rows of a customer's switchboard as routing has them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from db.plain import Rows
from db.queries.exchanges import ExchangeRows, LineRows
from provisioner.centrex.customer import (
    CallerPresentation,
    Extension,
    FeatureCodes,
    Forwarding,
    Forwardings,
    HuntGroup,
    HuntStrategy,
    Line,
    Member,
)
from provisioner.centrex.dialling import NumberForms
from provisioner.centrex.exchange import Exchange, SiteLimit


def exchange_of(customer_id: int, rows: ExchangeRows, forms: NumberForms) -> Exchange:
    """The switchboard that the rows make, also where they are of two moments."""
    members = _members(rows.members)
    extensions = {
        number: Extension(number, line, name, bool(published))
        for number, line, name, published in rows.extensions
    }
    extension_of: dict[str, str] = {}
    for number, extension in extensions.items():
        if extension.line is not None:
            extension_of.setdefault(extension.line, number)
    lines = _lines(rows.lines, rows.forwardings)
    return Exchange(
        customer_id=customer_id,
        login=rows.login,
        lines=lines,
        extensions=extensions,
        groups={
            number: HuntGroup(
                number,
                name,
                HuntStrategy(strategy),
                CallerPresentation(presentation),
                bool(pickup_allowed),
                members.get(number, ()),
                overflow,
            )
            for number, name, strategy, presentation, pickup_allowed, overflow in rows.groups
        },
        short_numbers={number: target or number for number, target in rows.short_numbers},
        codes=FeatureCodes(**dict(rows.codes)),
        distinctive_ring=rows.distinctive_ring,
        forms=forms,
        extension_of=extension_of,
        calls_at_once=_calls_at_once(rows.lines),
        sites={
            name: SiteLimit(most, frozenset(line.number for line in lines.values() if line.site == name))
            for name, most in rows.sites
        },
        used={(group, line): place for place, (group, line) in enumerate(rows.used, start=1)},
    )


def with_line(exchange: Exchange, rows: LineRows) -> Exchange:
    """The same with what a line of it has changed by itself."""
    groups = {
        number: replace(exchange.groups[number], members=members)
        for number, members in _members(rows.members).items()
        if number in exchange.groups
    }
    return replace(
        exchange,
        lines={**exchange.lines, **_lines(rows.lines, rows.forwardings)},
        groups={**exchange.groups, **groups},
        calls_at_once={**exchange.calls_at_once, **_calls_at_once(rows.lines)},
    )


def _lines(rows: Rows, of_forwardings: Rows) -> dict[str, Line]:
    forwardings: dict[str, dict[str, Forwarding]] = defaultdict(dict)
    for line, kind, target, enabled, after_s in of_forwardings:
        forwardings[line][kind] = Forwarding(target, bool(enabled), after_s)
    return {
        number: Line(
            number,
            product,
            site,
            forwarding=Forwardings(**forwardings.get(number, {})),
            dnd=bool(dnd),
            call_waiting=bool(call_waiting),
        )
        for number, product, site, dnd, call_waiting, _ in rows
    }


def _calls_at_once(rows: Rows) -> dict[str, int]:
    return {number: int(calls) for number, *_, calls in rows}


def _members(rows: Rows) -> dict[str, tuple[Member, ...]]:
    members: dict[str, list[Member]] = defaultdict(list)
    for group, extension, nested, delay_s, time_s, stop, skip, logged_in in rows:
        members[group].append(
            Member(extension, nested, delay_s, time_s, bool(stop), bool(skip), bool(logged_in))
        )
    return {group: tuple(found) for group, found in members.items()}
