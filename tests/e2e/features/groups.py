"""Hunt groups: whom they ring, in which order, and what the displays show."""

from __future__ import annotations

import asyncio

from tests.e2e.features.stage import (
    Stage,
    answers,
    dials_code,
    first_rung,
    hung_up,
    named,
    rings_alone,
    rung,
    silent,
    turned_down,
)

COMPANY = """\
    hunt_groups:
      - number: "600"
        name: Kolejka
        members: [{extension: "102", ring_time: 50}, {extension: "103", ring_time: 50},
                  {extension: "101", ring_time: 50}]
      - number: "601"
        name: Sprzedaz
        caller_presentation: group
        members: [{extension: "102", ring_time: 1}, {extension: "103", ring_delay: 1, ring_time: 1}]
        overflow: "101"
      - number: "602"
        name: Losowo
        strategy: random
        members: [{extension: "101"}, {extension: "102"}, {extension: "103"}]
      - number: "603"
        name: Razem
        strategy: simultaneous
        caller_presentation: group_name
        members: [{extension: "101"}, {extension: "102"}, {extension: "103", ring_delay: 1}]
      - number: "604"
        name: Po rowno
        strategy: least_used
        members: [{extension: "101"}, {extension: "102"}, {extension: "103"}]
      - number: "605"
        name: Wszyscy
        members: [{group: "606", ring_time: 50}, {extension: "101", ring_time: 50}]
      - number: "606"
        name: Pietro
        strategy: simultaneous
        members: [{extension: "102"}, {extension: "103"}]
      - number: "607"
        name: Do pierwszego
        members: [{extension: "101", skip_forwarding: true, stop: true}, {extension: "102"}]
      - number: "608"
        name: Dalej
        members: [{extension: "101"}, {extension: "102"}]
      - {number: "609", name: Nikt, members: [{extension: "103", logged_in: false}]}
"""
MEMBERS = ("101", "102", "103")


async def members_ring_in_their_order(stage: Stage) -> None:
    """Each when the one before has turned it down; the one that answers is heard, and hears."""
    caller = stage["104"]
    await caller.dials("600")
    for turns_down, *others in (("102", "103", "101"), ("103", "102", "101")):
        await rings_alone(stage, turns_down, *others, shows=named("104"))
        await stage[turns_down].hangs_up()
    await rings_alone(stage, "101", "102", "103", shows=named("104"))
    await answers(stage, "101", "104")
    await hung_up(stage, "101", "104")


async def members_ring_for_their_time_and_the_overflow_takes_over(stage: Stage) -> None:
    """Nobody answers: none rings before those ahead of it have had their time."""
    begun = asyncio.get_running_loop().time()
    await stage["104"].dials("601")
    ring = await rung(stage, *MEMBERS)
    assert ring["103"].at - begun >= 1 + 1
    assert ring["101"].at - begun >= 1 + 1 + 1
    # Who isn't in the group sees who calls.
    assert [ring[each].shown for each in MEMBERS] == [named("104"), "Sprzedaz 601", "Sprzedaz 601"]
    await asyncio.gather(stage["102"].is_hung_up(), stage["103"].is_hung_up())
    for header in ("From", "P-Asserted-Identity", "Remote-Party-ID"):
        assert f'{header}: "Sprzedaz" <sip:601@' in stage.linphone("102").log()
    await answers(stage, "101", "104")
    await hung_up(stage, "104", "101")


async def members_ring_in_an_order_that_is_drawn(stage: Stage) -> None:
    """Each once, and one at a time."""
    await stage["104"].dials("602")
    left = set(MEMBERS)
    while left:
        member = await first_rung(stage, *left)
        left.remove(member)
        await silent(stage, *(set(MEMBERS) - left - {member}))
        await stage[member].hangs_up()
    await stage["104"].is_hung_up()


async def members_ring_together(stage: Stage) -> None:
    """All ring before anyone does anything; one answers, and the others have missed nothing."""
    begun = asyncio.get_running_loop().time()
    await stage["104"].dials("603")
    ring = await rung(stage, *MEMBERS)
    assert ring["103"].at - begun >= 1
    assert {each.shown for each in ring.values()} == {"Razem 104"}
    await answers(stage, "103", "104")
    await asyncio.gather(stage["101"].is_hung_up(), stage["102"].is_hung_up())
    assert "Call completed elsewhere" in stage.linphone("102").log()
    await hung_up(stage, "104", "103")


async def who_has_answered_least_rings_first(stage: Stage) -> None:
    """Never used before used, and who answered longest ago before who did so just now."""
    for turn_down, answering, others in (
        ((), "101", ("102", "103")),
        (("102",), "103", ("101",)),
        (("102", "101"), "103", ()),
        (("102",), "101", ("103",)),
    ):
        await stage["104"].dials("604")
        for at, member in enumerate(turn_down):
            await rings_alone(stage, member, *turn_down[at + 1 :], answering, *others, shows=named("104"))
            await stage[member].hangs_up()
        await rings_alone(stage, answering, *turn_down, *others, shows=named("104"))
        await answers(stage, answering, "104")
        await hung_up(stage, answering, "104")


async def a_group_rings_in_a_group(stage: Stage) -> None:
    """By its own strategy, and before who comes after it."""
    await stage["104"].dials("605")
    ring = await rung(stage, "102", "103")
    assert {each.shown for each in ring.values()} == {named("104")}
    await silent(stage, "101")
    await stage["102"].hangs_up()
    await stage["103"].hangs_up()
    await rings_alone(stage, "101", "102", "103", shows=named("104"))
    await answers(stage, "101", "104")
    await hung_up(stage, "104", "101")


async def a_member_stops_the_hunt_and_its_forwarding_is_skipped(stage: Stage) -> None:
    """Where it isn't, where the member sends its calls rings, and then who comes after it."""
    await dials_code(stage.baresip("101"), "*21*103")
    await turned_down(stage, "104", "607", "101")
    await silent(stage, "102", "103")
    await turned_down(stage, "104", "608", "103", "102")
    await silent(stage, "101")
    await dials_code(stage.baresip("101"), "%2321%23")


async def members_log_out_and_in_again(stage: Stage) -> None:
    """Out of one group, or of all of theirs; in data, and by codes."""
    third, caller = stage.baresip("103"), stage.baresip("104")
    await caller.dials("609")
    assert await caller.is_refused_with() == 480
    await dials_code(third, "*50609")
    await turned_down(stage, "104", "609", "103")
    await dials_code(third, "*51600")
    await turned_down(stage, "104", "600", "102", "101")
    await dials_code(third, "*51")
    await stage["104"].dials("605")
    await rings_alone(stage, "102", "103", shows=named("104"))
    await stage["102"].hangs_up()
    await rings_alone(stage, "101", "103", shows=named("104"))
    await hung_up(stage, "104", "101")
    await dials_code(third, "*50")
    await turned_down(stage, "104", "600", "102", "103", "101")


SCENES = (
    members_ring_in_their_order,
    members_ring_for_their_time_and_the_overflow_takes_over,
    members_ring_in_an_order_that_is_drawn,
    members_ring_together,
    who_has_answered_least_rings_first,
    a_group_rings_in_a_group,
    a_member_stops_the_hunt_and_its_forwarding_is_skipped,
    members_log_out_and_in_again,
)
