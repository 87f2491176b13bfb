"""Thousands of MACs asked for at every door: no secret leaves, and no answer tells which are listed."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from provisioner.operations import scan_guard
from provisioner.operations.asking import Reason
from provisioner.operations.bans import Verdict, list_bans
from provisioner.operations.claims import Entry
from provisioner.operations.installation import Installation, utc_now
from sip.digest import Challenge, parse_challenges
from tests.provisioner.web.asking import T54W, all_secrets, claim, decide, requests, token_of
from tests.provisioner.web.outside.closed_phones import Way, close_phones
from tests.provisioner.web.outside.doors import (
    CLOSED,
    PATIENCE_S,
    Door,
    Doors,
    Line,
    Papers,
    all_doors,
    line_to,
    undated,
    without_nonces,
)
from tests.provisioner.web.test_digest import answered

MACS, OF_EACH_WAY, OF_A_SOURCE = (10_000, 10, 25) if os.environ.get("CENTRALKA_PROVE") else (200, 2, 20)
BANS_OFF = {"scan_misses": 0}
AGENTS = (
    b"",
    b"curl/8.5.0",
    b"Yealink SIP-T46S 66.86.0.15 80:5e:c1:00:00:01",
    b"Yealink SIP-T46S 66.86.0.15 00:15:65:ff:ff:ff",
    b"VP530P 23.70.0.40 00:15:65:31:4b:c0",
)
REASONS = {
    *(Entry.CLOSED, Entry.RESET_OR_STRANGER, Entry.RACED, Reason.OTHER_DEVICE),
    *(Reason.CHALLENGED, Reason.WRONG_LOGIN),
}


@dataclass(frozen=True)
class Kind:
    """What an answer may depend on: it says nothing of the MAC."""

    door: str
    method: bytes
    ends: bool
    "The client said that it ends the connection."
    is_phone: bool = False
    "At a login old phones get a challenge that they know."
    with_login: bool = False


@dataclass
class Heard:
    """All answers, by the kind of question; without clock and nonces."""

    looks: dict[Kind, dict[bytes, str]]
    "With the first MAC that got it."
    raw: set[bytes]
    "The same with nonces."

    def note(self, kind: Kind, mac: str, answer: bytes) -> None:
        said = undated(answer)
        assert said != answer, "an answer without a date"
        self.raw.add(said)
        self.looks[kind].setdefault(without_nonces(said), mac)


class Scanner:
    """Asks from one address, as many kinds of clients would; the same for the same chance."""

    def __init__(self, chance: random.Random, source: str, heard: Heard) -> None:
        self._chance, self._source, self._heard = chance, source, heard

    async def scan(self, name: str, door: Door, macs: Sequence[str]) -> None:
        """Asks for each of them, over some connections."""
        waiting = self._chance.sample(macs, len(macs))
        while waiting:
            async with line_to(door, self._source) as line:
                ends = False
                while waiting and not ends:
                    ends = self._chance.random() < 0.2
                    await self._ask(name, door, line, waiting.pop(), ends=ends)

    async def _ask(self, name: str, door: Door, line: Line, mac: str, *, ends: bool) -> None:
        agent = self._chance.choice(AGENTS)
        method = self._chance.choice([b"GET", b"GET", b"HEAD"])
        is_login = door.folder != b"/"
        kind = Kind(name, method, ends, is_login and agent[:4] in (b"Yeal", b"VP53"))
        if is_login:
            # First who is there, then as whoever it could be.
            first = Kind(name, method, ends=False, is_phone=kind.is_phone)
            path = door.folder + mac.encode() + b".cfg"
            asked = await self._answer(line, method, path, agent, ends=False)
            self._heard.note(first, mac, asked)
            words = answered(_challenge(asked), mac, "0" * 32, path.decode(), method=method.decode())
            kind = Kind(name, method, ends, kind.is_phone, with_login=True)
            answer = await self._answer(line, method, path, agent, ends=ends, login=words.encode())
        else:
            answer = await self._answer(line, method, b"/" + mac.encode() + b".cfg", agent, ends=ends)
        self._heard.note(kind, mac, answer)

    async def _answer(
        self, line: Line, method: bytes, path: bytes, agent: bytes, *, ends: bool, login: bytes = b""
    ) -> bytes:
        headers = [b"Host: pbx", b"Accept: */*", b"Accept-Encoding: gzip, deflate", b"user-agent: " + agent]
        headers += [b"Connection: close"] * ends + [b"Authorization: " + login] * bool(login)
        self._chance.shuffle(headers)
        await line.say(method + b" " + path + b" HTTP/1.1\r\n" + b"\r\n".join(headers) + b"\r\n\r\n")
        return await line.answer(head=method == b"HEAD")


async def scan(doors: Doors, names: Sequence[str], macs: Sequence[str], seed: int) -> Heard:
    """All MACs at each of the named doors, in random order from many addresses."""
    chance = random.Random(seed)  # noqa: S311
    heard = Heard(defaultdict(dict), set())
    mixed = chance.sample(macs, len(macs))
    parts = [mixed[start : start + OF_A_SOURCE] for start in range(0, len(mixed), OF_A_SOURCE)]
    at_once = asyncio.Semaphore(16)

    async def from_one(number: int, part: Sequence[str]) -> None:
        own = random.Random(f"{seed} {number}")  # noqa: S311
        scanner = Scanner(own, f"127.0.{number // 200 + 100}.{number % 200 + 1}", heard)
        async with at_once:
            for name in own.sample(names, len(names)):
                await scanner.scan(name, doors.of[name], part)

    async with asyncio.TaskGroup() as tasks:
        for number, part in enumerate(parts):
            tasks.create_task(from_one(number, part))
    return heard


@pytest.fixture
async def real(sample: Installation, monkeypatch: pytest.MonkeyPatch) -> dict[str, Way]:
    """Phones that are closed in every way, beside the one whose certificate a scanner has."""
    # Who waits for the database for ten seconds is told to come later: on a machine that is busy with others
    # that is what a test sees, and not what it is about.
    monkeypatch.setattr(sample.database, "_busy_s", PATIENCE_S)
    await claim(sample, T54W)
    for path in (f"/{T54W}.cfg", f"/{await token_of(sample, T54W)}/{T54W}.cfg"):
        assert not (await decide(sample, path, utc_now())).is_closed
    return await close_phones(sample, OF_EACH_WAY)


def with_unlisted(real: dict[str, Way]) -> list[str]:
    """The MACs that are asked for: next to those that are listed, too."""
    near = [f"{int(mac, 16) + OF_EACH_WAY:012x}" for mac in real]
    far = [f"0015aa{number:06x}" for number in range(MACS - 2 * len(real))]
    return [*real, *near, *far]


async def test_no_door_tells_by_any_byte_which_macs_are_listed(
    sample: Installation, papers: Papers, real: dict[str, Way]
):
    before = await all_secrets(sample)
    async with all_doors(sample, papers, security=BANS_OFF) as doors:
        macs = with_unlisted(real)
        assert len(macs) == MACS
        assert len(real) == len(Way) * OF_EACH_WAY
        heard = await scan(doors, list(doors.of), macs, seed=3)
        kept = await requests(sample, doors.running)
        assert await list_bans(sample, utc_now()) == []
    # What nobody outside is told.
    assert {row.reason for row in kept if row.mac in real} == REASONS
    told = {kind: found for kind, found in heard.looks.items() if len(found) > 1}
    assert told == {}
    for kind, found in heard.looks.items():
        (look,) = found
        if kind.door == "a login":
            assert look.startswith(b"HTTP/1.1 401 Unauthorized\r\n")
            assert look.endswith(b"\r\n\r\n" if kind.method == b"HEAD" else b"\r\n\r\nSay who you are.\n")
        else:
            assert look == closed(kind), kind
    assert len(heard.looks) == 5 * 4 + 2 * 2 * 3, "some kind of question was not asked"
    secrets = {*before.values(), *(await all_secrets(sample)).values()}
    assert len(secrets) > 5 * len(real)
    assert secrets_in(heard, secrets) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_neither_does_a_ban(
    sample: Installation, papers: Papers, real: dict[str, Way], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(scan_guard, "DELAY_S", 0.001)
    names = ["clear text", "another phone's certificate"]
    macs = with_unlisted(real)
    async with all_doors(sample, papers, security={"scan_misses": 10}) as doors:
        for seed in range(3):
            heard = await scan(doors, names, macs, seed)
            assert {kind: set(found) for kind, found in heard.looks.items()} == {
                kind: {closed(kind)} for kind in heard.looks
            }
            await doors.running.settled()
        banned = [ban for ban in await list_bans(sample, utc_now()) if ban.verdict is Verdict.BANNED]
        assert len(banned) == len(macs) // OF_A_SOURCE
    assert secrets_in(heard, set((await all_secrets(sample)).values())) == []


def closed(kind: Kind) -> bytes:
    """The closed answer to such a question."""
    head, end, body = CLOSED.partition(b"\r\n\r\n")
    if kind.ends:
        head += b"\r\nConnection: close"
    return head + end + (b"" if kind.method == b"HEAD" else body)


def secrets_in(heard: Heard, secrets: set[str]) -> list[str]:
    """Those that are in any answer, in any form in which a secret could be."""
    said = b"\n".join(heard.raw)
    return [secret for secret in secrets if any(form in said for form in forms(secret.encode()))]


def forms(secret: bytes) -> Iterator[bytes]:
    """As it is, in numbers, in base64 wherever it begins, and what it is looked up by."""
    yield from (secret, secret[::-1], secret.hex().encode(), secret.hex().upper().encode())
    for before in range(3):
        # The first and the last character hold bits of what stands beside it.
        yield base64.b64encode(bytes(before) + secret)[before + 1 : -4]
    for digest in (hashlib.md5, hashlib.sha256):
        yield digest(secret).hexdigest().encode()


def _challenge(answer: bytes) -> Challenge:
    asked = re.findall(rb"\r\nWWW-Authenticate: ([^\r]*)", answer)
    return parse_challenges(each.decode() for each in asked)[0]
