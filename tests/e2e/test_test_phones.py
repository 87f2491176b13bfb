"""The phones of test calls, against a server that runs: what they see is what has happened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sip.testcall import process
from sip.testcall.account import Account
from sip.testcall.agents import TestPhones
from sip.testcall.observed import (
    Answered,
    By,
    Dialled,
    Ended,
    Heard,
    Observation,
    Progressed,
    Rang,
    Refused,
    Registered,
    StoppedRinging,
    TurnedDown,
)
from sip.testcall.scenario import Behaviour, Then
from tests.e2e.exchange import Exchange, Phone, Site, exchange
from tests.e2e.softphones.baresip import baresip
from tests.e2e.tones import hears, write_tone


@asynccontextmanager
async def office(folder: Path, template: Path, count: int) -> AsyncIterator[tuple[TestPhones, list[Account]]]:
    """A server with so many extensions from 101 on, and the accounts of phones for them."""
    site = Site.make()
    phones = [site.phone(number) for number in range(2, 2 + count)]
    extensions = "".join(
        f"      - {phone.extension(str(number), f'Biuro {number}')}\n"
        for number, phone in enumerate(phones, start=101)
    )
    async with (
        exchange(folder, template, site, phones, company=f"    extensions:\n{extensions}") as served,
        process.test_phones() as tested,
    ):
        yield tested, [await account(served, each) for each in phones]


async def test_a_phone_of_another_kind_is_heard_and_hears(tmp_path: Path, migrated_sqlite: Path) -> None:
    site = Site.make()
    ours, theirs = (site.phone(number) for number in (2, 3))
    company = (
        f"    extensions:\n      - {ours.extension('101', 'Biuro')}\n"
        f"      - {theirs.extension('102', 'Magazyn')}\n"
    )
    sound = write_tone(tmp_path / "tone.wav", 620)
    async with (
        exchange(tmp_path, migrated_sqlite, site, (ours, theirs), company=company) as served,
        process.test_phones() as phones,
        baresip(
            await served.account(theirs), tmp_path / "phone", served.host(theirs),
            tone=sound, answers_by_itself=True,
        ) as other,
    ):  # fmt: skip
        await other.registers()
        mine = await account(served, ours)
        await phones.register(mine, Behaviour(Then.ANSWER), 440)
        phones.call(mine.number, "102", 440, talks_s=60)
        await phones.until(lambda: any(isinstance(each, Heard) for each in phones.seen), 60)
        await hears(other.heard(), 440)
        phones.hang_up(mine.number)
        await other.is_hung_up()
        await other.dials("101")
        await phones.until(lambda: sum(isinstance(each, Heard) for each in phones.seen) == 2, 60)
        await hears(other.heard(), 440)
        await other.hangs_up()
        await phones.until(lambda: sum(isinstance(each, Ended) for each in phones.seen) == 2, 60)
        assert {each.hz for each in phones.seen if isinstance(each, Heard)} <= {619, 620, 621}
        ended = [each.by for each in phones.seen if isinstance(each, Ended)]
        assert ended == [By.ITSELF, By.OTHER]


async def account(served: Exchange, phone: Phone) -> Account:
    """What that phone has to know."""
    known = await served.account(phone)
    return Account(known.user_name, known.password, known.server, served.host(phone))


async def test_two_phones_talk_and_hear_each_other(tmp_path: Path, migrated_sqlite: Path) -> None:
    async with office(tmp_path, migrated_sqlite, 2) as (phones, (caller, callee)):
        await phones.register(caller, Behaviour(Then.SILENT), 440)
        await phones.register(callee, Behaviour(Then.ANSWER, after_s=0.5), 620)
        phones.call(caller.number, "102", 440, talks_s=60)
        await phones.until(lambda: sum(isinstance(each, Heard) for each in phones.seen) == 2, 60)
        phones.hang_up(caller.number)
        await phones.until(lambda: sum(isinstance(each, Ended) for each in phones.seen) == 2, 60)

        def seen(account: Account) -> list[type[Observation]]:
            return [type(each) for each in phones.seen if each.phone == account.number]

        assert seen(caller) == [Registered, Dialled, Progressed, Answered, Heard, Ended]
        assert seen(callee) == [Registered, Rang, Answered, Heard, Ended]
        (rang,) = (each for each in phones.seen if isinstance(each, Rang))
        shown = {(each.number, each.name) for each in rang.displays}
        assert shown == {("101", "Biuro 101")}
        answered = [each.at for each in phones.seen if isinstance(each, Answered)]
        assert min(answered) - rang.at >= 0.5
        heard = {each.phone: each.hz for each in phones.seen if isinstance(each, Heard)}
        assert heard == {caller.number: pytest.approx(620, abs=2), callee.number: pytest.approx(440, abs=2)}
        ended = {each.phone: each for each in phones.seen if isinstance(each, Ended)}
        assert (ended[caller.number].by, ended[callee.number].by) == (By.ITSELF, By.OTHER)
        assert all(each.packets > 0 and each.lost == 0 for each in ended.values())


async def test_phones_refuse_stay_silent_and_say_nothing(tmp_path: Path, migrated_sqlite: Path) -> None:
    async with office(tmp_path, migrated_sqlite, 2) as (phones, (caller, callee)):
        await phones.register(caller, Behaviour(Then.SILENT), 440)
        await phones.register(callee, Behaviour(Then.REFUSE, status=603), 620)

        async def call(gives_up_s: float | None = None) -> list[Observation]:
            """All that is seen of a call, until it is over."""
            begun = len(phones.seen)
            phones.call(caller.number, "102", 440, gives_up_s=gives_up_s)
            await phones.until(lambda: {"caller", "callee"} <= over(phones.seen[begun:], caller), 60)
            return phones.seen[begun:]

        seen = await call()
        assert [each.status for each in seen if isinstance(each, Refused)] == [603]
        assert [each.status for each in seen if isinstance(each, TurnedDown)] == [603]

        phones.behave(callee.number, Behaviour(Then.SILENT), 620)
        seen = await call(gives_up_s=0.3)
        assert [type(each) for each in seen if each.phone == callee.number] == [Rang, StoppedRinging]
        assert [each.status for each in seen if isinstance(each, TurnedDown)] == [487]

        # It talks, but can't be heard.
        phones.behave(callee.number, Behaviour(Then.ANSWER), 0)
        begun = len(phones.seen)
        phones.call(caller.number, "102", 440, talks_s=60)
        await phones.until(lambda: any(isinstance(each, Heard) for each in phones.seen), 60)
        phones.hang_up(callee.number)
        await phones.until(lambda: {"caller", "callee"} <= over(phones.seen[begun:], caller), 60)
        assert [each.phone for each in phones.seen if isinstance(each, Heard)] == [callee.number]

        await phones.remove(callee.number)
        begun = len(phones.seen)
        phones.call(caller.number, "102", 440)
        await phones.until(lambda: "caller" in over(phones.seen[begun:], caller), 60)
        assert [each.status for each in phones.seen[begun:] if isinstance(each, TurnedDown)] == [480]


def over(seen: Sequence[Observation], caller: Account) -> set[str]:
    """For whom a call is over."""
    last = [each for each in seen if isinstance(each, TurnedDown | Ended | Refused | StoppedRinging)]
    return {"caller" if each.phone == caller.number else "callee" for each in last}
