"""Any company: groups within each other, forwarding, delays, and who is not to be disturbed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from provisioner.centrex.customer import (
    CallerPresentation,
    Forwarding,
    Forwardings,
    HuntGroup,
    HuntStrategy,
    Member,
)
from provisioner.centrex.exchange import Exchange
from provisioner.centrex.trial_caller import with_caller
from tests.provisioner.pbx.switchboards import NAMES, exchange, line_of

CERTAIN = (HuntStrategy.ORDER, HuntStrategy.SIMULTANEOUS, HuntStrategy.LEAST_USED)
"Of what the others do nobody can say it before."
GROUPS = ("600", "601", "602")


@st.composite
def companies(draw: st.DrawFn, strategies: tuple[HuntStrategy, ...] = CERTAIN) -> Exchange:
    numbers = st.sampled_from([*NAMES, *GROUPS, "34", "48601000000", f"+{line_of('102')}"])
    forwardings = st.none() | st.builds(
        Forwarding, numbers, st.booleans(), st.sampled_from([3, 7, 11])
    )
    members = st.builds(
        Member,
        extension=st.sampled_from([*NAMES]),
        ring_delay=st.sampled_from([0, 0, 2, 9]),
        ring_time=st.sampled_from([4, 15, 33, 180]),
        stop=st.sampled_from([False, False, True]),
        skip_forwarding=st.booleans(),
        logged_in=st.sampled_from([True, True, False]),
    )
    made = []
    for place, number in enumerate(GROUPS):
        chosen = draw(st.lists(members, min_size=1, max_size=4, unique_by=lambda each: each.extension))
        if place + 1 < len(GROUPS) and draw(st.booleans()):
            nested = replace(draw(members), extension=None, group=GROUPS[place + 1])
            chosen.insert(draw(st.integers(0, len(chosen))), nested)
        made.append(
            HuntGroup(
                number,
                f"Grupa {number}",
                draw(st.sampled_from(strategies if place < 2 else CERTAIN)),
                draw(st.sampled_from(CallerPresentation)),
                members=tuple(chosen),
                overflow=draw(st.none() | numbers),
            )
        )
    here = exchange(
        *made,
        forwarding={
            number: Forwardings(*(draw(forwardings) for _ in range(4)))
            for number in draw(st.lists(st.sampled_from([*NAMES]), max_size=3, unique=True))
        },
        dnd=tuple(draw(st.lists(st.sampled_from([*NAMES]), max_size=1))),
        short_numbers={"34": draw(numbers)},
        distinctive_ring=draw(st.booleans()),
        used={
            (draw(st.sampled_from(GROUPS)), line_of(number)): place for place, number in enumerate(NAMES, 1)
        },
    )
    return with_caller(here, ())
