"""Who is kept out when more register than can be served."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import Counter
from contextlib import ExitStack

import pytest

from sip.bans import Bans
from sip.transport.intake import Counts, Intake, Waiting
from sip.transport.limits import TransportLimits
from sip.transport.proven import Proven
from sip.transport.rates import Rates
from sip.transport.shedding import REVIEW_S, Shedding, attach, detach
from sip.transport.sockets import bind
from sip.transport.udp import UdpEndpoint
from tests.sip.message.messages import REGISTER
from tests.sip.transport.peers import LOOPBACK, PATIENCE_S, Remembers

NOW = 1000.0
ALL = 65536
PHONES = 60
NONE, FEW, SOME, MANY = Waiting(), Waiting(10, 0.1), Waiting(100, 0.05), Waiting(400, 0.2)
"That wait: who comes next is served at once, soon, in a while, or too late."


def shedding_a_quarter_of_all() -> Shedding:
    shedding = Shedding()
    shedding.review(MANY, Counts(come=400, served=100), NOW)
    assert shedding.share == ALL // 4
    return shedding


def come(receiver: socket.socket, phones: list[socket.socket], *sent: bytes) -> dict[bytes, Counter]:
    """How many of what each phone has sent have come in, by what they are."""
    for phone in phones:
        for data in sent:
            phone.sendto(data, receiver.getsockname())
    found = {data: Counter() for data in sent}
    while True:
        try:
            data, place = receiver.recvfrom(100)
        except BlockingIOError:
            return found
        found[data][place] += 1


@pytest.fixture(params=[(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")], ids=["IPv4", "IPv6"])
def sockets(request):
    """One of ours, and the phones'."""
    family, host = request.param
    with ExitStack() as stack:
        made = [stack.enter_context(socket.socket(family, socket.SOCK_DGRAM)) for _ in range(1 + PHONES)]
        for each in made:
            each.bind((host, 0))
        receiver, *phones = made
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        receiver.setblocking(False)
        yield receiver, phones


def test_a_phone_that_is_let_in_is_let_in_with_all_that_it_sends(sockets):
    receiver, phones = sockets
    bare, login = b"REGISTER sip:a SIP/2.0", b"REGISTER sip:a SIP/2.0 with credentials"
    attach(receiver, shedding_a_quarter_of_all().filter())
    found = come(receiver, phones, bare, login)
    assert found[bare] == found[login]
    # Of sixty, a quarter: that it is nobody, or everybody, happens once in ten million times.
    assert 0 < len(found[bare]) < PHONES


def test_whatever_is_no_register_comes_in(sockets):
    receiver, phones = sockets
    attach(receiver, shedding_a_quarter_of_all().filter())
    found = come(receiver, phones, b"INVITE sip:a SIP/2.0", b"SIP/2.0 200 OK", b"\r\n\r\n")
    assert all(len(each) == PHONES for each in found.values())


def test_in_the_end_all_come_in_again(sockets):
    receiver, phones = sockets
    attach(receiver, shedding_a_quarter_of_all().filter())
    detach(receiver)
    (found,) = come(receiver, phones, b"REGISTER sip:a SIP/2.0").values()
    assert len(found) == PHONES


class Hurried(Intake):
    """It says that four times as much comes as is served, while it has too much to do."""

    has_too_much = True

    @property
    def counts(self) -> Counts:
        so_far = super().counts
        return so_far._replace(come=4 * so_far.served) if self.has_too_much else so_far

    def waiting(self, now: float) -> Waiting:
        return MANY if self.has_too_much else NONE


async def test_a_server_that_has_too_much_to_do_keeps_some_out_until_it_has_served_the_others(caplog):
    caplog.set_level(logging.WARNING, "sip.transport.udp")
    proven = Proven()
    intake = Hurried(Rates(TransportLimits(), proven), proven, Bans(proven), lambda: False)
    listener, streams = bind(LOOPBACK)
    receiver = Remembers(answers=False)
    endpoint = UdpEndpoint(listener, receiver, intake)
    said: list[str] = []
    with streams.socket, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        for _ in range(40):
            phone.sendto(REGISTER, listener.local)
        async with asyncio.timeout(PATIENCE_S):
            while len(said) < 2:
                await asyncio.sleep(0.01)
                said = [record.getMessage().partition(" local=")[0] for record in caplog.records]
                intake.has_too_much = not said
        endpoint.close()
    assert said == ["more REGISTERs than can be served: some are kept out", "all are let in"]
    assert len(receiver.messages) == 40


def test_others_have_their_turn_after_some_seconds():
    shedding = shedding_a_quarter_of_all()
    before = shedding.filter()
    shedding.review(SOME, Counts(), NOW + 1)
    assert shedding.filter() == before
    shedding.review(SOME, Counts(), NOW + 31)
    assert shedding.filter() != before


def test_nobody_is_kept_out_while_all_are_served():
    shedding = Shedding()
    shedding.review(SOME, Counts(come=400, served=380), NOW)
    assert not shedding.is_on


def test_nobody_is_kept_out_for_a_wait_that_passes_by_itself():
    shedding = Shedding()
    shedding.review(MANY, Counts(come=100, served=120), NOW)
    assert not shedding.is_on


def test_strangers_who_never_log_in_have_nobody_kept_out():
    shedding = Shedding()
    shedding.review(NONE, Counts(come=4000, served=300, turned_away=3700, asked=290), NOW)
    assert not shedding.is_on


def test_a_look_at_which_chance_made_strangers_phones_has_nobody_kept_out():
    shedding = Shedding()
    went = Counts(come=170, served=80, turned_away=90, asked=70, brought=9, registers=160)
    for look in range(10):
        shedding.review(NONE, went, NOW + look * REVIEW_S)
    lucky = Counts(come=206, served=64, turned_away=133, asked=49, brought=13, registers=200)
    shedding.review(NONE, lucky, NOW + 10 * REVIEW_S)
    assert not shedding.is_on


def test_phones_that_come_behind_a_flood_are_kept_out_in_part_after_some_seconds():
    shedding = Shedding()
    flood = Counts(come=400, served=300, turned_away=100, asked=290)
    for look in range(100):
        shedding.review(NONE, flood, NOW + look * REVIEW_S)
    assert not shedding.is_on
    looks = 0
    while not shedding.is_on:
        phones = Counts(4000, served=500, turned_away=3500, asked=250, brought=230, registers=4000)
        shedding.review(NONE, phones, NOW + (100 + looks) * REVIEW_S)
        looks += 1
    assert looks < 30


def test_no_phone_is_kept_out_where_most_of_what_came_is_something_else():
    shedding = Shedding()
    went = Counts(come=395, served=48, turned_away=354, asked=15, brought=19, registers=60)
    shedding.review(NONE, went, NOW)
    assert not shedding.is_on


def test_phones_that_nobody_knows_yet_are_kept_out_in_part():
    shedding = Shedding()
    went = Counts(4000, served=500, turned_away=3500, asked=250, brought=230, registers=4000)
    shedding.review(NONE, went, NOW)
    assert shedding.share == ALL // 4


def test_when_nothing_waits_more_are_let_in_until_it_is_all_of_them():
    shedding = shedding_a_quarter_of_all()
    shares = []
    while shedding.is_on:
        shedding.review(NONE, Counts(), NOW + len(shares) * REVIEW_S)
        shares.append(shedding.share)
    assert shares == sorted(shares)
    assert len(shares) < 10


def test_no_more_are_let_in_at_once_than_there_is_room_for():
    shedding = shedding_a_quarter_of_all()
    for look in range(1, 40):
        # Two hundred are served at each look when there is much to do: all can't have been let in.
        shedding.review(SOME, Counts(come=200, served=200), NOW + look * REVIEW_S)
    assert shedding.share == ALL // 4
    shedding.review(FEW, Counts(come=160, served=160), NOW + 40 * REVIEW_S)
    assert shedding.share / (ALL // 4) == pytest.approx(200 / 160, rel=0.1)


def test_however_slow_it_is_it_knows_when_too_many_wait():
    shedding = Shedding()
    for look in range(40):
        shedding.review(FEW, Counts(come=10, served=10), NOW + look * REVIEW_S)
    assert not shedding.is_on
    shedding.review(Waiting(30, 0.2), Counts(come=40, served=10), NOW + 40 * REVIEW_S)
    assert shedding.share == ALL // 4


def test_nobody_is_kept_out_for_a_burst():
    shedding = Shedding()
    for look in range(40):
        shedding.review(FEW, Counts(come=10, served=10), NOW + look * REVIEW_S)
    shedding.review(Waiting(400, 0.01), Counts(come=400, served=16), NOW + 40 * REVIEW_S)
    assert not shedding.is_on


def test_nobody_is_kept_out_for_one_who_waits_for_nothing_but_its_end():
    shedding = Shedding()
    shedding.review(Waiting(1, 0.4), Counts(come=400, served=300), NOW)
    assert not shedding.is_on


def test_however_much_comes_some_are_let_in():
    shedding = Shedding()
    for _ in range(100):
        shedding.review(MANY, Counts(come=10_000), NOW)
    assert shedding.share > 0
