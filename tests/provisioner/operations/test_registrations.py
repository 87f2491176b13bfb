"""What is said of registrations: never more than the rows bear out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from db.schema import DeviceRow
from provisioner.centrex.errors import NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.operations.devices import list_devices, show_device
from provisioner.operations.installation import Installation
from provisioner.operations.ladder import Rung
from provisioner.operations.registered import LIVE, Difference, Registration, State, sight
from provisioner.operations.registrations import Wanted, list_registrations
from tests.provisioner.bindings import AGENT, HOUR, SOURCE, bind, happened, now
from tests.provisioner.operations.small import DESK, HALL, ONE, TWO, other, phone, put

SECOND = timedelta(seconds=1)


async def rows(installation: Installation, **wanted: object) -> list[Registration]:
    return list((await list_registrations(installation, Wanted(**wanted))).rows)  # type: ignore[arg-type]


async def only(installation: Installation, line: str = ONE) -> Registration:
    [row] = await rows(installation, line=line)
    return row


async def test_a_line_that_nobody_has_registered_is_shown_with_its_phone(firma: Installation):
    row = await only(firma)
    assert (row.state, row.is_live, row.contact, row.since) == (State.NEVER, False, None, None)
    assert row.device is not None
    assert (row.device.mac, row.device.model) == (str(DESK), "T46S")
    assert (row.extension, row.name) == ("101", "Recepcja")
    assert row.rungs == (Rung.LISTED,)


async def test_a_binding_is_shown_with_all_that_is_known_of_it(firma: Installation):
    bound = await bind(firma, ONE, DESK, refreshes=3, rtt_ms=12, reachable=True, heard_at=now())
    row = await only(firma)
    assert (row.state, row.contact, row.transport, row.source) == (
        State.REACHABLE,
        bound.contact,
        "udp",
        SOURCE,
    )
    assert (row.since, row.until, row.refreshes, row.rtt_ms) == (
        bound.registered_at,
        bound.expires_at,
        3,
        12,
    )
    assert (row.model, row.firmware, row.user_agent) == ("T46S", "66.86.0.15", AGENT)
    assert row.rungs == (Rung.LISTED, Rung.REGISTERED, Rung.REACHABLE)


async def test_what_has_run_out_by_the_clock_is_not_registered_though_its_row_is_there(firma: Installation):
    bound = await bind(firma, ONE, DESK, expires_at=now() - SECOND, reachable=True, heard_at=now())
    row = await only(firma)
    assert (row.state, row.ended_at, row.rungs) == (State.EXPIRED, bound.expires_at, (Rung.LISTED,))


async def test_what_was_not_heard_lately_is_not_called_reachable(firma: Installation):
    long_ago = sight(firma).lately - SECOND
    await bind(firma, ONE, DESK, reachable=True, heard_at=long_ago, refreshed_at=long_ago)
    row = await only(firma)
    assert (row.state, row.heard_at) == (State.REGISTERED, long_ago)


async def test_a_phone_that_was_never_asked_is_registered_and_no_more(firma: Installation):
    bound = await bind(firma, ONE, DESK)
    row = await only(firma)
    assert (row.state, row.heard_at) == (State.REGISTERED, bound.refreshed_at)


async def test_a_phone_that_does_not_answer_is_registered_and_unreachable(firma: Installation):
    await bind(firma, ONE, DESK, reachable=False, heard_at=now() - HOUR)
    row = await only(firma)
    assert (row.state, row.is_live, row.rungs[-1]) == (State.UNREACHABLE, True, Rung.REGISTERED)


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("expired", State.EXPIRED),
        ("unregistered", State.UNREGISTERED),
        ("displaced", State.DISPLACED),
        ("revoked", State.REVOKED),
        ("registered", State.EXPIRED),
    ],
)
async def test_what_became_of_the_last_binding_is_told_when_it_is_gone(
    firma: Installation, kind: str, state: State
):
    at = now() - HOUR
    await happened(firma, "registered", ONE, DESK, at=at - HOUR)
    await happened(firma, kind, ONE, DESK, at=at)
    row = await only(firma)
    assert (row.state, row.ended_at, row.source, row.model) == (state, at, SOURCE, "T46S")


async def test_a_shared_line_has_a_row_for_each_phone_that_has_it(firma: Installation):
    await put(firma, {"login": "firma", "devices": [phone(DESK, "T46S", ONE), phone(HALL, "VP530P", ONE)]})
    await bind(firma, ONE, HALL, user_agent="")
    await bind(firma, ONE, None, contact="sip:a@192.0.2.8", user_agent="baresip v1.0.0")
    found = await rows(firma, line=ONE)
    assert [(row.device and row.device.mac, row.state) for row in found] == [
        (str(DESK), State.NEVER),
        (str(HALL), State.REGISTERED),
        (None, State.REGISTERED),
    ]
    assert [row.state for row in await rows(firma, mac=HALL)] == [State.REGISTERED]
    assert [row.device and row.device.mac for row in await rows(firma, states=frozenset({State.NEVER}))] == [
        str(DESK),
        None,
    ]


async def test_the_newest_of_two_bindings_of_a_phone_comes_first(firma: Installation):
    await bind(firma, ONE, DESK, contact="sip:before@192.0.2.7")
    await bind(firma, ONE, DESK, contact="sip:after@192.0.2.7")
    assert [row.contact for row in await rows(firma, line=ONE)] == [
        "sip:after@192.0.2.7",
        "sip:before@192.0.2.7",
    ]


@pytest.mark.parametrize(
    ("agent", "differences"),
    [
        (AGENT, ()),
        ("Yealink SIP-T46S 66.86.0.15", ()),
        ("Yealink SIP-T54W 66.86.0.15", (Difference.MODEL,)),
        ("Yealink SIP-T46S 66.81.0.15", (Difference.FIRMWARE,)),
        ("Yealink SIP-T46S 66.86.0.15 00:15:65:00:00:09", (Difference.MAC,)),
        ("baresip v1.0.0", (Difference.MODEL,)),
        ("", ()),
    ],
)
async def test_what_a_phone_says_otherwise_than_provisioning_knows_is_shown(
    firma: Installation, agent: str, differences: tuple[Difference, ...]
):
    async with firma.database.append() as session:
        seen = update(DeviceRow).where(DeviceRow.mac == DESK.hex).values(firmware_seen="66.86.0.15")
        await session.execute(seen)
    await bind(firma, ONE, DESK, user_agent=agent)
    assert (await only(firma)).differences == differences


async def test_pages_follow_one_another_and_miss_nothing(firma: Installation):
    numbers = [f"4822222{number:04}" for number in range(7)]
    product = "telefonia-ip-plus"
    await put(firma, other(lines=[{"number": each, "product": product} for each in numbers]))
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await list_registrations(firma, Wanted(), after, 2)
        assert len(page.rows) <= 2
        seen += [row.line for row in page.rows]
        after = page.next
    assert seen == sorted([ONE, TWO, *numbers])


async def test_a_page_goes_on_until_something_is_found(firma: Installation):
    await happened(firma, "unregistered", ONE, DESK)
    await happened(firma, "expired", TWO, HALL)
    found = await list_registrations(firma, Wanted(states=frozenset({State.EXPIRED})), "", 1)
    assert [row.line for row in found.rows] == [TWO]


async def test_each_state_is_found_by_its_name(firma: Installation):
    """What the database chooses is what is shown: else pages would be full of holes."""
    long_ago = sight(firma).lately - SECOND
    numbers = [f"4822222{number:04}" for number in range(8)]
    product = "telefonia-ip-plus"
    await put(firma, other(lines=[{"number": each, "product": product} for each in numbers]))
    await bind(firma, numbers[0], reachable=True, heard_at=now())
    await bind(firma, numbers[1], reachable=True)
    await bind(firma, numbers[2], reachable=True, heard_at=long_ago, refreshed_at=long_ago)
    await bind(firma, numbers[3], heard_at=now())
    await bind(firma, numbers[4], reachable=False, heard_at=now())
    await bind(firma, numbers[5], expires_at=now() - SECOND)
    await happened(firma, "displaced", numbers[6])
    states = {row.line: row.state for row in await rows(firma, customer="inna")}
    assert [*states.values()] == [
        *(State.REACHABLE, State.REACHABLE, State.REGISTERED, State.REGISTERED, State.UNREACHABLE),
        *(State.EXPIRED, State.DISPLACED, State.NEVER),
    ]
    for state in State:
        found = await list_registrations(firma, Wanted(customer="inna", states=frozenset({state})), "", 2)
        assert [row.line for row in found.rows] == [line for line in states if states[line] is state][:2]
        assert {row.state for row in found.rows} <= {state}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("0001", [ONE]),
        ("recep", [ONE]),
        ("00:15:65:00:00:02", [TWO]),
        ("vp530", [TWO]),
        ("127.0.0.7", [ONE]),
        ("firma", [ONE, TWO]),
        ("100%", []),
        ("_", []),
        ("\\", []),
    ],
)
async def test_a_text_is_looked_for_wherever_people_know_a_phone_by(
    firma: Installation, text: str, lines: list[str]
):
    await bind(firma, ONE, DESK)
    assert [row.line for row in await rows(firma, text=text)] == lines


async def test_only_what_is_registered_is_chosen_by_the_states_that_mean_it(firma: Installation):
    await bind(firma, ONE, DESK)
    assert [row.line for row in await rows(firma, states=LIVE)] == [ONE]
    assert [row.line for row in await rows(firma, states=frozenset(State) - LIVE)] == [TWO]
    assert len(await rows(firma, states=frozenset(State))) == 2


async def test_what_is_not_there_and_what_is_anothers_is_refused_alike(firma: Installation):
    await put(firma, other(devices=[phone(MacAddress("001565000009"), "T46S", "48333000001")]))
    async with firma.database.read() as session:
        mine = await session.scalar(select(DeviceRow.customer_id).where(DeviceRow.mac == DESK.hex))
    for named in (
        {"customer": "inna"},
        {"customer": "nobody"},
        {"line": "48333000001"},
        {"line": "1"},
        {"mac": MacAddress("001565000009")},
        {"mac": MacAddress("001565000099")},
    ):
        with pytest.raises(NotFound):
            await rows(firma, customer_id=mine, **named)
    assert {row.customer for row in await rows(firma, customer_id=mine)} == {"firma"}
    assert {row.customer for row in await rows(firma)} == {"firma", "inna"}
    assert len(await rows(firma, customer="inna")) == 1


async def test_a_phone_shows_how_far_it_came_with_its_registrations(firma: Installation):
    await bind(firma, ONE, DESK, reachable=True, heard_at=now())
    shown = await show_device(firma, DESK)
    assert (shown.summary.rung, shown.registrations[0].state) == (Rung.REACHABLE, State.REACHABLE)
    assert shown.summary.rungs == (Rung.LISTED, Rung.REGISTERED, Rung.REACHABLE)
    assert [row.rung for row in await list_devices(firma)] == [Rung.REACHABLE, Rung.LISTED]
