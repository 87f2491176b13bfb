"""Which datagrams are looked at first, and which never."""

from __future__ import annotations

import pytest

from sip.bans import Bans
from sip.transport.flow import Address
from sip.transport.intake import Intake
from sip.transport.limits import TransportLimits
from sip.transport.proven import Proven
from sip.transport.rates import Rates
from sip.transport.udp_flow import UdpFlow
from tests.sip.message.messages import REGISTER
from tests.sip.transport.peers import OPTIONS

NOW = 1000.0
OURS = Address("203.0.113.1", 5060)
BARE = b"REGISTER sip:pbx.example.com SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n"
PHONE, STRANGER = Address("192.0.2.1", 5060), Address("198.51.100.7", 5060)


class Nowhere:
    """A socket that nothing goes out by."""

    is_open = True

    def send(self, data, local, place):
        return False


class Door:
    """An intake, with a phone that has logged in at `PHONE`."""

    def __init__(self, **limits) -> None:
        self.proven = Proven()
        self.bans = Bans(self.proven)
        self.is_busy = False
        self.intake = Intake(
            Rates(TransportLimits(**limits), self.proven), self.proven, self.bans, lambda: self.is_busy
        )
        self.socket = Nowhere()
        self.proven.note(self.flow(PHONE), NOW)

    def flow(self, remote: Address) -> UdpFlow:
        return UdpFlow(self.socket, OURS, remote)

    def put(self, data: bytes, remote: Address = STRANGER, now: float = NOW) -> None:
        self.intake.put(data, OURS, remote, now)

    def taken(self, now: float = NOW) -> list[bytes]:
        return [data for data, *_ in iter(lambda: self.intake.take(now), None)]


@pytest.fixture
def door() -> Door:
    return Door()


def test_what_is_half_done_goes_before_what_begins(door):
    door.put(OPTIONS)
    door.put(BARE)
    door.put(REGISTER)
    door.put(BARE + b"a", PHONE)
    door.put(REGISTER + b"a", PHONE)
    door.put(OPTIONS + b"a", PHONE)
    assert door.taken() == [
        REGISTER + b"a", OPTIONS + b"a", REGISTER, BARE + b"a", OPTIONS, BARE,
    ]  # fmt: skip


def test_under_too_much_load_the_newest_are_kept(door):
    for number in range(1000):
        door.put(b"%d" % number)
    assert door.taken() == [b"%d" % number for number in range(744, 1000)]
    assert door.intake.dropped == 744


def test_what_its_sender_sends_again_by_now_is_not_looked_at(door):
    door.put(OPTIONS)
    door.put(REGISTER, PHONE)
    door.put(BARE, now=NOW + 0.2)
    assert door.taken(NOW + 0.5) == [BARE]
    assert door.intake.dropped == 2


def test_where_those_who_begin_wait_for_long_the_newest_go_first(door):
    for number in range(4):
        door.put(b"%d" % number, now=NOW + number / 10)
        door.put(b"OPTIONS %d" % number, PHONE, now=NOW + number / 10)
    of_the_phone = [b"OPTIONS %d" % number for number in range(4)]
    assert door.taken(NOW + 0.35) == [*of_the_phone, b"3", b"2", b"1", b"0"]


def test_as_long_as_nobody_waits_all_go_in_order(door):
    for number in range(4):
        door.put(b"%d" % number, now=NOW + number / 100)
    assert door.taken(NOW + 0.05) == [b"0", b"1", b"2", b"3"]


def test_strangers_take_nothing_from_phones_that_have_logged_in(door):
    for number in range(5000):
        door.put(b"%d" % number)
        if number % 5 == 0:
            door.put(OPTIONS, PHONE)
    assert door.taken().count(OPTIONS) == 1000


def test_a_source_has_so_much_a_second_by_all_its_ports():
    door = Door(messages_per_source=10)
    for second in range(3):
        for port in range(20):
            for host in ("198.51.100.7", "198.51.100.8"):
                door.put(OPTIONS, Address(host, port), NOW + second)
        assert len(door.taken()) == 20


def test_of_a_site_where_a_phone_has_logged_in_many_may_begin_at_once_but_not_any_number():
    door = Door(messages_per_source=10)
    for port in range(1024, 1224):
        door.put(OPTIONS, Address(PHONE.host, port))
    assert len(door.taken()) == 50


def test_while_what_has_begun_can_t_be_done_nothing_more_begins(door):
    door.is_busy = True
    for remote in (PHONE, STRANGER):
        for data in (BARE, REGISTER, OPTIONS):
            door.put(data, remote)
    assert door.taken() == [REGISTER, OPTIONS, REGISTER, OPTIONS]


def test_who_is_banned_is_not_looked_at_but_for_the_flow_by_which_a_phone_has_logged_in(door):
    beside = Address(PHONE.host, 2000)
    for number in range(50):
        door.bans.failed(door.flow(beside), str(number), NOW, has_nonce=True)
    door.put(OPTIONS, beside)
    door.put(REGISTER, PHONE)
    assert door.taken() == [REGISTER]
