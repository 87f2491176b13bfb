"""Rows of a customer's switchboard as routing has them."""

from __future__ import annotations

from collections import defaultdict

from db.queries.exchanges import ExchangeRows
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
from provisioner.centrex.exchange import Exchange


def exchange_of(customer_id: int, rows: ExchangeRows) -> Exchange:
    """The switchboard that the rows make, also where they are of two moments."""
    forwardings: dict[str, dict[str, Forwarding]] = defaultdict(dict)
    for line, kind, target, enabled, after_s in rows.forwardings:
        forwardings[line][kind] = Forwarding(target, bool(enabled), after_s)
    members: dict[str, list[Member]] = defaultdict(list)
    for group, extension, nested, delay_s, time_s, stop, skip, logged_in in rows.members:
        members[group].append(
            Member(extension, nested, delay_s, time_s, bool(stop), bool(skip), bool(logged_in))
        )
    extensions = {
        number: Extension(number, line, name, bool(published))
        for number, line, name, published in rows.extensions
    }
    extension_of: dict[str, str] = {}
    for number, extension in extensions.items():
        if extension.line is not None:
            extension_of.setdefault(extension.line, number)
    return Exchange(
        customer_id=customer_id,
        login=rows.login,
        lines={
            number: Line(
                number,
                product,
                forwarding=Forwardings(**forwardings.get(number, {})),
                dnd=bool(dnd),
                call_waiting=bool(call_waiting),
            )
            for number, product, dnd, call_waiting in rows.lines
        },
        extensions=extensions,
        groups={
            number: HuntGroup(
                number,
                name,
                HuntStrategy(strategy),
                CallerPresentation(presentation),
                bool(pickup_allowed),
                tuple(members.get(number, ())),
                overflow,
            )
            for number, name, strategy, presentation, pickup_allowed, overflow in rows.groups
        },
        short_numbers={number: target or number for number, target in rows.short_numbers},
        codes=FeatureCodes(**dict(rows.codes)),
        distinctive_ring=rows.distinctive_ring,
        extension_of=extension_of,
        used={(group, line): place for place, (group, line) in enumerate(rows.used, start=1)},
    )
