"""Authentication headers, as phones and strangers write them."""

from __future__ import annotations

import string
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.auth_header import AuthValue, parse_auth, quoted
from sip.errors import BadAuthHeader

WORDS = st.text(string.ascii_lowercase + string.digits + "-_.", min_size=1, max_size=12)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=30)
VALUES = st.builds(AuthValue, WORDS, st.dictionaries(WORDS, TEXTS, min_size=1, max_size=6))


def written(value: AuthValue) -> str:
    return f"{value.scheme} " + ", ".join(f"{name}={quoted(text)}" for name, text in value.parameters.items())


@given(st.lists(VALUES, max_size=4))
def test_what_is_written_is_read_again_however_many_challenges_stand_in_one_line(values):
    assert parse_auth(", ".join(written(value) for value in values)) == tuple(values)


@given(st.text())
def test_any_text_is_read_or_refused(text):
    with suppress(BadAuthHeader):
        parse_auth(text)


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ('Digest username="a", uri=/x?y=1;z', {"username": "a", "uri": "/x?y=1;z"}),
        ('DIGEST  Realm = "a , b=\\"c\\" \\\\" ,nc=00000001', {"realm": 'a , b="c" \\', "nc": "00000001"}),
        ('digest ,, realm="",\t nonce=,', {"realm": "", "nonce": ""}),
        ('Digest qop="auth",algorithm=MD5', {"qop": "auth", "algorithm": "MD5"}),
    ],
)
def test_quotes_blanks_and_commas_are_taken_as_phones_write_them(text, parameters):
    assert parse_auth(text) == (AuthValue("digest", parameters),)


def test_schemes_without_parameters_stand_beside_those_with_them():
    line = 'Negotiate, Basic dGVzdDp0ZXN0==, Digest realm="a", nonce="b", NTLM TlRM'
    assert [value.scheme for value in parse_auth(line)] == ["negotiate", "basic", "digest", "ntlm"]


@pytest.mark.parametrize(
    "text",
    [
        'realm="a"',
        'Digest realm="a", realm="b"',
        'Digest realm="a", Realm="a"',
        'Digest a="b" c="d"',
        'Digest a="b',
        "Digest a=b c",
        "Digest a b c",
        "=",
        '"',
        ", ".join(f"Digest a{i}=b" for i in range(101)),
    ],
)
def test_what_two_readers_could_take_in_two_ways_is_refused(text):
    with pytest.raises(BadAuthHeader):
        parse_auth(text)


@pytest.mark.parametrize("text", ["a\rb", "a\nb", "a\0b"])
def test_a_value_never_starts_a_second_header(text):
    with pytest.raises(BadAuthHeader):
        quoted(text)


HOSTILE = {
    "quotes": '"',
    "backslashes in quotes": "\\",
    "commas": ",",
    "blanks": " ",
    "words": "a",
    "words and blanks": "a ",
    "equals": "a=",
    "parameters without a comma": "a=b ",
    "parameters": "a=b,",
    "schemes": "a b=c,",
    "words and commas": "a,",
    "open quotes": 'a="',
    "token68": "a b==== ",
}


@pytest.mark.parametrize("begin", ["", "Digest ", 'Digest a="', "Digest a=", 'Digest a="b"'])
@pytest.mark.parametrize("kind", HOSTILE)
def test_64_kib_of_anything_take_linear_time(begin: str, kind: str):
    text = begin + HOSTILE[kind] * (64 * 1024 // len(HOSTILE[kind]))

    def took() -> float:
        started = time.process_time()
        with suppress(BadAuthHeader):
            parse_auth(text)
        return time.process_time() - started

    # About one millisecond; a reader that goes over the text again for each character takes minutes.
    assert min(took() for _ in range(3)) < 0.05
