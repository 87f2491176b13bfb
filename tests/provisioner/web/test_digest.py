"""`/auth/FILE`: HTTP Digest per device, asked by curl, by a phone that boots, and by hand."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from db.vault import Vault
from phone_templates.yealink.boot import Outcome
from provisioner.app import Running, serving
from provisioner.operations.asking import Answer, Ask
from provisioner.operations.installation import KEY_FILE, Installation
from provisioner.operations.logins import TRIED
from provisioner.settings import Security
from provisioner.web.autoprovision.digest import Logins, Said
from sip.digest import Challenge, ha1, parse_challenges
from tests.provisioner.conftest import apply_text
from tests.provisioner.web.asking import (
    CLOSED,
    NOON,
    PHONE,
    STRANGER,
    T23G,
    T46G,
    T46S,
    T54W,
    UNLISTED,
    VP530P,
    Reply,
    all_secrets,
    ask,
    ask_raw,
    booted,
    claim,
    release,
    requests,
    service_of,
    settled,
    text_of,
    token_of,
)

HTTP_AUTH = "customers: [{login: nowyklienttestowy, phone: {http_auth: true}}]"
TIME = "customers: [{login: nowyklienttestowy, phone: {ntp_servers: [ntp.example.com]}}]"
AGENT = "VP530P 23.70.0.40 00:15:65:31:4b:c0"


def challenges_of(reply: Reply) -> tuple[Challenge, ...]:
    """What is asked for."""
    return parse_challenges(value for name, value in reply.headers if name == "WWW-Authenticate")


def without_nonce(reply: Reply) -> tuple[object, ...]:
    """All that a stranger sees of it but the clock and the nonce."""
    status, headers, body = reply.looks
    return status, tuple((name, re.sub('nonce="[^"]*"', "", value)) for name, value in headers), body


def answered(
    challenge: Challenge, user_name: str, token: str, uri: str, *, count: int = 1, method: str = "GET"
) -> str:
    """Authorization as a phone writes it."""
    key = ha1(challenge.algorithm, user_name, challenge.realm, token)
    return str(challenge.answered(user_name, key, method, uri, cnonce="0a4f113b", count=count))


async def asked(server: Running, path: str = "/auth/", source: str = PHONE) -> Challenge:
    """A fresh challenge, of MD5."""
    return challenges_of(await ask(server, path, source=source, agent=AGENT))[0]


async def logged_in(
    server: Running, path: str, user_name: str, token: str, *, source: str = PHONE, method: str = "GET"
) -> Reply:
    """One request after one challenge."""
    words = answered(await asked(server, source=source), user_name, token, path, method=method)
    return await ask(server, path, method=method, source=source, headers={"Authorization": words})


async def curl(server: Running, path: str, login: str, *options: str) -> str:
    """What curl gets, headers first."""
    process = await asyncio.create_subprocess_exec(
        "curl", "-s", "-i", "--interface", PHONE, "-u", login, *options, f"{server.provisioning_url}{path}",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    return output.decode("utf-8")


@pytest.mark.parametrize(("agent", "algorithm"), [(AGENT, "MD5"), ("curl", "SHA-256")])
async def test_curl_gets_the_file_by_either_algorithm(
    sample: Installation, running: Running, agent: str, algorithm: str
):
    await settled(sample, running, VP530P)
    token = await token_of(sample, VP530P)
    said = await curl(running, f"/auth/{VP530P}.cfg", f"{VP530P}:{token}", "--digest", "-A", agent)
    assert f"algorithm={algorithm}," in said
    assert "HTTP/1.1 200 OK" in said
    own = await ask(running, f"/{token}/{VP530P}.cfg")
    assert own.body.decode("utf-8") in said.replace("\r\n", "\n")


async def test_a_wrong_password_and_basic_get_curl_nothing(sample: Installation, running: Running):
    await settled(sample, running, VP530P)
    token = await token_of(sample, VP530P)
    for login, way in (
        (f"{VP530P}:{'0' * 32}", "--digest"),
        (f"{T46S}:{token}", "--digest"),
        (f"{VP530P}:{token}", "--basic"),
    ):
        said = await curl(running, f"/auth/{VP530P}.cfg", login, way)
        assert "HTTP/1.1 401" in said
        assert "HTTP/1.1 200" not in said
        assert "sip" not in said


async def test_right_credentials_are_the_request_under_the_token(sample: Installation, running: Running):
    await settled(sample, running, T23G)
    token, service = await token_of(sample, T23G), await service_of(sample, T23G)
    for name in (f"{T23G}.cfg", f"{T23G}.boot", "y000000000044.cfg", "y000000000999.cfg", f"{VP530P}.cfg"):
        for method in ("GET", "HEAD"):
            by_login = await logged_in(running, f"/auth/{name}", T23G, token, method=method)
            assert by_login.looks == (await ask(running, f"/{token}/{name}", method=method)).looks
    etag = (await ask(running, f"/{token}/{T23G}.cfg")).header("ETag") or ""
    words = answered(await asked(running), T23G, token, f"/auth/{T23G}.cfg")
    same = {"Authorization": words, "If-None-Match": etag}
    assert (await ask(running, f"/auth/{T23G}.cfg", headers=same)).status == 304
    assert (await logged_in(running, f"/auth/{T23G}.cfg", T23G, service)).status == 401
    assert (await logged_in(running, "/auth/phonebook.xml", T23G, token)).status == 404


async def test_every_name_is_challenged_alike(sample: Installation, running: Running):
    await settled(sample, running, T23G)
    await claim(sample, T46S)
    token = await token_of(sample, T23G)
    own = f"/auth/{T23G}.cfg"
    looks = {}
    others = [f"/auth/{name}" for name in (f"{T46S}.cfg", f"{UNLISTED}.cfg", "y000000000044.cfg", "", "x")]
    for path in (own, *others):
        looks[path] = without_nonce(await ask(running, path))
    for user_name, word in (
        (T23G, "0" * 32), (T46S, token), (T46S, "0" * 32), (UNLISTED, token), ("admin", "admin"), ("", ""),
        (VP530P.upper(), "0" * 32), ("ż" * 50, "0" * 32), (token, T23G), ("' OR 1=1 --", ""),
    ):  # fmt: skip
        for path in (own, f"/auth/{UNLISTED}.cfg"):
            words = answered(await asked(running), user_name, word, path)
            looks[user_name, word, path] = without_nonce(
                await ask(running, path, headers={"Authorization": words})
            )
    for words in ("Basic MDAxNTY1OTM3MGYyOng=", "Digest", 'Digest username="', "", f"Bearer {token}"):
        looks[words] = without_nonce(await ask(running, own, headers={"Authorization": words}))
    alike = looks[own]
    assert {name: found for name, found in looks.items() if found != alike} == {}
    assert alike[0] == 401


async def test_other_methods_are_refused_there_as_everywhere(sample: Installation, running: Running):
    for method in ("PUT", "POST", "DELETE", "OPTIONS"):
        under = await ask(running, f"/auth/{VP530P}.cfg", method=method)
        assert under.looks == (await ask(running, f"/{VP530P}.cfg", method=method)).looks


async def test_the_same_words_open_nothing_a_second_time(sample: Installation, running: Running):
    await settled(sample, running, T23G)
    token, path = await token_of(sample, T23G), f"/auth/{T23G}.cfg"
    challenge = await asked(running)
    words = {"Authorization": answered(challenge, T23G, token, path)}
    assert (await ask(running, path, headers=words)).status == 200
    for _ in range(100):
        replayed = await ask(running, path, headers=words)
        assert replayed.status == 401
        assert [each.stale for each in challenges_of(replayed)] == [True, True]
    # Without asking again the phone goes on counting.
    words = {"Authorization": answered(challenge, T23G, token, path, count=2)}
    assert (await ask(running, path, headers=words)).status == 200


async def test_words_for_one_file_or_from_one_address_open_no_other(sample: Installation, running: Running):
    await settled(sample, running, T23G)
    token, path = await token_of(sample, T23G), f"/auth/{T23G}.cfg"
    words = {"Authorization": answered(await asked(running), T23G, token, path)}
    assert (await ask(running, path, source=STRANGER, headers=words)).status == 401
    assert (await ask(running, "/auth/y000000000044.cfg", headers=words)).status == 401
    assert (await ask(running, path, method="HEAD", headers=words)).status == 401
    twice = f"Authorization: {words['Authorization']}\r\n".encode() * 2
    assert (await ask_raw(running, path.encode(), source=PHONE, header=twice)).status == 401
    assert (await ask(running, path, headers=words)).status == 200


async def test_an_old_phone_that_knows_no_qop_gets_in(sample: Installation, running: Running):
    await settled(sample, running, VP530P)
    path = f"/auth/{VP530P}.cfg"
    challenge = replace(await asked(running), has_qop=False)
    words = {"Authorization": answered(challenge, VP530P, await token_of(sample, VP530P), path)}
    assert "qop" not in words["Authorization"]
    assert (await ask(running, path, headers=words)).status == 200
    assert (await ask(running, path, headers=words)).status == 401


async def test_after_release_the_password_is_wrong_and_looks_it(sample: Installation, running: Running):
    await settled(sample, running, T23G)
    token, path = await token_of(sample, T23G), f"/auth/{T23G}.cfg"
    assert (await logged_in(running, path, T23G, token)).status == 200
    await release(sample, T23G)
    refused = await logged_in(running, path, T23G, token)
    never_was = await logged_in(running, path, T23G, "0" * 32)
    assert without_nonce(refused) == without_nonce(never_was)
    assert (await requests(sample, running))[-1].reason == "wrong-login"


async def test_a_phone_that_has_not_heard_of_a_new_token_gets_in_until_the_new_one_is_used(
    sample: Installation, running: Running
):
    await settled(sample, running, T23G)
    old, path = await token_of(sample, T23G), f"/auth/{T23G}.cfg"
    for _ in range(4):
        await claim(sample, T23G)
    assert (await logged_in(running, path, T23G, old)).status == 200
    new = await token_of(sample, T23G)
    assert (await logged_in(running, path, T23G, new)).status == 200
    assert (await logged_in(running, path, T23G, old)).status == 401


async def test_the_first_login_closes_the_window(sample: Installation, running: Running):
    await claim(sample, T46S)
    assert (await ask(running, f"/{T46S}.cfg")).status == 200
    path = f"/auth/{T46S}.cfg"
    assert (await logged_in(running, path, T46S, await token_of(sample, T46S))).status == 200
    closed = await ask(running, f"/{T46S}.cfg")
    assert (closed.status, closed.body) == CLOSED


async def test_over_clear_text_secrets_stay_in_the_configured_networks(sample: Installation):
    security = Security(clear_text_networks=(f"{PHONE}/32",))
    settings = sample.settings.model_copy(update={"security": security})
    async with serving(replace(sample, settings=settings), lambda _: None) as server:
        await settled(sample, server, T23G)
        token, path = await token_of(sample, T23G), f"/auth/{T23G}.cfg"
        outside = await logged_in(server, path, T23G, token, source=STRANGER)
        assert (outside.status, outside.body) == CLOSED
        assert (await logged_in(server, path, T23G, token)).status == 200


async def test_nothing_that_proves_a_phone_is_kept_or_logged(
    sample: Installation, running: Running, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("DEBUG")
    await settled(sample, running, T23G)
    token, path = await token_of(sample, T23G), f"/auth/{T23G}.cfg"
    words = answered(await asked(running), T23G, token, path)
    assert (await ask(running, path, headers={"Authorization": words})).status == 200
    await logged_in(running, path, T23G, "0" * 32)
    rows = await requests(sample, running)
    assert [row.reason for row in rows[-4:]] == ["challenged", "current", "challenged", "wrong-login"]
    assert [row.status for row in rows[-4:]] == [401, 200, 401, 401]
    kept = " ".join(text_of(row) for row in rows) + caplog.text
    assert [secret for secret in (await all_secrets(sample)).values() if secret in kept] == []
    assert words not in kept


@pytest.mark.parametrize("mac", [VP530P, T46G, T23G, T46S, T54W])
async def test_a_phone_boots_through_its_login(sample: Installation, running: Running, mac: str):
    await apply_text(sample, HTTP_AUTH)
    machine = await settled(sample, running, mac)
    assert machine.stored_url == f"{running.provisioning_url}/auth/"
    again = await booted(machine)
    assert again.done.outcome is Outcome.UNCHANGED
    base = f"{running.provisioning_url}/auth/"
    statuses = {asked.url.removeprefix(base): asked.status for asked in again.asked}
    assert statuses[f"{mac}.cfg"] == statuses[machine.model.model_file] == 200
    # Asked once, the phone knows what to say with the others.
    rows = [row for row in await requests(sample, running) if row.path.startswith("/auth/")]
    assert [row.status for row in rows].count(401) == 2, "one for each boot"
    await apply_text(sample, TIME)
    assert (await booted(machine)).done.outcome is Outcome.APPLIED
    await claim(sample, mac)
    assert (await booted(machine)).done.outcome is Outcome.APPLIED, "the old token tells it the new one"
    assert (await booted(machine)).done.outcome is Outcome.UNCHANGED
    await release(sample, mac)
    assert (await booted(machine)).done.outcome is Outcome.FAILED


async def test_a_phone_boots_through_its_login_and_its_boot_file(sample: Installation, running: Running):
    await apply_text(sample, HTTP_AUTH.replace("}}", ", boot_mode: true}}"))
    machine = await settled(sample, running, T46S)
    again = await booted(machine)
    names = [(asked.url.rpartition("/")[2], asked.status) for asked in again.asked[:3]]
    assert names == [(f"{T46S}.boot", 200), (machine.model.model_file, 200), (f"{T46S}.cfg", 200)]


async def test_a_phone_moves_to_its_login_and_back(sample: Installation, running: Running):
    machine = await settled(sample, running, T46S)
    token = await token_of(sample, T46S)
    await apply_text(sample, HTTP_AUTH)
    assert (await booted(machine)).done.outcome is Outcome.APPLIED
    assert machine.stored_url == f"{running.provisioning_url}/auth/"
    assert (await booted(machine)).done.outcome is Outcome.UNCHANGED
    await apply_text(sample, HTTP_AUTH.replace("true", "false"))
    assert (await booted(machine)).done.outcome is Outcome.APPLIED
    assert machine.stored_url == f"{running.provisioning_url}/{token}/"
    assert (await booted(machine)).done.outcome is Outcome.UNCHANGED


async def test_a_phone_with_a_wrong_password_applies_nothing(sample: Installation, running: Running):
    await apply_text(sample, HTTP_AUTH)
    machine = await settled(sample, running, T46S)
    machine.memory.settings["static.auto_provision.server.password"] = "0" * 32
    before = dict(machine.memory.settings)
    assert (await booted(machine)).done.outcome is Outcome.FAILED
    assert machine.memory.settings == before


class CountingVault(Vault):
    """Counts what it opens."""

    opened = 0

    def open(self, sealed: bytes) -> str:
        self.opened += 1
        return super().open(sealed)


@pytest.fixture
def gates(sample: Installation) -> tuple[Gate, Gate]:
    """Those of two processes, without the HTTP around them."""
    vault = CountingVault.load(sample.data_dir / KEY_FILE)
    counting = replace(sample, vault=vault)
    return Gate(vault, Logins(counting)), Gate(vault, Logins(counting))


@dataclass(frozen=True, slots=True)
class Gate:
    """One process's."""

    vault: CountingVault
    logins: Logins

    async def ask(self, path: str, words: str | None, now: datetime = NOON) -> Answer:
        said = Said("GET", f"/auth/{path}", () if words is None else (words,))
        asks = Ask(None, f"auth/{path}", PHONE, AGENT, clear_text=True)
        return await self.logins.answer(asks, said, now)

    async def challenge(self, now: datetime = NOON) -> Challenge:
        return parse_challenges((await self.ask("", None, now)).challenges)[0]

    async def try_(self, path: str, user_name: str, token: str, now: datetime = NOON) -> tuple[str, int]:
        """The reason of the answer, and how many secrets were opened for it."""
        challenge, before = await self.challenge(now), self.vault.opened
        decided = await self.ask(path, answered(challenge, user_name, token, f"/auth/{path}"), now)
        return decided.reason, self.vault.opened - before


async def test_a_refusal_is_the_same_work_whoever_is_named(
    sample: Installation, running: Running, gates: tuple[Gate, Gate]
):
    gate, _ = gates
    await settled(sample, running, T23G)
    await claim(sample, T46S)
    # A file that is not there, so that all that is opened are tokens.
    own, token = f"{T23G}.boot", await token_of(sample, T23G)
    assert await gate.try_(own, T23G, token) == ("no-such-file", TRIED)
    refusals = {
        user_name: await gate.try_(own, user_name, "0" * 32)
        for user_name in (T23G, T46S, VP530P, UNLISTED, "", "admin", "ż")
    }
    assert set(refusals.values()) == {("wrong-login", TRIED)}
    # Whichever device stands in for one that is not there, its token opens nothing under that name.
    assert {await gate.try_(own, UNLISTED, token) for _ in range(50)} == {("wrong-login", TRIED)}
    assert await gate.try_(own, T23G, token) == ("no-such-file", 0), "who was here before is known"


async def test_another_process_takes_a_fresh_nonce_and_asks_again_after_a_few_seconds(
    sample: Installation, running: Running, gates: tuple[Gate, Gate]
):
    one, other = gates
    await settled(sample, running, T23G)
    own, token = f"{T23G}.cfg", await token_of(sample, T23G)
    words = answered(await one.challenge(), T23G, token, f"/auth/{own}")
    assert (await other.ask(own, words, NOON + timedelta(seconds=9))).reason == "current"
    assert (await other.ask(own, words, NOON + timedelta(seconds=9))).reason == "stale-login"
    assert (await one.ask(own, words, NOON + timedelta(seconds=11))).reason == "current"
    words = answered(await one.challenge(), T23G, token, f"/auth/{own}")
    assert (await other.ask(own, words, NOON + timedelta(seconds=11))).reason == "stale-login"
    assert (await one.ask(own, words, NOON + timedelta(minutes=6))).reason == "stale-login"
