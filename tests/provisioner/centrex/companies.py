"""Companies of all kinds, for what must hold for each of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from provisioner.centrex.customer import (
    CallerPresentation,
    Centrex,
    Customer,
    Extension,
    HuntGroup,
    HuntStrategy,
    Line,
    Member,
    Park,
    ProofSchedule,
    Site,
    SpeedDial,
    SpeedDialEntry,
)
from provisioner.centrex.devices import Device, DeviceAccount, Key, KeyType, PhoneOptions, ResyncWindow
from provisioner.centrex.mac import MacAddress

LINES = ("48223809887", "48223809986")
NUMBERS = ("101", "102", "103")
GROUPS = ("600", "601")

names = st.sampled_from(["", "Recepcja", "Sprzedaż"])
maybe_line = st.none() | st.sampled_from(LINES)
settings = st.dictionaries(st.sampled_from(["a.b", "c.d"]), st.sampled_from(["0", "1"]))
phones = st.builds(
    PhoneOptions,
    language=st.none() | st.sampled_from(["pl", "en"]),
    sip_port=st.none() | st.integers(1, 3),
    codecs=st.none() | st.sampled_from([("pcma",), ("g722", "pcma")]),
    lldp=st.none() | st.booleans(),
    outbound_proxy=st.none() | st.just(""),
    resync=st.none() | st.builds(ResyncWindow, start=st.sampled_from(["01:00", "02:00"])),
)
members = st.builds(
    Member, extension=st.sampled_from(NUMBERS), ring_delay=st.integers(0, 2), stop=st.booleans()
) | st.builds(Member, group=st.sampled_from(GROUPS), ring_time=st.integers(1, 2))
keys = st.builds(
    Key,
    type=st.sampled_from(KeyType),
    value=st.sampled_from(["", "101"]),
    label=names,
    key=st.none() | st.integers(1, 2),
    account=st.integers(1, 2),
)


def lists(one: st.SearchStrategy[Any], by: str) -> st.SearchStrategy[Any]:
    """Lists of at most three, each named differently."""
    return st.lists(one, max_size=3, unique_by=lambda item: getattr(item, by)).map(tuple)


customers = st.builds(
    Customer,
    login=st.just("firma"),
    name=st.sampled_from(["Firma", "Firma 2"]),
    language=st.sampled_from(["pl", "en"]),
    credit_limit=st.none() | st.decimals(0, 9, places=2),
    test_calls=st.builds(
        ProofSchedule, nightly=st.none() | st.booleans(), window=st.none() | st.just("22:00-05:00")
    ),
    centrex=st.builds(
        Centrex,
        extension_length=st.integers(2, 3),
        intercom_prefix=st.none() | st.just("*33"),
        park=st.none() | st.builds(Park, return_after=st.integers(1, 2)),
        speed_dial=st.builds(
            SpeedDial,
            entries=lists(
                st.builds(SpeedDialEntry, number=st.sampled_from(["1", "34"]), target=names), "number"
            ),
        ),
    ),
    sites=lists(
        st.builds(
            Site,
            name=st.sampled_from(["A", "B"]),
            concurrent_calls=st.none() | st.integers(1, 30),
            phone=phones,
            settings=settings,
        ),
        "name",
    ),
    lines=lists(
        st.builds(Line, number=st.sampled_from(LINES), product=st.sampled_from(["a", "b"])), "number"
    ),
    extensions=lists(
        st.builds(
            Extension, number=st.sampled_from(NUMBERS), line=maybe_line, name=names, published=st.booleans()
        ),
        "number",
    ),
    hunt_groups=lists(
        st.builds(
            HuntGroup,
            number=st.sampled_from(GROUPS),
            name=names,
            strategy=st.sampled_from(HuntStrategy),
            caller_presentation=st.sampled_from(CallerPresentation),
            members=st.lists(members, max_size=3).map(tuple),
            overflow=st.none() | st.just("102"),
        ),
        "number",
    ),
    devices=lists(
        st.builds(
            Device,
            mac=st.sampled_from([MacAddress("0015654aa937"), MacAddress("001565000001")]),
            model=st.sampled_from(["T46S", "T54W"]),
            name=names,
            accounts=lists(
                st.builds(
                    DeviceAccount,
                    account=st.integers(1, 2),
                    line=st.sampled_from(LINES),
                    label=st.none() | names,
                ),
                "account",
            ),
            keys=st.lists(keys, max_size=3).map(tuple),
            modules=st.integers(0, 1),
            phone=phones,
            settings=settings,
        ),
        "mac",
    ),
    phone=phones,
    settings=settings,
)
"""Not all of them pass the rules; a plan is made of any."""
