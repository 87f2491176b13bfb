"""Who gets in, and that nobody gets in twice with the same words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.digest import Algorithm, Challenge, Credentials, ha1
from sip.digest_guard import Guard, Judgement, Verdict
from sip.nonces import NonceLimits, Nonces

SECRET = b"shared by all processes"
NOW = 1_790_000_000.0
PHONE, STRANGER = "192.0.2.7", "192.0.2.8"
USER, WORD = "0015654aa937", "f0c1"
GRANTED = Judgement(Verdict.GRANTED, 0)
STALE = Judgement(Verdict.STALE, 0)
REFUSED = Judgement(Verdict.REFUSED)
LIMITS = NonceLimits(lifetime_s=300, elsewhere_s=10, in_use=100)


def guard(limits: NonceLimits = LIMITS, secret: bytes = SECRET) -> Guard:
    """One process."""
    return Guard("phones", Nonces(secret, limits))


def asked(by: Guard, now: float = NOW) -> Challenge:
    return by.challenges(now, PHONE, [Algorithm.MD5])[0]


def answer(challenge: Challenge, count: int = 1, word: str = WORD) -> Credentials:
    key = ha1(challenge.algorithm, USER, challenge.realm, word)
    return challenge.answered(USER, key, "GET", "/x", cnonce="c", count=count)


def judge(
    by: Guard, given: Credentials, now: float = NOW, source: str = PHONE, words: tuple[str, ...] = (WORD,)
) -> Judgement:
    keys = [ha1(given.algorithm, given.username, by.realm, word) for word in words]
    return by.judge(given, "GET", keys, now, source)


def test_the_right_password_gets_in_and_a_wrong_one_does_not():
    ours = guard()
    assert judge(ours, answer(asked(ours))) == GRANTED
    assert judge(ours, answer(asked(ours), word="guess")) == REFUSED
    assert judge(ours, answer(asked(ours)), words=()) == REFUSED


def test_of_several_passwords_the_one_that_fits_is_named():
    ours = guard()
    assert judge(ours, answer(asked(ours)), words=("a", "b", WORD)) == Judgement(Verdict.GRANTED, 2)


def test_one_nonce_is_good_for_every_algorithm():
    ours = guard()
    challenges = ours.challenges(NOW, PHONE)
    assert [challenge.algorithm for challenge in challenges] == [Algorithm.SHA256, Algorithm.MD5]
    assert len({challenge.nonce for challenge in challenges}) == 1
    sha, md5 = challenges
    assert judge(ours, answer(sha, 1)) == GRANTED
    assert judge(ours, answer(md5, 2)) == GRANTED
    assert judge(ours, answer(sha, 2)) == STALE, "and its count is one, too"


def test_a_replay_is_stale_a_hundred_times_of_a_hundred():
    ours = guard()
    challenge = asked(ours)
    words = [answer(challenge, count) for count in range(1, 101)]
    assert {judge(ours, each) for each in words} == {GRANTED}
    assert {judge(ours, each) for each in words} == {STALE}


def test_a_replay_with_a_higher_count_has_the_wrong_response():
    ours = guard()
    first = answer(asked(ours))
    assert judge(ours, first) == GRANTED
    assert first.count is not None
    assert judge(ours, replace(first, count=replace(first.count, nc="00000002"))) == REFUSED
    assert judge(ours, replace(first, count=None)) == REFUSED


def test_a_client_that_counts_nothing_uses_each_nonce_once():
    ours = guard()
    old = answer(replace(asked(ours), has_qop=False))
    assert old.count is None
    assert judge(ours, old) == GRANTED
    assert judge(ours, old) == STALE


def test_counts_may_skip_but_never_fall_and_nought_is_none():
    ours = guard()
    challenge = asked(ours)
    verdicts = [judge(ours, answer(challenge, count)) for count in (0, 5, 5, 4, 6, 0xFFFFFFFF, 7)]
    assert verdicts == [STALE, GRANTED, STALE, STALE, GRANTED, GRANTED, STALE]


def test_a_nonce_is_of_one_address_and_of_its_time():
    ours = guard()
    for now, source, verdict in (
        (NOW, STRANGER, STALE),
        (NOW + 299.9, PHONE, GRANTED),
        (NOW + 300.1, PHONE, STALE),
        (NOW - 6, PHONE, STALE),
        (NOW - 86_400, PHONE, STALE),
        (NOW + 86_400, PHONE, STALE),
    ):
        assert judge(ours, answer(asked(ours)), now, source) == verdict


def test_a_stale_nonce_is_called_so_only_for_the_right_password():
    ours = guard()
    for nonce in ("", "x" * 40, "ż" * 40, "A" * 39 + "=", "A" * 10_000):
        forged = replace(asked(ours), nonce=nonce)
        assert judge(ours, answer(forged)) == STALE
        assert judge(ours, answer(forged, word="guess")) == REFUSED


@given(st.integers(0, 39), st.sampled_from("ABab01-_"))
def test_no_character_of_a_nonce_can_be_changed(place, character):
    ours = guard()
    challenge = asked(ours)
    changed = challenge.nonce[:place] + character + challenge.nonce[place + 1 :]
    expected = GRANTED if changed == challenge.nonce else STALE
    assert judge(ours, answer(replace(challenge, nonce=changed))) == expected


def test_another_process_takes_the_nonce_for_a_few_seconds_and_counts_by_itself():
    ours, other = guard(), guard()
    challenge = asked(ours)
    assert judge(other, answer(challenge, 1), NOW + 9) == GRANTED
    assert judge(other, answer(challenge, 1), NOW + 9) == STALE
    assert judge(other, answer(challenge, 2), NOW + 9) == GRANTED
    assert judge(other, answer(challenge, 3), NOW + 11) == STALE
    assert judge(ours, answer(challenge, 3), NOW + 11) == GRANTED


def test_where_none_is_taken_from_elsewhere_a_replay_has_no_time_at_all():
    strict = NonceLimits(elsewhere_s=0)
    ours, other = guard(strict), guard(strict)
    words = answer(asked(ours))
    assert judge(ours, words) == GRANTED
    assert judge(other, words) == STALE


def test_a_server_with_another_secret_takes_none():
    assert judge(guard(secret=b"another"), answer(asked(guard()))) == STALE


def test_what_is_remembered_is_bounded_and_what_is_forgotten_is_stale():
    ours = guard(NonceLimits(in_use=10))
    words = [answer(asked(ours, now=NOW + i)) for i in range(30)]
    assert {judge(ours, each, NOW + 30) for each in words} == {GRANTED}
    assert {judge(ours, each, NOW + 30) for each in words} == {STALE}
    assert judge(ours, answer(asked(ours, now=NOW + 30)), NOW + 30) == GRANTED


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4), st.floats(0, 400)), max_size=60))
def test_no_words_are_ever_granted_twice(steps):
    ours = guard(NonceLimits(lifetime_s=100, in_use=3))
    challenges = [asked(ours, now=NOW + 50 * i) for i in range(6)]
    granted = set()
    for which, count, later in steps:
        words = answer(challenges[which], count)
        if judge(ours, words, NOW + later) == GRANTED:
            assert words not in granted
            granted.add(words)


def test_a_challenge_says_when_only_the_nonce_was_wrong():
    assert [challenge.stale for challenge in guard().challenges(NOW, PHONE, stale=True)] == [True, True]


@pytest.mark.parametrize("response", ["", "0", "z" * 32, "ż" * 32, "\udcff" * 32, "0" * 100_000])
def test_a_response_of_any_form_is_wrong_and_no_more(response):
    ours = guard()
    assert judge(ours, replace(answer(asked(ours)), response=response)) == REFUSED
