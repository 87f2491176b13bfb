"""Whoever listens in, or knows one line's password, gets no other line's calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.exchange import Site, exchange
from tests.e2e.live import watching
from tests.e2e.raw_sip import peer

METHODS = (
    "REGISTER", "OPTIONS", "INVITE", "BYE", "SUBSCRIBE", "NOTIFY", "MESSAGE", "REFER", "PUBLISH", "INFO",
    "UPDATE", "PRACK", "FROBNICATE",
)  # fmt: skip


async def test_credentials_that_were_listened_to_open_nothing(tmp_path: Path, migrated_sqlite: Path) -> None:
    site = Site.make()
    phone = site.phone(2)
    async with exchange(tmp_path, migrated_sqlite, site, [phone]) as served:
        account = await served.account(phone)
        async with watching(served, phone) as seen, peer(account, served.host(phone)) as victim:
            line = await victim.authorization()
            first = await victim.asks(victim.request("REGISTER", phone.line, line, 2))
            assert first.status == 200
            await seen.event("line.registered")
            contact = (await seen.registration())["contact"]
            # The victim's own address is the best place to do it from.
            for source in (served.host(phone), site.host(66)):
                async with peer(account, source) as thief:
                    tries = (thief.request("REGISTER", phone.line, line, 3 + n) for n in range(50))
                    answers = await thief.asks_all(tries)
                    assert {each.status for each in answers} == {401}
            assert (await seen.registration())["contact"] == contact


async def test_a_line_registers_for_no_other_line(tmp_path: Path, migrated_sqlite: Path) -> None:
    site = Site.make()
    own, other = site.phone(2), site.phone(3)
    async with exchange(tmp_path, migrated_sqlite, site, [own, other]) as served:
        account = await served.account(own)
        async with peer(account, served.host(own)) as thief:
            line = await thief.authorization()
            answer = await thief.asks(thief.request("REGISTER", other.line, line, 2))
            assert answer.status == 403
            # Nor for one that nobody has: it can't be told apart.
            line = await thief.authorization()
            missing = await thief.asks(thief.request("REGISTER", "48999999999", line, 2))
            assert (missing.status, missing.without_chance) == (403, answer.without_chance)
        for phone in (own, other):
            (shown,) = await served.registrations(phone)
            assert shown["state"] == "never"


@pytest.mark.parametrize("password", ["wrong", None])
async def test_unknown_users_and_wrong_passwords_look_alike(
    password: str | None, tmp_path: Path, migrated_sqlite: Path
) -> None:
    site = Site.make()
    phone = site.phone(2)
    async with exchange(tmp_path, migrated_sqlite, site, [phone]) as served:
        account = await served.account(phone)
        async with peer(account, served.host(phone)) as known:
            line = await known.authorization(password="wrong")
            refused = await known.asks(known.request("REGISTER", phone.line, line, 2))
        stranger = line.replace(phone.line, "48999999999") if password else ""
        async with peer(account, site.host(3)) as unknown:
            answer = await unknown.asks(unknown.request("REGISTER", "48999999999", stranger, 2))
        assert (answer.status, answer.without_chance) == (refused.status, refused.without_chance)


async def test_no_method_is_served_to_who_has_not_logged_in(tmp_path: Path, migrated_sqlite: Path) -> None:
    site = Site.make()
    phone = site.phone(2)
    async with exchange(tmp_path, migrated_sqlite, site, [phone]) as served:
        account = await served.account(phone)
        for number, method in enumerate(METHODS, 100):
            async with peer(account, site.host(number)) as stranger:
                answers = [
                    await stranger.asks(stranger.request(method, user))
                    for user in (phone.line, "48999999999")
                ]
            for answer in answers:
                assert answer.status in (401, 405, 481, 501), (method, answer.text)
            listed, missing = answers
            assert (listed.status, listed.without_chance) == (missing.status, missing.without_chance)
        (shown,) = await served.registrations(phone)
        assert shown["state"] == "never"
