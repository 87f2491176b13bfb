"""A company whose soft phones, of two makers, have registered by one transport, and what they do."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sip.transport.flow import Transport
from tests.e2e.exchange import Exchange, Phone, Site, exchange
from tests.e2e.softphones.baresip import Baresip, baresip
from tests.e2e.softphones.linphone import Linphone, linphone
from tests.e2e.tones import hears, write_tone

SoftPhone = Baresip | Linphone
NAMES = {"101": "Recepcja", "102": "Biuro", "103": "Magazyn", "104": "Serwis", "106": "Pulpit"}
"Extensions, each with a line of its own."
PUBLISHED = ", published: true"
"All but the last are in the phone books."
HERTZ = {"101": 440, "102": 1000, "103": 1600, "104": 700}
"What each of them says."


@dataclass(frozen=True)
class Stage:
    """A server that is up, and its phones by their extensions."""

    served: Exchange
    devices: Mapping[str, Phone]
    "All of them."
    phones: Mapping[str, SoftPhone]
    "Those that are there."
    folder: Path

    def __getitem__(self, extension: str) -> SoftPhone:
        return self.phones[extension]

    def baresip(self, extension: str) -> Baresip:
        """One that can dial all codes."""
        phone = self.phones[extension]
        assert isinstance(phone, Baresip)
        return phone

    def linphone(self, extension: str) -> Linphone:
        """One that tells each message."""
        phone = self.phones[extension]
        assert isinstance(phone, Linphone)
        return phone


@asynccontextmanager
async def stage(
    folder: Path,
    template: Path,
    transport: Transport,
    *,
    linphones: Collection[str],
    baresips: Collection[str],
    company: str = "",
    services: Mapping[str, str] | None = None,
    others: Mapping[str, Transport] | None = None,
    site: Site | None = None,
    tables: str = "",
) -> AsyncIterator[Stage]:
    """All extensions by `transport`, but for `others`, of which these are there.

    `services` are what the file says of their lines, `company` of the customer, and `tables` are further
    ones of the configuration file.
    """
    site = site or Site.make()
    devices = {
        extension: site.phone(
            number, (others or {}).get(extension, transport), (services or {}).get(extension, "")
        )
        for number, extension in enumerate(NAMES, start=2)
    }
    extensions = "".join(
        f"      - {device.extension(number, NAMES[number], PUBLISHED * (number != '106'))}\n"
        for number, device in devices.items()
    )
    company = f"    extensions:\n{extensions}{company}"
    async with (
        exchange(folder, template, site, list(devices.values()), tables, company) as served,
        AsyncExitStack() as stack,
    ):
        phones: dict[str, SoftPhone] = {}
        for makers, start in ((baresips, baresip), (linphones, linphone)):
            for extension in makers:
                device = devices[extension]
                tone = write_tone(folder / f"{HERTZ[extension]}.wav", HERTZ[extension])
                phone = start(
                    await served.account(device), folder / extension, served.host(device),
                    trusted=served.certificate.chain, tone=tone,
                )  # fmt: skip
                phones[extension] = await stack.enter_async_context(phone)
        await asyncio.gather(*(each.registers() for each in phones.values()))
        yield Stage(served, devices, phones, folder)


@dataclass(frozen=True)
class Ring:
    """A phone has begun to ring."""

    shown: str
    "The name and the number on its display."
    at: float
    "Not before this loop time: it is when the test saw it."


async def rings(phone: SoftPhone) -> Ring:
    """Returns when it rings next."""
    shown = re.match(r'"?(.*?)"? <?sip:([^@]+)@', await phone.rings())
    assert shown is not None
    return Ring(f"{shown[1]} {shown[2]}", asyncio.get_running_loop().time())


async def rung(stage: Stage, *extensions: str) -> dict[str, Ring]:
    """Returns when all these have rung."""
    found = await asyncio.gather(*(rings(stage[extension]) for extension in extensions))
    return dict(zip(extensions, found, strict=True))


async def first_rung(stage: Stage, *extensions: str) -> str:
    """Which of these rings next, while none of the others does."""
    waiting = {asyncio.ensure_future(rings(stage[each])): each for each in extensions}
    done, others = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for each in others:
        each.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    (first,) = done
    first.result()
    await silent(stage, *(set(extensions) - {waiting[first]}))
    return waiting[first]


async def silent(stage: Stage, *extensions: str) -> None:
    """Nobody calls these, as far as they know."""
    for extension in extensions:
        assert not await stage[extension].has_calls(), f"{extension} rings"


async def turned_down(stage: Stage, caller: str, number: str, *extensions: str, shows: str = "") -> None:
    """A call rings these one after another, each when the one before has turned it down, as has the last."""
    await stage[caller].dials(number)
    for at, extension in enumerate(extensions):
        await rings_alone(stage, extension, *extensions[at + 1 :], shows=shows or named(caller))
        await stage[extension].hangs_up()
    await stage[caller].is_hung_up()


async def rings_alone(stage: Stage, extension: str, *others: str, shows: str) -> Ring:
    """It rings, and shows this, while none of the others does."""
    ring = await rings(stage[extension])
    assert ring.shown == shows
    await silent(stage, *others)
    return ring


async def answers(stage: Stage, extension: str, caller: str) -> None:
    """It answers the call that rings, and both hear what the other one says."""
    callee, calling = stage[extension], stage[caller]
    await callee.accepts()
    await asyncio.gather(callee.talks(), calling.talks())
    await hear_each_other(stage, extension, caller)


async def hear_each_other(stage: Stage, one: str, other: str) -> None:
    """A tone that is sent at either end is heard at the other."""
    await asyncio.gather(hears(stage[one].heard(), HERTZ[other]), hears(stage[other].heard(), HERTZ[one]))


async def hung_up(stage: Stage, one: str, *others: str) -> None:
    """One hangs up, and for all the call is over."""
    await stage[one].hangs_up()
    await asyncio.gather(*(stage[each].is_hung_up() for each in others))


async def dials_code(phone: Baresip, code: str) -> None:
    """It is answered and hung up at once."""
    await phone.dials(code)
    await phone.talks()
    await phone.is_hung_up()


def named(extension: str) -> str:
    """What a display shows of it."""
    return f"{NAMES[extension]} {extension}"
