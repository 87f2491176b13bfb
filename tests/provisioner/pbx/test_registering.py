"""Phones register with the whole server: who is let in, what is kept of it, and what nobody can tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import pytest
import yaml

from provisioner.app import Running
from provisioner.app import serving as serving_all
from provisioner.operations.addresses import public_addresses
from provisioner.operations.installation import Installation
from provisioner.pbx import serving
from provisioner.pbx.keys import LineKey, LineKeys
from provisioner.settings import Public
from sip.binding import Change
from sip.digest import Algorithm, ha1, parse_challenges
from sip.location import Location
from sip.message.message import Response
from sip.transport.flow import Address
from tests.provisioner.conftest import SAMPLE, apply_text
from tests.provisioner.pbx.phone import Phone, phone
from tests.provisioner.web.asking import all_secrets
from tests.sip.transport.peers import LOOPBACK

LINE = "48223809887"
OTHER = "48223809986"
LOGIN = "nowyklienttestowy"

NewPhone = Callable[..., AbstractAsyncContextManager[Phone]]


@pytest.fixture
async def registers(sample: Installation, running: Running) -> NewPhone:
    """Makes phones of lines, with the password that the line has."""
    secrets = await all_secrets(sample)

    def make(line: str = LINE, password: str | None = None) -> AbstractAsyncContextManager[Phone]:
        return phone(running.sip, line, password or secrets.get(f"line {line}", "none"), LOOPBACK)

    return make


async def stored(installation: Installation) -> list[tuple[str, str]]:
    """Line and Contact of every row."""
    found = await installation.database.rows(
        "SELECT lines.number, registrations.contact FROM registrations"
        " JOIN lines ON lines.id = registrations.line_id ORDER BY registrations.id"
    )
    return [(str(number), str(contact)) for number, contact in found]


async def test_a_phone_registers_and_a_200_means_stored(sample: Installation, registers: NewPhone):
    async with registers() as mine:
        answer = await mine.register()
        assert answer.status == 200
        assert [str(each.uri) for each in answer.contact] == [mine.contact.strip("<>")]
        assert await stored(sample) == [(LINE, mine.contact.strip("<>"))]


async def test_a_phone_that_takes_its_contact_back_is_gone(sample: Installation, registers: NewPhone):
    async with registers() as mine:
        await mine.register()
        assert (await mine.register(expires_s=0)).contact == ()
        assert await stored(sample) == []


async def test_sha_256_is_offered_first_and_does(registers: NewPhone):
    async with registers() as mine:
        mine.agent = "Zoiper rv2.10"
        assert (await mine.register(algorithm=Algorithm.SHA256)).status == 200
        assert (await mine.register(algorithm=Algorithm.MD5)).status == 200


async def test_a_phone_that_reads_one_challenge_only_is_offered_what_it_knows(registers: NewPhone):
    async with registers() as mine:
        answer = await mine.ask(mine.message("REGISTER", f"Contact: {mine.contact}"))
        assert [each.split("algorithm=")[1][:3] for each in answer.headers.all("WWW-Authenticate")] == ["MD5"]


def told(answer: Response) -> tuple[int, str, list[str]]:
    """What an answer says, without what is of each request alone."""
    names = [name for name, _ in answer.headers]
    return answer.status, answer.reason_phrase, names


async def test_a_line_that_is_not_there_and_a_wrong_password_get_the_same_answer(registers: NewPhone):
    async with registers(password="falsch") as wrong, registers(line="48999999999") as unknown:
        answers = [await each.register() for each in (wrong, unknown)]
    assert told(answers[0]) == told(answers[1])
    assert answers[0].status == 401


async def test_a_used_credential_gets_nobody_in(registers: NewPhone):
    async with registers() as mine, registers() as thief:
        challenge = await mine.challenge()
        data = mine.message("REGISTER", f"Contact: {mine.contact}", credentials=mine.answered(challenge))
        assert (await mine.ask(data)).status == 200
        stolen = mine.answered(challenge)
        for _ in range(5):
            again = thief.message("REGISTER", "Contact: <sip:thief@127.0.0.1:9>", credentials=stolen)
            assert (await thief.ask(again)).status == 401


async def test_credentials_of_another_request_get_nobody_in(sample: Installation, registers: NewPhone):
    """Nobody between a phone and us makes anything else of what it has asked for."""
    async with registers() as mine:
        challenge = await mine.challenge()
        key = ha1(challenge.algorithm, mine.line, challenge.realm, mine.password)
        uris = {"sip:elsewhere.example": 400, "sip:127.0.0.1:5060": 200}
        for count, (uri, status) in enumerate(uris.items(), 1):
            made = challenge.answered(mine.line, key, "REGISTER", uri, cnonce="0a4f113b", count=count)
            answer = await mine.ask(mine.message("REGISTER", f"Contact: {mine.contact}", credentials=made))
            assert answer.status == status
        assert len(await stored(sample)) == 1


async def test_where_a_phone_was_registered_before_a_restart_is_known_to_be_its_own(sample: Installation):
    password = (await all_secrets(sample))[f"line {LINE}"]
    async with serving_all(sample, lambda _: None) as before, phone(before.sip, LINE, password) as mine:
        await mine.register()
        address = mine.peer.address
    async with serving_all(sample, lambda _: None) as after:
        for bound, status in ((address, 200), (LOOPBACK, 401)):
            async with phone(after.sip, LINE, password, bound) as mine:
                assert (await mine.ask(mine.message("OPTIONS"))).status == status


async def test_phones_register_while_a_start_writes_the_files_of_all(
    sample: Installation, monkeypatch: pytest.MonkeyPatch
):
    password = (await all_secrets(sample))[f"line {LINE}"]
    answered: list[int] = []

    async def writing(installation: Installation) -> None:
        async with installation.database.read() as session:
            told = await public_addresses(session, installation.settings)
        async with phone(Address(told.sip_host, told.sip_port), LINE, password) as mine:
            answered.append((await mine.register()).status)

    monkeypatch.setattr("provisioner.app.publish", writing)
    async with serving_all(sample, lambda _: None):
        assert answered == [200]


async def test_for_a_nonce_that_is_not_ours_nothing_is_looked_up(
    registers: NewPhone, monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []
    of = LineKeys.of

    async def counted(keys: LineKeys, number: str) -> LineKey:
        asked.append(number)
        return await of(keys, number)

    monkeypatch.setattr(LineKeys, "of", counted)
    async with registers() as mine, registers(password="falsch") as wrong, registers("48999999999") as none:
        answers = []
        for each in (mine, wrong, none):
            challenge = replace(await each.challenge(), nonce="0" * 40)
            credentials = each.answered(challenge)
            data = each.message("REGISTER", f"Contact: {each.contact}", credentials=credentials)
            answers.append(await each.ask(data))
        assert told(answers[0]) == told(answers[1]) == told(answers[2])
        assert parse_challenges(answers[0].headers.all("WWW-Authenticate"))[0].stale
        assert not asked
        assert (await mine.register()).status == 200
        assert asked == [LINE]


async def test_a_nonce_does_again_with_a_higher_count(registers: NewPhone):
    async with registers() as mine:
        challenge = await mine.challenge()
        for count in (1, 2, 7):
            credentials = mine.answered(challenge, count=count)
            data = mine.message("REGISTER", f"Contact: {mine.contact}", credentials=credentials)
            assert (await mine.ask(data)).status == 200


async def test_a_line_cant_change_where_another_is(sample: Installation, registers: NewPhone):
    async with registers() as mine:
        mine.user, mine.line = LINE, OTHER
        assert (await mine.register()).status == 403
    assert await stored(sample) == []


async def test_an_aor_of_another_host_is_not_ours_unless_phones_are_told_it(
    sample: Installation, registers: NewPhone
):
    async with registers() as mine:
        mine.domain = "somewhere.example"
        assert (await mine.register()).status == 404
        options = {"login": LOGIN, "phone": {"sip_host": "Somewhere.example"}}
        await apply_text(sample, yaml.safe_dump({"customers": [options]}))
        assert (await mine.register()).status == 200
        mine.domain = "elsewhere.example"
        assert (await mine.register()).status == 404
        options["phone"] = {"sip_host": "elsewhere.example"}
        await apply_text(sample, yaml.safe_dump({"customers": [options]}))
        assert (await mine.register()).status == 200
        mine.domain = "somewhere.example"
        assert (await mine.register()).status == 200, "it may not have fetched its new file yet"


async def test_an_aor_of_a_host_that_phones_were_told_before_a_restart_is_ours_still(sample: Installation):
    password = (await all_secrets(sample))[f"line {LINE}"]

    async def statuses(public: str, company: str, *domains: str) -> list[int]:
        options = {"login": LOGIN, "phone": {"sip_host": company}}
        await apply_text(sample, yaml.safe_dump({"customers": [options]}))
        settings = sample.settings.model_copy(update={"public": Public(sip_host=public)})
        installation = replace(sample, settings=settings)
        async with serving_all(installation, lambda _: None) as up, phone(up.sip, LINE, password) as mine:
            found = []
            for mine.domain in domains:
                found.append((await mine.register()).status)
            return found

    before, later = ("a.example", "b.example"), ("c.example", "d.example")
    assert await statuses(*before, *before, *later) == [200, 200, 404, 404]
    assert await statuses(*later, *before, *later) == [200, 200, 200, 200], "they may have their old files"
    assert await statuses(*later, *before, "e.example") == [200, 200, 404]


async def test_a_contact_that_leads_back_to_the_server_is_refused(registers: NewPhone, running: Running):
    async with registers() as mine:
        assert (await mine.register(contact=f"<sip:{LINE}@{running.sip}>")).status == 403


async def test_whoever_knows_no_password_is_told_nothing_by_options(registers: NewPhone):
    async with registers() as mine:
        assert (await mine.ask(mine.message("OPTIONS"))).status == 401
        await mine.register()
        answer = await mine.ask(mine.message("OPTIONS"))
        assert answer.status == 200
        assert "REGISTER" in answer.allow


async def test_options_to_another_host_are_answered_as_a_call_there_would_be(
    sample: Installation, registers: NewPhone, running: Running
):
    async with registers() as mine:
        await mine.register()

        async def asks(uri: str) -> int:
            _, _, rest = mine.message("OPTIONS").partition(b" SIP/2.0")
            return (await mine.ask(f"OPTIONS {uri} SIP/2.0".encode() + rest)).status

        for uri in (f"sip:{running.sip}", f"sip:nobody@{running.sip}", "sip:localhost"):
            assert await asks(uri) == 200
        for uri in ("sip:somewhere.example", f"sip:{LINE}@somewhere.example"):
            assert await asks(uri) == 404
        options = {"login": LOGIN, "phone": {"sip_host": "somewhere.example"}}
        await apply_text(sample, yaml.safe_dump({"customers": [options]}))
        assert await asks("sip:somewhere.example") == 200


async def test_a_look_up_that_breaks_costs_no_other(registers: NewPhone, monkeypatch: pytest.MonkeyPatch):
    async def broken(keys: LineKeys, number: str) -> None:
        raise ValueError("broken")

    async with registers() as mine, registers(OTHER) as other:
        with monkeypatch.context() as patched:
            patched.setattr(LineKeys, "of", broken)
            assert (await mine.register()).status == 500
        assert (await other.register()).status == 200


async def test_what_breaks_off_begins_anew(registers: NewPhone, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(serving, "_AGAIN_S", 0)
    broken = iter([True])

    def expire(location: Location, now: float) -> list[Change]:
        if next(broken, False):
            raise ValueError("broken")
        return []

    monkeypatch.setattr(Location, "expire", expire)
    async with registers() as mine:
        assert (await mine.register()).status == 200
    assert not list(broken)


async def test_a_changed_password_holds_at_once(sample: Installation, registers: NewPhone):
    async with registers() as mine:
        assert (await mine.register()).status == 200
        lines = yaml.safe_load(SAMPLE.read_bytes())["customers"][0]["lines"]
        next(each for each in lines if each["number"] == LINE)["password"] = "nowe-haslo-33"
        await apply_text(sample, yaml.safe_dump({"customers": [{"login": LOGIN, "lines": lines}]}))
        assert (await mine.register()).status == 401
        mine.password = "nowe-haslo-33"
        assert (await mine.register()).status == 200


async def test_a_guesser_is_banned_and_a_phone_at_its_address_is_not(registers: NewPhone):
    async with registers() as mine, registers() as guesser:
        assert (await mine.register()).status == 200
        # Dozens of users by one flow: no phone does that.
        for number in range(60):
            guesser.line = f"4899999{number:04}"
            try:
                async with asyncio.timeout(1):
                    await guesser.register()
            except TimeoutError:
                break
        else:
            pytest.fail("nobody held it back")
        assert (await mine.register()).status == 200


async def test_a_scanner_is_taken_at_its_word(registers: NewPhone):
    async with registers() as mine, registers() as scanner:
        assert (await mine.register()).status == 200
        scanner.agent = "friendly-scanner"
        # It gets the answer to what it asks first, and nothing after that.
        await scanner.challenge()
        scanner.peer.send(scanner.message("REGISTER", f"Contact: {scanner.contact}"))
        assert (await mine.register()).status == 200
        with pytest.raises(BlockingIOError):
            scanner.peer.socket.recv(65535)
