"""Bytes that are no good HTTP: refused plainly or not at all, and the next request is answered by itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import pytest

from phone_templates.yealink.backups import Backup
from provisioner.centrex.mac import MacAddress
from provisioner.operations.installation import Installation
from provisioner.operations.uploads import show_upload
from tests.provisioner.web.asking import T23G, T46S, UNLISTED, all_secrets, service_of, settled, token_of
from tests.provisioner.web.outside.doors import (
    CLOSED,
    UNREADABLE,
    Door,
    Doors,
    Papers,
    all_doors,
    line_to,
    said_and_heard,
    undated,
)
from tests.provisioner.web.outside.hostile import ENDS, HOST, HOSTILE, Outcome, ambiguous, header

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

WRONG_METHOD = (
    b"HTTP/1.1 405 Method Not Allowed\r\n"
    b"Server: centralka\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Allow: GET, HEAD\r\n"
    b"Content-Length: 20\r\n"
    b"\r\n"
    b"Method not allowed.\n"
)
LOOKS = {CLOSED: Outcome.CLOSED, UNREADABLE: Outcome.UNREADABLE, WRONG_METHOD: Outcome.WRONG_METHOD}
BY_WAY = pytest.mark.parametrize("at", ["clear text", "TLS"])
"The two ways from a socket to the parser."


@pytest.fixture
async def doors(sample: Installation, papers: Papers) -> AsyncIterator[Doors]:
    """Who sends no whole header, or nothing more, is dropped after a second."""
    async with all_doors(sample, papers, limits={"header_s": 1, "idle_s": 1}) as doors:
        yield doors


async def outcomes(door: Door, said: Mapping[str, bytes]) -> dict[str, list[str]]:
    """What comes of each of them, all at once, on connections of their own."""
    heard = await asyncio.gather(*(said_and_heard(door, words) for words in said.values()))
    return {name: outcome_of(answers) for name, answers in zip(said, heard, strict=True)}


def outcome_of(answers: bytes) -> list[str]:
    """The answers in their order; whatever is none that a stranger may get stands there as it came."""
    rest = undated(answers).replace(b"\r\nConnection: close\r\n", b"\r\n")
    found: list[str] = []
    while rest:
        look = next((look for look in LOOKS if rest.startswith(look)), rest)
        found.append(LOOKS.get(look, look.decode("latin-1")))
        rest = rest[len(look) :]
    return found or [Outcome.SILENCE]


async def own_file(installation: Installation, mac: str) -> bytes:
    return b"/%b/%b.cfg" % ((await token_of(installation, mac)).encode(), mac.encode())


@BY_WAY
async def test_what_is_no_good_http_is_refused_plainly_and_the_next_phone_is_served(
    sample: Installation, doors: Doors, at: str, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO")
    await settled(sample, doors.running, T46S)
    own = header(b"GET " + await own_file(sample, T46S) + b" HTTP/1.1", HOST, ENDS)
    smuggling = ambiguous(own)
    expected = {name: [str(outcome)] for name, (_, outcome) in HOSTILE.items()}
    expected |= {name: [str(Outcome.UNREADABLE)] for name in smuggling}
    said = {name: words for name, (words, _) in HOSTILE.items()} | smuggling
    assert await outcomes(doors.of[at], said) == expected
    assert (await said_and_heard(doors.of[at], own)).startswith(b"HTTP/1.1 200 OK\r\n")
    await doors.running.settled()
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING] == []
    secrets = set((await all_secrets(sample)).values())
    assert [secret for secret in secrets if secret in caplog.text] == []


async def test_http_at_a_tls_door_gets_no_http(doors: Doors):
    words = header(b"GET /x HTTP/1.1", HOST, ENDS)
    over_tls = [doors.of[name] for name in ("TLS", "a generic certificate", "old TLS")]
    heard = await asyncio.gather(
        *(
            said_and_heard(replace(door, tls=None), said)
            for door in over_tls
            for said in (words, b"\r\n" + words, b"\x16\x03\x01" + words, bytes(500))
        )
    )
    # Nothing, or an alert (RFC 8446 §6).
    assert [each for each in heard if each and (each[0] != 21 or len(each) != 7)] == []
    for door in over_tls:
        assert outcome_of(await said_and_heard(door, words)) == [Outcome.CLOSED]


@BY_WAY
async def test_requests_that_come_at_once_are_answered_each_by_itself_and_in_their_order(
    sample: Installation, doors: Doors, at: str
):
    for mac in (T46S, T23G):
        await settled(sample, doors.running, mac)
    mine, other = [await own_file(sample, mac) for mac in (T46S, T23G)]
    stolen = mine.replace(T46S.encode(), T23G.encode())
    service = (await service_of(sample, T46S)).encode()
    asked = [
        *(b"GET " + mine, b"HEAD " + other, b"GET /" + UNLISTED.encode() + b".cfg", b"GET " + other),
        *(b"GET " + stolen, b"GET /%b/phonebook.xml" % service, b"POST " + mine, b"HEAD /x", b"GET " + mine),
    ]
    requests = [header(each + b" HTTP/1.1", HOST) for each in asked[:-1]]
    requests.append(header(asked[-1] + b" HTTP/1.1", HOST, ENDS))
    alone = []
    for each in requests:
        async with line_to(doors.of[at]) as line:
            await line.say(each)
            alone.append(undated(await line.answer(head=each.startswith(b"HEAD"))))
    assert [each.split()[1] for each in alone] == b"200 200 404 200 404 200 405 404 200".split()
    assert undated(await said_and_heard(doors.of[at], b"".join(requests))) == b"".join(alone)
    # As single bytes, too.
    async with line_to(doors.of[at]) as line:
        for byte in requests[2] + requests[-1]:
            await line.say(bytes([byte]))
        assert undated(await line.rest()) == alone[2] + alone[-1]


async def test_a_request_in_the_body_of_another_is_no_request(sample: Installation, doors: Doors):
    await settled(sample, doors.running, T46S)
    own = await own_file(sample, T46S)
    hidden = header(b"GET " + own + b" HTTP/1.1", HOST)
    end = header(b"GET /x HTTP/1.1", HOST, ENDS)
    length = b"Content-Length: %d" % len(hidden)
    in_chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(hidden), hidden)
    coding = b"Transfer-Encoding: chunked"
    for method, outcome in ((b"GET", Outcome.CLOSED), (b"POST", Outcome.WRONG_METHOD)):
        line = method + b" /x HTTP/1.1"
        for said in (header(line, HOST, length) + hidden, header(line, HOST, coding) + in_chunks):
            assert outcome_of(await said_and_heard(doors.clear, said + end)) == [outcome, Outcome.CLOSED]
    name = b"/%b/%b-sys.log" % ((await service_of(sample, T46S)).encode(), T46S.encode())
    brought = header(b"PUT " + name + b" HTTP/1.1", HOST, length) + hidden
    heard = await said_and_heard(doors.clear, brought + end)
    assert heard.startswith(b"HTTP/1.1 200 OK\r\n")
    assert outcome_of(heard[heard.index(b"HTTP/1.1 404") :]) == [Outcome.CLOSED]
    assert b"sip" not in heard
    assert "Host: x" in await show_upload(sample, MacAddress(T46S), Backup.SYSTEM_LOG)


async def test_what_follows_a_refused_file_is_not_read(sample: Installation, doors: Doors):
    own = header(b"GET /x HTTP/1.1", HOST)
    name = b"/%b/%b-contact.xml" % ((await service_of(sample, T46S)).encode(), T46S.encode())
    too_long = header(b"PUT " + name + b" HTTP/1.1", HOST, b"Content-Length: 999999999") + own * 3
    heard = await said_and_heard(doors.clear, too_long)
    assert heard.startswith(b"HTTP/1.1 413 ")
    assert heard.count(b"HTTP/1.1 ") == 1
