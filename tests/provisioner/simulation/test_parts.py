"""What a simulation draws, counts and says."""

from __future__ import annotations

import ssl
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from provisioner.centrex.errors import BadValue
from provisioner.centrex.mac import MacAddress
from provisioner.files.company import read_company_file
from provisioner.operations.stock import Numbers, Stock, StockPhone
from provisioner.settings import Settings
from provisioner.simulation.boxes import loopback_sources, packed
from provisioner.simulation.causes import ADVICE, Cause
from provisioner.simulation.detours import Listening, ToServer, ToThisMachine, trust
from provisioner.simulation.made_up import companies_of
from provisioner.simulation.profile import Person, profiles
from provisioner.simulation.room import make_room
from provisioner.simulation.spread import Spread
from provisioner.simulation.tally import Tally
from sip.handset.talk import CallEnd
from sip.transport.errors import CantConnect
from sip.transport.flow import Address, Transport

MAC = "80:5e:c0:00:00:01"


@given(st.lists(st.floats(1e-6, 1e5), min_size=1))
def test_percentiles_are_right_to_one_in_a_hundred(values: list[float]):
    spread = Spread()
    for value in values:
        spread.add(value)
    found = spread.percentiles()
    assert found is not None
    assert found.max == max(values)
    for share, said in ((0.5, found.p50), (0.99, found.p99)):
        exact = sorted(values)[max(0, -(-int(share * 100) * len(values) // 100) - 1)]
        assert exact * 0.999 <= said <= exact * 1.011


def test_no_values_have_no_percentiles():
    assert Spread().percentiles() is None


@pytest.mark.parametrize("name", ["office", "call-centre", "quiet"])
def test_people_do_what_their_profile_says(name: str):
    profile = profiles()[name]
    person = Person(profile, 1, MAC)
    waits = [person.calls_after_s() for _ in range(2000)]
    assert sum(waits) / len(waits) == pytest.approx(3600 / profile.calls_per_hour, rel=0.1)
    dialled = [person.dials(("101", "102"), ("600",)) for _ in range(2000)]
    assert dialled.count("600") / 2000 == pytest.approx(profile.to_groups, abs=0.04)
    manners = [person.manner() for _ in range(2000)]
    assert sum(each.after_s is None for each in manners) / 2000 == pytest.approx(profile.unanswered, abs=0.03)
    assert sum(each.status != 200 for each in manners) / 2000 == pytest.approx(profile.refused, abs=0.02)


def test_the_same_seed_makes_the_same_people_and_another_phone_others():
    office = profiles()["office"]

    def draws(seed: int, mac: str) -> list[float]:
        person = Person(office, seed, mac)
        return [person.calls_after_s() for _ in range(5)]

    assert draws(1, MAC) == draws(1, MAC)
    assert draws(1, MAC) != draws(2, MAC)
    assert draws(1, MAC) != draws(1, "80:5e:c0:00:00:02")


def test_whoever_never_calls_waits_for_ever_and_who_knows_nobody_dials_nobody():
    person = Person(replace(profiles()["office"], calls_per_hour=0), 1, MAC)
    assert person.calls_after_s() == float("inf")
    assert person.dials((), ()) is None


@pytest.mark.parametrize(
    ("end", "counted"),
    [
        (CallEnd(200, 0.1, 2, 30), "talked"),
        (CallEnd(486, 0.1, None), "refused"),
        (CallEnd(603, None, None), "refused"),
        (CallEnd(487, 0.1, None), "unanswered"),
        (CallEnd(480, 0.1, None), "unanswered"),
        (CallEnd(480, None, None), "failed"),
        (CallEnd(408, None, None), "failed"),
        (CallEnd(503, 0.1, None), "failed"),
        (CallEnd(200, 0.1, 2, 30, is_lost=True), "failed"),
    ],
)
def test_each_end_of_a_call_is_counted_as_what_it_is(end: CallEnd, counted: str):
    tally = Tally()
    tally.called(end, MAC, to_group=False)
    names = ("talked", "refused", "unanswered", "failed", "cut_short")
    assert {name: getattr(tally, name) for name in names if getattr(tally, name)} == {counted: 1}
    assert bool(tally.failures) is (counted == "failed")


def test_a_group_in_which_everybody_is_engaged_has_not_failed():
    tally = Tally()
    tally.called(CallEnd(480, None, None), MAC, to_group=True)
    assert (tally.unanswered, tally.failed) == (1, 0)


def test_a_call_that_is_ended_because_all_is_over_is_none_that_failed():
    tally = Tally(is_over=True)
    tally.called(CallEnd(503, None, None), MAC, to_group=False)
    assert (tally.cut_short, tally.failed) == (1, 0)


def test_failures_name_some_phones_and_are_never_too_many():
    tally = Tally()
    for number in range(1000):
        tally.fails(Cause.REGISTER_REFUSED, str(number), f"phone {number}")
    assert len(tally.failures) == 101
    others = tally.failures[Cause.REGISTER_REFUSED, "others"].reported()
    assert (others.times, len(others.phones)) == (900, 5)


def test_every_cause_comes_with_advice():
    assert set(ADVICE) == set(Cause)


def test_phones_call_only_whom_the_simulation_rings():
    one, two, three = (
        StockPhone(MacAddress.parse(f"80:5e:c0:00:00:0{n}"), "T46S", None, "a", (f"4{n}",), f"{n:032}")
        for n in (1, 2, 3)
    )
    numbers = Numbers(
        {"101": "41", "102": "42", "103": "43"},
        {"600": frozenset({"41", "42"}), "601": frozenset({"42", "43"}), "602": frozenset()},
    )
    stock = Stock("http://pbx.example.com", (one, two, three), {"a": numbers})
    first, _ = packed(stock, (one, two), loopback_sources()).boxes
    assert (first.extensions, first.groups, first.own) == (("101", "102"), ("600",), {"101"})
    assert first.machine.stored_url == f"http://pbx.example.com/{one.token}/"


def test_a_phone_that_never_came_is_left_out_and_one_that_is_fresh_discovers():
    phone = StockPhone(MacAddress.parse(MAC), "T46S", None, "a", ("41",), None)
    stock = Stock("http://pbx.example.com", (phone,), {"a": Numbers({}, {})})
    assert packed(stock, (phone,), loopback_sources()).left_out[0][0] == MAC
    (box,) = packed(stock, (phone,), loopback_sources(), {phone.mac.hex}).boxes
    assert box.machine.stored_url is None
    assert box.machine.discovers


HERE = Listening(
    1,
    {"provisioning": URL("http://127.0.0.1:8081"), "provisioning-tls": URL("https://127.0.0.1:8443")},
    {Transport.UDP: Address("127.0.0.1", 5060)},
)


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("http://pbx.example.com/t/a.cfg?x=1", "http://127.0.0.1:8081/t/a.cfg?x=1"),
        ("https://pbx.example.com:9000/t/a.cfg", "https://127.0.0.1:8443/t/a.cfg"),
        ("http://elsewhere.example.com/ring.wav", None),
    ],
)
async def test_phones_are_led_to_this_machine_and_nowhere_else(asked: str, led: str | None):
    network = ToThisMachine("http://pbx.example.com:80", HERE, trust(Settings()))
    assert network.url(asked) == (None if led is None else URL(led))
    said = Address("pbx.example.com", 5070)
    assert await network.server(said, Transport.UDP) == Address("127.0.0.1", 5060)
    with pytest.raises(CantConnect, match="does not listen for SIP over tls"):
        await network.server(said, Transport.TLS)


async def test_phones_are_led_to_a_server_that_is_named():
    network = ToServer("http://pbx.example.com", "https://192.0.2.1:8443", trust(Settings()))
    assert network.url("http://pbx.example.com/t/a.cfg") == URL("https://192.0.2.1:8443/t/a.cfg")
    assert network.url("http://elsewhere.example.com/a.cfg") is None
    assert await network.server(Address("127.0.0.1", 5070), Transport.UDP) == Address("127.0.0.1", 5070)


@pytest.mark.parametrize("url", ["192.0.2.1", "ftp://192.0.2.1", "http://"])
def test_a_server_is_named_by_its_url(url: str):
    with pytest.raises(BadValue, match="write it like"):
        ToServer("http://pbx.example.com", url, ssl.create_default_context())


def test_more_phones_than_there_may_be_sockets_are_refused_with_how_many_could_be():
    with pytest.raises(BadValue, match=r"may have .* at most [0-9]+ phones"):
        make_room(10**9)


def test_made_up_companies_are_files_that_can_be_read():
    files = [read_company_file(text.encode()) for text in companies_of(103)]
    companies = [company for file in files for company in file.customers]
    assert [company.login for company in companies] == ["made-up-0", "made-up-1"]
