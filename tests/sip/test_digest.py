"""Digest against published vectors (tests/vectors/digest.json) and against itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.digest import Algorithm, Challenge, Count, Credentials, ha1, parse_challenges, parse_credentials
from sip.errors import BadAuthHeader

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "digest.json").read_text(encoding="utf-8"))
SPOKEN = [
    vector
    for vector in VECTORS["responses"]
    if vector["algorithm"] in list(Algorithm) and vector.get("qop", "auth") == "auth"
]
OTHERS = [vector for vector in VECTORS["responses"] if vector not in SPOKEN]


def header(vector: dict[str, str]) -> str:
    """The Authorization header that the vector describes."""
    names = ("username", "realm", "nonce", "uri", "response", "cnonce")
    parts = [f'{name}="{vector[name]}"' for name in names if name in vector]
    parts += [f"{name}={vector[name]}" for name in ("algorithm", "qop", "nc") if name in vector]
    return "Digest " + ", ".join(parts)


def key_of(vector: dict[str, str]) -> str:
    if "ha1" in vector:
        return vector["ha1"]
    algorithm = Algorithm(vector["algorithm"])
    return ha1(algorithm, vector["username"], vector["realm"], vector["password"])


@pytest.mark.parametrize("vector", SPOKEN, ids=lambda vector: f"{vector['src']} {vector['algorithm']}")
def test_the_response_of_a_published_vector_is_the_expected_one(vector):
    credentials = parse_credentials(header(vector))
    expected = credentials.expected(key_of(vector), vector["method"])
    assert expected == credentials.response == vector["response"]
    assert expected != vector.get("wrong_response")


@pytest.mark.parametrize("vector", OTHERS, ids=lambda vector: f"{vector['src']} {vector['algorithm']}")
def test_what_was_never_offered_is_refused(vector):
    with pytest.raises(BadAuthHeader, match="was not offered"):
        parse_credentials(header(vector))


@pytest.mark.parametrize("vector", VECTORS["ha1"], ids=lambda vector: vector["src"])
def test_ha1_of_a_published_vector(vector):
    algorithm = Algorithm(vector["algorithm"])
    assert ha1(algorithm, vector["username"], vector["realm"], vector["password"]) == vector["ha1"]


HEADERS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=20)
CREDENTIALS = st.builds(
    Credentials,
    username=HEADERS,
    realm=HEADERS,
    nonce=HEADERS,
    uri=HEADERS,
    response=st.text("0123456789abcdef", max_size=64),
    algorithm=st.sampled_from(Algorithm),
    count=st.none() | st.builds(Count, st.text("0123456789abcdefABCDEF", min_size=1, max_size=8), HEADERS),
    opaque=st.none() | HEADERS,
)
CHALLENGES = st.builds(
    Challenge,
    realm=HEADERS,
    nonce=HEADERS,
    algorithm=st.sampled_from(Algorithm),
    has_qop=st.booleans(),
    stale=st.booleans(),
    opaque=st.none() | HEADERS,
)


@given(CREDENTIALS)
def test_credentials_are_read_as_they_were_written(credentials):
    assert parse_credentials(str(credentials)) == credentials


@given(st.lists(CHALLENGES, max_size=3), st.booleans())
def test_challenges_are_read_as_they_were_written_in_one_line_or_many(challenges, in_one_line):
    lines = [str(challenge) for challenge in challenges]
    assert parse_challenges([", ".join(lines)] if in_one_line else lines) == tuple(challenges)


@given(CHALLENGES, HEADERS, HEADERS, st.integers(1, 0xFFFFFFFF))
def test_a_client_answers_with_what_the_server_expects_and_another_key_does_not(challenge, name, word, count):
    key = ha1(challenge.algorithm, name, challenge.realm, word)
    answer = challenge.answered(name, key, "GET", "/auth/x.cfg", cnonce="c", count=count)
    read = parse_credentials(str(answer))
    assert read.expected(key, "GET") == read.response
    assert read.use == (count if challenge.has_qop else 1)
    assert read.opaque == challenge.opaque
    other = ha1(challenge.algorithm, name, challenge.realm, word + "x")
    assert read.expected(other, "GET") != read.response
    assert read.expected(key, "HEAD") != read.response
    assert replace(read, uri="/auth/y.cfg").expected(key, "GET") != read.response


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Basic MDAxNTY1Ong=",
        'Basic MDAxNTY1Ong=, Digest username="a", realm="r", nonce="n", uri="u", response="0"',
        'Digest username="a", realm="r", nonce="n", response="0"',
        'Digest username="a", realm="r", nonce="n", uri="u", response="0", qop=auth',
        'Digest username="a", realm="r", nonce="n", uri="u", response="0", qop=auth, nc=1',
        'Digest username="a", realm="r", nonce="n", uri="u", response="0", qop=auth, nc=x, cnonce="c"',
        'Digest username="a", realm="r", nonce="n", uri="u", response="0", qop=auth, nc=000000001, cnonce=c',
        'Digest username="a", realm="r", nonce="n", uri="u", response="0", qop=auth, nc=-1, cnonce="c"',
        'Digest username="a", realm="r", nonce="n", uri="u", response="0", userhash=true',
        'Digest username="a", username="b", realm="r", nonce="n", uri="u", response="0"',
    ],
)
def test_credentials_that_are_not_whole_are_refused(text):
    with pytest.raises(BadAuthHeader):
        parse_credentials(text)


def test_quotes_where_none_belong_change_nothing():
    plain = 'Digest username=a, realm=r, nonce=n, uri=/u, response=0F, qop="auth", nc="00000001", cnonce=c'
    read = parse_credentials(plain + ', algorithm="md5", userhash="false"')
    assert read == Credentials("a", "r", "n", "/u", "0f", Algorithm.MD5, Count("00000001", "c"))


def test_challenges_that_cannot_be_answered_are_passed_over():
    lines = [
        'Basic realm="r"',
        'Digest realm="r", nonce="n", algorithm=SHA-512-256',
        'Digest realm="r", nonce="n", qop="auth-int"',
        'Digest realm="r"',
        'Digest realm="r',
        'Digest realm="r", nonce="n", qop="auth-int, auth", algorithm=SHA-256',
        'Digest realm="r", nonce="old"',
    ]
    assert parse_challenges(lines) == (
        Challenge("r", "n", Algorithm.SHA256),
        Challenge("r", "old", Algorithm.MD5, has_qop=False),
    )
