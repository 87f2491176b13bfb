"""What goes to those who may not have asked for it."""

from __future__ import annotations

import pytest

from sip.transport.flow import Address, Transport
from sip.transport.proven import Proven, ProvenLimits, shortened
from tests.sip.message.messages import REGISTER, request
from tests.sip.test_bans import Way, way

NOW = 1000.0


@pytest.fixture
def proven() -> Proven:
    return Proven()


def test_an_answer_has_at_most_twice_the_bytes_of_its_request(proven):
    assert proven.allows(way(), 400, 800, NOW)
    assert not proven.allows(way(), 400, 801, NOW)
    assert not proven.allows(way(), 0, 1, NOW)


def test_a_source_gets_20_answers_in_any_second_however_many_ports_it_has(proven):
    sent = [NOW + at for at in range(5) for _ in range(100)] + [NOW + 4 + n / 100 for n in range(300)]
    answered = [now for n, now in enumerate(sent) if proven.allows(way(port=n), 400, 400, now)]
    assert max(sum(now <= each < now + 1 for each in answered) for now in answered) == 20
    assert len(answered) == 7 * 20


def test_refusals_leave_some_answers_for_phones_at_the_same_address(proven):
    refused = sum(proven.allows(way(), 400, 400, NOW, refuses=True) for _ in range(100))
    answered = sum(proven.allows(way(port=2000), 400, 400, NOW) for _ in range(100))
    assert (refused, answered) == (15, 5)


def test_who_has_logged_in_is_answered_whatever_it_asks(proven):
    proven.note(way(), NOW)
    assert all(proven.allows(way(), 0, 5000, NOW) for _ in range(100))
    assert not proven.allows(way(port=2000), 400, 801, NOW)
    assert all(proven.allows(way(port=2000), 400, 800, NOW) for _ in range(100))


def test_a_proof_ends(proven):
    proven.note(way(), NOW)
    assert proven.includes(way(), NOW + 7199)
    assert not proven.includes(way(), NOW + 7200)
    assert not proven.is_proven_source(way().remote.host, NOW + 7200)


def test_a_connection_is_answered_but_has_proved_itself_only_by_a_log_in(proven):
    flow = Way(Address("192.0.2.1", 5060), Transport.TCP)
    assert proven.allows(flow, 1, 10_000, NOW)
    assert not proven.has_proved(flow, NOW)
    proven.note(flow, NOW)
    assert proven.has_proved(flow, NOW)


def test_every_table_is_bounded_and_answers_stop_before_one_is_full():
    proven = Proven(ProvenLimits(flows=10, sources=10))
    for number in range(100):
        proven.note(way(f"192.0.2.{number}"), NOW)
    assert [proven.includes(way(f"192.0.2.{number}"), NOW) for number in (89, 90)] == [False, True]
    answered = sum(proven.allows(way(f"198.51.100.{number}"), 1, 1, NOW) for number in range(100))
    assert answered == 10
    assert proven.allows(way("198.51.100.99"), 1, 1, NOW + 1)


def test_a_response_is_shortened_to_what_it_means():
    long = request(REGISTER).response(401, to_tag="a")
    for name, value in (
        ("Server", "Centralka"),
        ("Allow", "REGISTER"),
        ("WWW-Authenticate", 'Digest realm="a", nonce="b"'),
    ):
        long.headers.add(name, value)
    short = shortened(long)
    assert bytes(short).startswith(b"SIP/2.0 401 \r\n")
    assert [name for name, _ in short.headers] == ["Via", "From", "To", "Call-ID", "CSeq", "WWW-Authenticate"]
