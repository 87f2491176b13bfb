"""What goes to those who may not have asked for it."""

from __future__ import annotations

import pytest

from sip.message.message import Response
from sip.transport.flow import Address, Transport
from sip.transport.proven import Proven, ProvenLimits
from tests.sip.message.messages import REGISTER, request
from tests.sip.test_bans import Way, way

NOW = 1000.0


@pytest.fixture
def proven() -> Proven:
    return Proven()


def an_answer(status: int = 401) -> Response:
    answer = request(REGISTER).response(status, to_tag="a")
    for name, value in (
        ("Server", "Centralka"),
        ("Allow", "REGISTER"),
        ("WWW-Authenticate", 'Digest realm="a", nonce="b", algorithm=SHA-256'),
        ("WWW-Authenticate", 'Digest realm="a", nonce="b", algorithm=MD5'),
    ):
        answer.headers.add(name, value)
    return answer


ANSWER, REFUSAL = an_answer(), an_answer(405)
LENGTH = len(bytes(ANSWER))


def test_an_answer_is_shortened_to_twice_the_bytes_of_its_request(proven):
    for asked in range(LENGTH):
        answer = proven.answer(way(), asked, ANSWER, NOW + asked)
        assert len(answer or b"") <= 2 * asked
        assert (answer == bytes(ANSWER)) == (2 * asked >= LENGTH)
    assert proven.answer(way(), 0, ANSWER, NOW) is None


def test_what_an_answer_means_nothing_without_is_left_in_it(proven):
    asked = LENGTH // 2
    lines = []
    while (answer := proven.answer(way(), asked, ANSWER, NOW - asked)) is not None:
        lines.append([line.partition(b":")[0] for line in answer.split(b"\r\n") if line])
        asked -= 1
    needed = [b"Via", b"From", b"To", b"Call-ID", b"CSeq"]
    bare = [b"SIP/2.0 401 ", *needed, b"WWW-Authenticate"]
    assert lines[-1] == [*bare, b"Content-Length"]
    assert [*bare, b"WWW-Authenticate", b"Content-Length"] in lines
    assert b"algorithm=MD5" in (proven.answer(way(), asked + 1, ANSWER, NOW) or b"")


def test_a_proof_that_was_stored_lasts_no_longer_for_it(proven):
    proven.restore(Transport.UDP, way().remote, NOW - 3600)
    lifetime_s = ProvenLimits().lifetime_s
    assert proven.has_proved(way(), NOW - 3600 + lifetime_s - 1)
    assert not proven.has_proved(way(), NOW - 3600 + lifetime_s)


def answers(proven: Proven, response: Response, times: list[float], ports: int = 1) -> list[float]:
    """When who asks at these times is answered."""
    asking = ((now, way(port=1024 + n % ports)) for n, now in enumerate(times))
    return [now for now, flow in asking if proven.answer(flow, LENGTH, response, now) is not None]


def test_a_source_gets_20_answers_in_any_second_however_many_ports_it_has(proven):
    asked = [NOW + at for at in range(5) for _ in range(100)] + [NOW + 4 + n / 100 for n in range(300)]
    answered = answers(proven, ANSWER, asked, ports=1000)
    assert max(sum(now <= each < now + 1 for each in answered) for now in answered) == 20
    assert len(answered) == 7 * 20


def test_who_asks_20_times_a_second_is_answered_each_time_whatever_it_asks(proven):
    assert len(answers(proven, REFUSAL, [NOW + n / 20 for n in range(100)])) == 100


def test_a_flood_leaves_some_answers_for_phones_at_the_same_address(proven):
    flood = [NOW + n / 1000 for n in range(3000)]
    answered = answers(proven, REFUSAL, flood)
    assert len(answered) == 20 + 15 + 15
    assert len(answers(proven, ANSWER, [NOW + 3] * 20)) == 20 - 15


def test_who_has_logged_in_is_answered_whatever_it_asks(proven):
    proven.note(way(), NOW)
    assert all(proven.answer(way(), 0, ANSWER, NOW) == bytes(ANSWER) for _ in range(100))
    assert proven.answer(way(port=2000), 10, ANSWER, NOW) is None
    assert all(proven.answer(way(port=2000), LENGTH, ANSWER, NOW) for _ in range(100))


def test_a_proof_ends(proven):
    proven.note(way(), NOW)
    assert proven.includes(way(), NOW + 7199)
    assert not proven.includes(way(), NOW + 7200)
    assert not proven.is_proven_source(way().remote.host, NOW + 7200)


def test_a_connection_is_answered_but_has_proved_itself_only_by_a_log_in(proven):
    flow = Way(Address("192.0.2.1", 5060), Transport.TCP)
    assert proven.answer(flow, 1, ANSWER, NOW) == bytes(ANSWER)
    assert not proven.has_proved(flow, NOW)
    proven.note(flow, NOW)
    assert proven.has_proved(flow, NOW)


def test_every_table_is_bounded_and_answers_stop_before_one_is_full():
    proven = Proven(ProvenLimits(flows=10, sources=10))
    for number in range(100):
        proven.note(way(f"192.0.2.{number}"), NOW)
    assert [proven.includes(way(f"192.0.2.{number}"), NOW) for number in (89, 90)] == [False, True]
    sources = [way(f"198.51.100.{number}") for number in range(100)]
    assert sum(proven.answer(source, LENGTH, ANSWER, NOW) is not None for source in sources) == 10
    assert proven.answer(sources[-1], LENGTH, ANSWER, NOW + 1) is not None
