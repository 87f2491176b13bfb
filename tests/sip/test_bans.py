"""Who is banned, and above all who is not."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from sip.bans import BanLimits, Bans, Verdict
from sip.transport.flow import Address, Transport
from sip.transport.proven import Proven

NOW = 1000.0
OURS = Address("203.0.113.1", 5060)
SCANNER, OFFICE = "198.51.100.7", "192.0.2.1"


@dataclass(frozen=True)
class Way:
    """A flow that goes nowhere."""

    remote: Address
    transport: Transport = Transport.UDP
    local: Address = OURS
    is_open: bool = True

    def send(self, data: bytes) -> bool:
        return False


def way(host: str = SCANNER, port: int = 5060) -> Way:
    return Way(Address(host, port))


class Site:
    """Bans, beside the proofs that they ask."""

    def __init__(self, **limits) -> None:
        self.proven = Proven()
        self.bans = Bans(self.proven, BanLimits(**limits), lambda source: source == "203.0.113.9")

    def logs_in(self, flow: Way, user: str, now: float = NOW) -> None:
        self.proven.note(flow, now)
        self.bans.succeeded(flow, user, now)

    def fails(self, flow: Way, user: str, now: float = NOW) -> None:
        self.bans.failed(flow, user, now, has_nonce=True)

    def of(self, flow: Way, now: float = NOW) -> Verdict:
        return self.bans.of(flow, now)


@pytest.fixture
def site() -> Site:
    return Site()


def test_who_tries_one_user_after_the_other_is_slowed_and_then_banned(site):
    verdicts = []
    for number in range(30):
        site.fails(way(), str(100 + number), NOW + number * 30)
        verdicts.append(site.of(way(), NOW + number * 30))
    assert verdicts[:10] == [Verdict.FREE] * 10
    assert Verdict.SLOWED in verdicts
    assert verdicts[-1] is Verdict.BANNED


def test_who_tries_one_password_after_the_other_is_banned(site):
    for number in range(40):
        site.fails(way(), "100", NOW + number / 10)
    assert site.of(way()) is Verdict.BANNED


def test_a_phone_with_a_wrong_password_that_goes_on_trying_is_never_held_back(site):
    for minute in range(24 * 60):
        for second in (0, 1, 30, 31):
            site.fails(way(OFFICE), "100", NOW + minute * 60 + second)
    assert site.of(way(OFFICE), NOW + 24 * 3600) is Verdict.FREE


def test_nor_is_one_that_comes_from_another_port_each_time(site):
    for time in range(24 * 60 * 2):
        site.fails(way(OFFICE, 1024 + time), "100", NOW + time * 30)
    assert site.of(way(OFFICE), NOW + 24 * 3600) is Verdict.FREE


def test_a_site_of_200_phones_with_wrong_passwords_is_not_banned(site):
    for minute in range(60):
        for phone in range(200):
            site.fails(way(OFFICE, 10_000 + phone), f"{100 + phone}", NOW + minute * 60)
    assert site.of(way(OFFICE), NOW + 3600) is not Verdict.BANNED


def test_phones_that_log_in_speak_for_their_site(site):
    for phone in range(50):
        site.logs_in(way(OFFICE, 10_000 + phone), f"{100 + phone}")
    for number in range(30):
        site.fails(way(OFFICE, 2000), f"{500 + number}")
    assert site.of(way(OFFICE, 2000)) is Verdict.FREE


def test_but_not_for_a_scanner_among_them_and_only_their_own_flows_are_served_then(site):
    for phone in range(50):
        site.logs_in(way(OFFICE, 10_000 + phone), f"{100 + phone}")
    for number in range(100):
        site.fails(way(OFFICE, 2000), f"{500 + number}")
    assert site.of(way(OFFICE, 2000)) is Verdict.BANNED
    assert site.of(way(OFFICE, 2001)) is Verdict.BANNED
    assert site.of(way(OFFICE, 10_000)) is Verdict.FREE
    assert not site.bans.admits(Address(OFFICE, 2001), NOW)


def test_who_asks_for_users_and_never_logs_in_is_banned_a_little_later(site):
    for number in range(30):
        site.bans.asked(way(), f"{100 + number}", NOW)
    assert site.bans.timer(NOW + 1) == []
    assert site.of(way(), NOW + 1) is Verdict.FREE
    (ban,) = site.bans.timer(NOW + 6)
    assert ban.who == SCANNER
    assert site.of(way(), NOW + 6) is Verdict.BANNED


def test_who_says_that_it_is_a_scanner_is_banned_by_its_flow_and_a_few_times_later_altogether(site):
    for run in range(4):
        assert site.of(way(port=2000)) is not Verdict.BANNED
        ban = site.bans.asked(way(port=5060 + run), "100", NOW, "friendly-scanner")
        assert ban is not None
        assert site.of(way(port=5060 + run)) is Verdict.BANNED
    assert ban.who == SCANNER
    assert site.of(way(port=2000)) is Verdict.BANNED


def test_a_scanner_at_an_office_is_banned_alone(site):
    site.logs_in(way(OFFICE, 10_000), "100")
    for run in range(20):
        ban = site.bans.asked(way(OFFICE, 5060 + run), "100", NOW, "friendly-scanner")
        assert ban is not None
        assert ban.who == f"{OFFICE}:{5060 + run}"
    assert site.of(way(OFFICE, 10_000)) is Verdict.FREE
    assert site.of(way(OFFICE, 10_001)) is Verdict.SLOWED


def test_a_base_station_with_a_hundred_handsets_may_ask_for_all_of_them_before_it_logs_in(site):
    for number in range(100):
        site.bans.asked(way(OFFICE), f"{100 + number}", NOW)
    site.logs_in(way(OFFICE), "100")
    assert site.bans.timer(NOW + 6) == []
    assert site.of(way(OFFICE, 1024), NOW + 6) is Verdict.FREE


def test_a_message_that_is_sent_again_is_asked_for_once(site):
    for again in range(11):
        site.bans.asked(way(), "100", NOW + again / 10)
    site.bans.timer(NOW + 6)
    site.fails(way(), "100", NOW + 7)
    assert site.of(way(), NOW + 7) is Verdict.FREE


def test_datagrams_in_somebody_else_s_name_lock_none_of_their_phones_out(site):
    site.logs_in(way(OFFICE, 10_000), "100")
    for number in range(200):
        site.bans.asked(way(OFFICE, 2000), f"{100 + number}", NOW)
        site.bans.failed(way(OFFICE, 2001), f"{100 + number}", NOW, has_nonce=False)
    site.bans.timer(NOW + 6)
    assert site.of(way(OFFICE, 2000), NOW + 6) is Verdict.BANNED
    assert site.of(way(OFFICE, 2001), NOW + 6) is Verdict.BANNED
    assert site.of(way(OFFICE, 2002), NOW + 6) is Verdict.SLOWED
    assert site.of(way(OFFICE, 10_000), NOW + 6) is Verdict.FREE


def test_a_source_that_is_slowed_gets_a_few_messages_a_second(site):
    for number in range(14):
        site.fails(way(), f"{100 + number}")
    assert site.of(way()) is Verdict.SLOWED
    admitted = [site.bans.admits(way().remote, NOW + number / 100) for number in range(200)]
    assert admitted.count(True) == 4


def test_whoever_has_a_site_slowed_keeps_none_of_its_phones_from_logging_in(site):
    site.logs_in(way(OFFICE, 10_000), "100")
    for number in range(100):
        site.bans.failed(way(OFFICE, 2001), f"{200 + number}", NOW, has_nonce=False)
        site.bans.admits(Address(OFFICE, 3000 + number), NOW)
    for phone in (10_001, 10_002):
        assert site.of(way(OFFICE, phone)) is Verdict.SLOWED
        # A REGISTER, and the same once more with credentials.
        admitted = [site.bans.admits(Address(OFFICE, phone), NOW) for _ in range(3)]
        assert admitted == [True, True, False]


def test_who_has_logged_in_before_we_began_is_not_held_back_either_nor_its_site_locked_out(site):
    site.proven.restore(Transport.UDP, Address(OFFICE, 10_000), NOW - 1800)
    site.proven.restore(Transport.TLS, Address("192.0.2.2", 10_000), NOW - 1800)
    for office in (OFFICE, "192.0.2.2"):
        for number in range(200):
            site.bans.asked(way(office, 2000), f"{100 + number}", NOW)
        site.bans.timer(NOW + 6)
        assert site.of(way(office, 2000), NOW + 6) is Verdict.BANNED
        assert site.of(way(office, 2001), NOW + 6) is Verdict.SLOWED
    assert site.of(way(OFFICE, 10_000), NOW + 6) is Verdict.FREE
    # A connection has ended with us.
    assert site.of(way("192.0.2.2", 10_000), NOW + 6) is Verdict.SLOWED


def test_so_many_flows_of_slowed_sources_are_counted_in_a_second_and_more_are_not_heard():
    site = Site(flows=10)
    for number in range(14):
        site.fails(way(), f"{100 + number}")
    admitted = [site.bans.admits(Address(SCANNER, 1024 + number), NOW) for number in range(20)]
    assert admitted == [True] * 10 + [False] * 10
    assert site.bans.admits(Address(SCANNER, 2000), NOW + 1)


def test_a_ban_ends_and_the_next_one_is_twice_as_long(site):
    for times, lasts_s in ((1, 3600), (2, 7200), (3, 14400)):
        start = NOW + times * 100_000
        for number in range(30):
            site.fails(way(), f"{100 + number}", start)
        (ban,) = site.bans.listed(start)
        assert (ban.times, ban.until - ban.since) == (times, lasts_s)
        assert site.of(way(), start + lasts_s - 1) is Verdict.BANNED
        assert site.of(way(), start + lasts_s) is not Verdict.BANNED


def test_a_network_of_ipv6_is_one_source(site):
    for number in range(30):
        site.fails(way(f"2001:db8::{number}", 5060), f"{100 + number}")
    # One address each, so each of them is a phone that fails once: little.
    assert site.of(way("2001:db8::1")) is Verdict.FREE
    for number in range(30):
        site.fails(way("2001:db8::1", 5060), f"{100 + number}")
    assert site.of(way("2001:db8::ffff")) is Verdict.BANNED
    assert site.of(way("2001:db8:0:1::1")) is Verdict.FREE


def test_who_is_spared_is_never_held_back(site):
    for number in range(100):
        site.fails(way("203.0.113.9"), f"{100 + number}")
    assert site.of(way("203.0.113.9")) is Verdict.FREE


def test_a_ban_that_is_lifted_is_forgotten(site):
    for number in range(30):
        site.fails(way(), f"{100 + number}")
    assert site.bans.lift(SCANNER)
    assert site.of(way()) is Verdict.FREE
    assert not site.bans.lift(SCANNER)


@pytest.mark.parametrize("host", [SCANNER, "2001:db8::7"])
def test_with_a_source_the_bans_of_its_peers_are_lifted(site, host):
    for port in (5060, 5061):
        assert site.bans.asked(way(host, port), "100", NOW, "friendly-scanner") is not None
    assert site.bans.lift(str(way(host).remote))
    assert [site.of(way(host, port)) for port in (5060, 5061)] == [Verdict.SLOWED, Verdict.BANNED]
    assert site.bans.lift("2001:db8::/64" if ":" in host else host)
    assert site.of(way(host, 5061)) is Verdict.FREE


def test_every_table_is_bounded():
    site = Site(sources=10, flows=10, users=10, good_users=3)
    for number in range(1000):
        host = f"198.51.100.{number % 100}"
        site.logs_in(way(f"192.0.2.{number % 100}", 2000 + number), str(number))
        site.bans.asked(way(host, number), str(number), NOW + number)
        site.fails(way(host), str(number), NOW + number)
    tables = (value for value in vars(site.bans).values() if hasattr(value, "__len__"))
    assert max(map(len, tables)) == 10
    assert max(len(source.good) for source in site.bans._sources.values()) <= 3
