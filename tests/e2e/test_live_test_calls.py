"""Live test calls: soft phones ring as people's phones do, and the verdict is that of phones in a twin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from provisioner.centrex.customer import CallerPresentation, HuntGroup, HuntStrategy
from provisioner.control.client import ask
from provisioner.operations import live_calls, trials
from sip.testcall import wording
from sip.transport.flow import Transport
from tests.e2e.exchange import Site, exchange
from tests.e2e.proving import deciding
from tests.e2e.softphones.baresip import Baresip, baresip
from tests.e2e.softphones.linphone import Linphone, linphone
from tests.e2e.tones import write_tone

NAMES = ("Recepcja", "Biuro", "Magazyn")
MEMBERS = 'members: [{extension: "101"}, {extension: "102"}, {extension: "103"}]'
GROUPS = "".join(
    f'      - {{number: "{number}", name: Grupa, strategy: {strategy}, {MEMBERS}}}\n'
    for number, strategy in (
        ("600", "order"), ("610", "random"), ("620", "simultaneous"), ("630", "least_used")
    )
)
BROKEN: dict[str, Callable[[HuntGroup], HuntGroup]] = {
    "600": lambda group: replace(group, members=group.members[::-1]),
    "610": lambda group: replace(group, caller_presentation=CallerPresentation.GROUP),
    "620": lambda group: replace(group, strategy=HuntStrategy.ORDER),
    "630": lambda group: replace(group, strategy=HuntStrategy.ORDER),
}
"How the engine takes each group for another one."
Member = Baresip | Linphone


@dataclass
class Office:
    """A company whose members have soft phones."""

    data_dir: Path
    members: list[Member]

    async def asked(self, number: str, **more: Any) -> dict[str, Any]:
        """What comes of one plain test call."""
        question = {"number": number, "customer": "firma", "calls": 1, "messages": True, **more}
        said = [each async for each in ask(self.data_dir, "test-call", question)]
        return dict(said[-1]["proof"])

    async def both(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """What comes of one live to each group, and of one in a twin."""
        alone = [asyncio.create_task(self.asked(number)) for number in BROKEN]
        live = [await self.live(number) for number in BROKEN]
        return list(zip(live, await asyncio.gather(*alone), strict=True))

    async def live(self, number: str, *does: str) -> dict[str, Any]:
        """The same to the soft phones: all answer, and of those that ring together one, unless it is said."""
        does = does or (("answers", "waits", "waits") if number == "620" else ("answers",) * 3)
        tasks = [
            asyncio.create_task(_takes(each, said)) for each, said in zip(self.members, does, strict=True)
        ]
        try:
            return await self.asked(number, live=True, confirmed=True)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


async def _takes(phone: Member, does: str) -> None:
    """Somebody is there who answers each call, declines it, or lets it ring."""
    while True:
        await phone.rings()
        if does != "waits":
            await asyncio.sleep(0.2)
            await (phone.accepts() if does == "answers" else phone.hangs_up())


@asynccontextmanager
async def office(folder: Path, template: Path) -> AsyncIterator[Office]:
    site = Site.make()
    phones = [
        site.phone(number, transport)
        for number, transport in enumerate((Transport.UDP, Transport.TCP, Transport.TLS), start=2)
    ]
    extensions = "".join(
        f"      - {phone.extension(str(number), name)}\n"
        for number, (phone, name) in enumerate(zip(phones, NAMES, strict=True), start=101)
    )
    company = f"    extensions:\n{extensions}    hunt_groups:\n{GROUPS}"
    async with exchange(folder, template, site, phones, company=company) as served:
        tone = write_tone(folder / "tone.wav", 440)
        trusted = served.certificate.chain
        accounts = [await served.account(phone) for phone in phones]
        async with (
            baresip(accounts[0], folder / "101", site.host(2), tone=tone) as first,
            linphone(accounts[1], folder / "102", site.host(3), tone=tone) as second,
            baresip(accounts[2], folder / "103", site.host(4), tone=tone, trusted=trusted) as third,
        ):
            for each in (first, second, third):
                await each.registers()
            # The least used of 630 is now another one than the first of the list.
            await third.dials("630")
            await first.rings()
            await first.accepts()
            await third.talks()
            await third.hangs_up()
            await first.is_hung_up()
            yield Office(served.installation.data_dir, [first, second, third])


def told(proof: dict[str, Any]) -> Collection[tuple[str, str, str]]:
    """What is wrong, and what is to blame."""
    (call,) = proof["calls"]
    return {(each["code"], each["blames"]["setting"], each["blames"]["of"]) for each in call["findings"]}


def answers(proof: dict[str, Any]) -> list[str]:
    """The statuses with which the phones have answered their INVITEs in the end, as the ladder has them."""
    (call,) = proof["calls"]
    own = [each["text"] for each in call["messages"] if not each["came"]]
    statuses = (text.split()[1] for text in own if "INVITE" in wording.values(text, "CSeq")[0])
    return [each for each in statuses if each.isdecimal() and each >= "200"]


async def test_the_verdict_is_that_of_test_phones_whole_or_broken(
    tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "_LIVE_TALK_S", 0.5)
    monkeypatch.setattr(live_calls, "_SETTLES_S", 0.2)
    async with office(tmp_path, migrated_sqlite) as firm:
        for live, twin in await firm.both():
            assert (live["passed"], twin["passed"]) == (True, True), (live, twin)
            assert live["calls"][0]["talk"]["caller_hears"]
        declined = await firm.live("600", "declines", "declines", "answers")
        assert (declined["passed"], declined["calls"][0]["answered_by"]) == (True, "103"), declined
        assert [each["ended"] for each in declined["calls"][0]["rung"]] == ["refused", "refused", "answered"]
        assert answers(declined) == ["486", "603", "200"]
        deciding.misread_group(lambda group: BROKEN[group.number](group))(monkeypatch)
        for live, twin in await firm.both():
            assert told(live) == told(twin) != set(), (live, twin)
