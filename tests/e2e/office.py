"""A company of four, whose soft phones are registered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from sip.transport.flow import Transport
from tests.e2e.exchange import Site, exchange
from tests.e2e.softphones.baresip import Baresip, baresip
from tests.e2e.tones import write_tone

NAMES = ("Recepcja", "Biuro", "Magazyn", "Serwis")
"Of the extensions 101, 102, …, each with its own phone; the last one calls."


@asynccontextmanager
async def office(
    folder: Path,
    template: Path,
    groups: str,
    transports: Sequence[Transport] = (Transport.UDP,) * 4,
    site: Site | None = None,
    tables: str = "",
    services: Sequence[str] = ("",) * 4,
    more: str = "",
) -> AsyncIterator[list[Baresip]]:
    """A company with these hunt groups, and its phones, registered.

    `services` are what the file says of their lines, and `more` of the company.
    """
    site = site or Site.make()
    phones = [
        site.phone(number, transport, said)
        for number, (transport, said) in enumerate(zip(transports, services, strict=True), start=2)
    ]
    extensions = "".join(
        f"      - {phone.extension(str(number), name)}\n"
        for number, (phone, name) in enumerate(zip(phones, NAMES, strict=True), start=101)
    )
    listed = f"    hunt_groups:\n{groups}" if groups else ""
    company = f"    extensions:\n{extensions}{listed}{more}"
    async with (
        exchange(folder, template, site, phones, tables, company) as served,
        AsyncExitStack() as stack,
    ):
        tone = write_tone(folder / "tone.wav", 440)
        trusted = served.certificate.chain
        started = [
            await stack.enter_async_context(
                baresip(
                    await served.account(phone), folder / f"phone{number}", served.host(phone),
                    trusted=trusted, tone=tone,
                )
            )
            for number, phone in enumerate(phones)
        ]  # fmt: skip
        for each in started:
            await each.registers()
        yield started


async def shown(phone: Baresip) -> str:
    """The name and the number that its display shows when it rings next."""
    return (await phone.rings()).replace("sip:", "").partition("@")[0]
