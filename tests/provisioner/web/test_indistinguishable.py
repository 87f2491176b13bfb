"""What strangers see: nothing of anybody's, and the same whatever they ask for (rule 4 of the design)."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from phone_templates.yealink.boot import Outcome
from provisioner.app import Running, serving
from provisioner.operations.installation import Installation
from provisioner.settings import Security
from tests.provisioner.web.asking import (
    NOON,
    PHONE,
    STRANGER,
    T23G,
    T46S,
    T54W,
    UNLISTED,
    VP530P,
    all_secrets,
    ask,
    ask_all,
    ask_raw,
    booted,
    claim,
    decide,
    requests,
    service_of,
    settled,
    statements_sent,
    token_of,
)

METHODS = ("GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE", "PATCH")
ENDINGS = (".cfg", ".boot", "-local.cfg", "-contact.xml", "-calllog.xml", "-sys.log", "-boot.log", "")
PREFIXES = ("/", "//", f"/{'0' * 32}/", f"/{'A' * 32}/", "/browser/", "/../")


def spellings(mac: str) -> tuple[str, ...]:
    """One MAC address as people and phones write it."""
    pairs = [mac[i : i + 2] for i in range(0, 12, 2)]
    cisco = ".".join(mac[i : i + 4] for i in (0, 4, 8))
    return mac, mac.upper(), ":".join(pairs), "-".join(pairs).upper(), "%3a".join(pairs), cisco


async def test_no_secret_leaves_in_any_answer_to_a_stranger(sample: Installation, running: Running):
    await settled(sample, running, VP530P)
    await claim(sample, T54W)
    await ask(running, f"/{T54W}.cfg")  # so the stranger ends a window in passing
    secrets = set((await all_secrets(sample)).values())
    targets = [
        prefix + name + ending
        for mac in (VP530P, T46S, T54W)
        for prefix, name, ending in itertools.product(PREFIXES, spellings(mac), ENDINGS)
    ]
    targets += [
        prefix + name
        for prefix in PREFIXES
        for name in (
            "",
            "y000000000023.cfg",
            "y000000000000.boot",
            "phonebook.xml",
            "menu.xml",
            "secrets.key",
        )
    ]
    replies = await ask_all(running, [("GET", target) for target in targets], source=STRANGER)
    plain = [target for target in targets if target.startswith((f"/{VP530P}", f"/{T46S}", "/y"))]
    replies += await ask_all(running, [*itertools.product(METHODS, plain)], source=STRANGER)
    secrets |= set((await all_secrets(sample)).values())
    assert len(secrets) > 20
    said = b"\n".join(reply.body + repr(reply.headers).encode() for reply in replies)
    assert [secret for secret in secrets if secret.encode() in said] == []
    assert {reply.status for reply in replies} == {200, 404, 405}
    assert {len(reply.body) for reply in replies if reply.status == 404} == {0, len(b"Not found.\n")}


@pytest.fixture
async def targets(sample: Installation, running: Running) -> dict[str, bytes]:
    """Everything that is not given, by what is wrong with it."""
    await settled(sample, running, T23G)
    token, service = (await token_of(sample, T23G)).encode(), (await service_of(sample, T23G)).encode()
    own, closed = T23G.encode() + b".cfg", VP530P.encode() + b".cfg"
    found = {
        "unlisted": b"/" + UNLISTED.encode() + b".cfg",
        "listed, never claimed": b"/" + closed,
        "listed, has its token": b"/" + own,
        "unknown token": b"/" + b"0" * 32 + b"/" + own,
        "unknown token, unlisted": b"/" + b"0" * 32 + b"/" + UNLISTED.encode() + b".cfg",
        "token in capitals": b"/" + token.upper() + b"/" + own,
        "half a token": b"/" + token[:16] + b"/" + own,
        "another device under a token": b"/" + token + b"/" + closed,
        "another model under a token": b"/" + token + b"/y000000000023.cfg",
        "the phone book under the device token": b"/" + token + b"/phonebook.xml",
        "a configuration under the service token": b"/" + service + b"/" + own,
        "a medium that no file names": b"/" + service + b"/media/other.wav",
        "the token alone": b"/" + token,
        "the token and a slash": b"/" + token + b"/",
        "the root": b"/",
        "slashes": b"////",
        "a query": b"/?" + own,
        "an unknown y-file": b"/y000000000999.cfg",
        "thirteen digits": b"/y0000000000023.cfg",
        "digits that are not ASCII": b"/y" + b"%D9%A0" * 12 + b".cfg",
        "the common boot file": b"/y000000000000.boot",
        "as long as it gets": b"/" + b"a" * 8000,
        "long and deep": b"/a" * 3900,
    }
    names = [
        b"../secrets.key",
        b"..%2fsecrets.key",
        b"%2e%2e/%2e%2e/etc/passwd",
        b"%252e%252e%252fsecrets.key",
        b"..\\secrets.key",
        b"..%5csecrets.key",
        b"....//secrets.key",
        b"./" + own + b"/.",
        b"/etc/passwd",
        b"%00",
        own + b"%00",
        own + b"%00.xml",
        own + b"%0a",
        own + b"%0d%0aX-Y:%20z",
        own + b"/",
        own + b".",
        own + b"%20",
        b"%20" + own,
        own + b";x",
        own + b"~",
        own + b".gz",
        b"%ff%fe.cfg",
        b"%c0%ae%c0%ae/secrets.key",
        b"%u002e%u002e/secrets.key",
        b"%",
        b"%zz",
        b"%E2%80%AE" + own,
        b"%EF%BC%90" * 12 + b".cfg",
        b"media/../../secrets.key",
        b"media/..%2f..%2fsecrets.key",
        b"firmware/../secrets.key",
        b"media/.",
        b"media//secrets.key",
        b"browser/menu-0.xml",
        b"browser/../phonebook.xml",
        b"http://127.0.0.1/" + own,
    ]
    for prefix in (b"/", b"/" + token + b"/", b"/" + service + b"/"):
        found |= {f"{prefix!r} {name!r}": prefix + name for name in names}
    return found


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"POST"])
async def test_whatever_is_not_given_looks_alike(
    sample: Installation, running: Running, targets: dict[str, bytes], method: bytes
):
    looks = {name: (await ask_raw(running, target, method=method)).looks for name, target in targets.items()}
    alike = looks["unlisted"]
    assert {name: found for name, found in looks.items() if found != alike} == {}
    assert alike[0] == (405 if method == b"POST" else 404)
    assert alike[2] == {b"GET": b"Not found.\n", b"HEAD": b"", b"POST": b"Method not allowed.\n"}[method]


async def test_bytes_that_are_no_request_hurt_nobody_and_are_not_logged(
    sample: Installation, running: Running, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO")
    machine = await settled(sample, running, T23G)
    token = (await token_of(sample, T23G)).encode()
    own = b"/" + token + b"/" + T23G.encode()
    for target in (own + b"\xff.cfg", own + b"\x01", "/żółć".encode(), b"*", b"x", own + b"a" * 20_000):
        assert (await ask_raw(running, target)).status in (400, 404)
    no_text = b"User-Agent: Yealink \xff\xfe\xed\xa0\x80 44.80.0.60\r\n"
    assert (await ask_raw(running, own + b".cfg", header=no_text)).status == 200
    assert (await booted(machine)).done.outcome is Outcome.UNCHANGED
    assert "unreadable request" in caplog.text
    assert token.decode() not in caplog.text


async def test_a_listed_mac_takes_the_same_statements_as_one_that_is_not(
    sample: Installation, running: Running
):
    await settled(sample, running, T23G)
    sent = {}
    for mac in (UNLISTED, VP530P, T23G):
        for head in (False, True):
            with statements_sent() as statements:
                await decide(sample, f"/{mac}.cfg", NOON, head=head)
            sent[mac, head] = tuple(statements)
    assert all(sent.values())
    assert len(set(sent.values())) == 1


@pytest.fixture
async def guarded(sample: Installation) -> AsyncIterator[Running]:
    """A server that says secrets over clear text to one phone's address only."""
    security = Security(clear_text_networks=(f"{PHONE}/32",))
    settings = sample.settings.model_copy(update={"security": security})
    async with serving(replace(sample, settings=settings), lambda _: None) as server:
        yield server


async def test_secrets_go_over_clear_text_to_configured_networks_only(sample: Installation, guarded: Running):
    closed = (await ask(guarded, f"/{UNLISTED}.cfg", source=STRANGER)).looks
    await claim(sample, T46S)
    outside = await ask(guarded, f"/{T46S}.cfg", source=STRANGER)
    assert outside.looks == closed
    assert (await ask(guarded, f"/{T46S}.cfg")).status == 200, "the window was neither taken nor ended"
    path = f"/{await token_of(sample, T46S)}/{T46S}.cfg"
    assert (await ask(guarded, path, source=STRANGER)).looks == closed
    assert (await ask(guarded, path)).status == 200
    assert [row.reason for row in await requests(sample, guarded)] == [
        "unlisted", "clear-text", "window-open", "clear-text", "current"
    ]  # fmt: skip


async def test_no_header_makes_a_stranger_a_neighbour(sample: Installation, guarded: Running):
    await claim(sample, T46S)
    forged = dict.fromkeys(("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Proto"), PHONE)
    forged |= {"X-Forwarded-Proto": "https", "Forwarded": f"for={PHONE};proto=https"}
    assert (await ask(guarded, f"/{T46S}.cfg", source=STRANGER, headers=forged)).status == 404
    assert (await requests(sample, guarded))[-1].source == STRANGER


async def test_over_tls_the_network_does_not_matter(sample: Installation):
    await claim(sample, T46S)
    far = "203.0.113.7"
    assert (await decide(sample, f"/{T46S}.cfg", NOON, source=far)).content is None
    assert (await decide(sample, f"/{T46S}.cfg", NOON, source=far, clear_text=False)).content is not None


async def test_private_networks_are_configured_unless_said_otherwise_and_no_others(sample: Installation):
    for source in ("::ffff:203.0.113.7", "2001:db8::1", "172.32.0.1", "", "unix"):
        await claim(sample, T46S)
        assert (await decide(sample, f"/{T46S}.cfg", NOON, source=source)).content is None
    for source in ("::ffff:127.0.0.1", "fe80::1%eth0", "10.1.2.3", "fd00::1"):
        await claim(sample, T46S)
        assert (await decide(sample, f"/{T46S}.cfg", NOON, source=source)).content is not None
