"""Phones that look for a server on the wire of a real network, by real multicast."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from db.engine import Database
from db.queries import pnp as queries
from db.queries.pnp import Sighting
from db.tail import waking
from phone_templates.yealink.models import UnknownModel
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import BadValue, Conflict, NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.operations import claims, devices, pnp
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.pnp import Unknown
from provisioner.pbx.pnp import CantHearPhones, answering_pnp
from sip.message.message import Request, Response
from sip.message.parser import parse_datagram
from tests.provisioner.operations.small import audits, other, put, small
from tests.provisioner.pbx.lan import OTHER, PHONE, SERVER, STRANGER, Lan, wired
from tests.provisioner.pbx.phones import DESK, HALL
from tests.provisioner.processes import served
from tests.provisioner.written import Written, loopback_settings, put_key

ON_SQLITE = pytest.mark.parametrize("company_url", ["sqlite"], indirect=True)
"What is no matter of the database."
NEW, NEXT = MacAddress("001565f4f9e1"), MacAddress("001565f4f9e2")
URL = "http://10.77.0.1:8081"
SUBSCRIBE = """SUBSCRIBE sip:{user}@224.0.1.75 SIP/2.0
Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK1612
From: <sip:{user}@224.0.1.75>;tag=1609
To: <sip:{user}@224.0.1.75>
Call-ID: 1608@{host}
CSeq: 1 SUBSCRIBE
Contact: <sip:{user}@{host}:{port}>
Max-Forwards: 70
Expires: 0
Event: ua-profile;profile-type="device";vendor="yealink";model="{model}";version="25.81.0.10"
Accept: application/url
Content-Length: 0

"""


@pytest.fixture(scope="module")
def lan() -> Iterator[Lan]:
    with wired() as made:
        yield made


@pytest.fixture(scope="session")
def written_companies(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """What is copied."""
    return Written(tmp_path_factory.mktemp("companies"), lambda made: put(made, small(), other()))


@pytest.fixture(params=["sqlite", "postgresql"])
def company_url(request: pytest.FixtureRequest, tmp_path: Path, written_companies: Written) -> Iterator[str]:
    """A copy of the test's own, once on each engine."""
    with written_companies.copied(request, tmp_path) as url:
        yield url


@pytest.fixture
async def company(
    company_url: str, tmp_path: Path, written_companies: Written
) -> AsyncIterator[Installation]:
    """Two customers, and a URL that no phone could guess from where it is answered from."""
    settings = loopback_settings()
    public = settings.public.model_copy(update={"provisioning_url": URL})
    vault = put_key(written_companies.key, tmp_path)
    database = await Database.open(company_url)
    yield Installation(tmp_path, settings.model_copy(update={"public": public}), database, vault)
    await database.close()


class Phone:
    """A phone on the other end of the wire."""

    def __enter__(self) -> Phone:
        return self

    def __exit__(self, *error: object) -> None:
        self.socket.close()

    def __init__(self, lan: Lan, host: str = PHONE, port: int = 5059) -> None:
        self.host, self.port = host, port
        self.socket = lan.socket(lan.phone, host, port)

    def asks(self, mac: MacAddress, model: str = "W52P", user: str = "MAC{mac}") -> None:
        text = SUBSCRIBE.format(user=user.format(mac=mac.hex), host=self.host, port=self.port, model=model)
        self.socket.sendto(text.replace("\n", "\r\n").encode(), ("224.0.1.75", 5060))

    async def is_told(self) -> str:
        """The URL that it gets by a 200 and a NOTIFY."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(60):
            ok = parse_datagram(await loop.sock_recv(self.socket, 4096))
            notify = parse_datagram(await loop.sock_recv(self.socket, 4096))
        assert isinstance(ok, Response)
        assert isinstance(notify, Request)
        assert (ok.status, notify.method, notify.call_id) == (200, "NOTIFY", ok.call_id)
        return notify.body.decode()

    def has_heard_nothing(self) -> bool:
        try:
            self.socket.recv(4096)
        except BlockingIOError:
            return True
        return False


@asynccontextmanager
async def answering(company: Installation, lan: Lan) -> AsyncIterator[socket.socket]:
    """A server on the wire; yields the socket on which it takes SIP at the same port."""
    with closing(lan.socket(lan.server, "0.0.0.0", 5060)) as unicast:  # noqa: S104
        with lan.inside(lan.server):
            pnp_answering = answering_pnp(company, [unicast])
            names = await pnp_answering.__aenter__()
        try:
            assert names == [lan.wire]
            yield unicast
        finally:
            await pnp_answering.__aexit__(None, None, None)


async def inbox(installation: Installation, count: int) -> list[Unknown]:
    """The inbox, when so many phones are in it."""
    found: list[Unknown] = []
    with suppress(TimeoutError):
        async with waking(installation.database) as waker, asyncio.timeout(60):
            while len(found) != count:
                await waker.wait(0.2)
                found = await pnp.waiting(installation)
    assert len(found) == count
    return found


async def test_a_phone_is_told_where_to_begin_while_its_window_is_open(company: Installation, lan: Lan):
    await claims.claim(company, DESK, COMMAND_LINE)
    async with answering(company, lan):
        with Phone(lan) as phone:
            phone.asks(DESK)
            assert await phone.is_told() == f"{URL}/"
    assert await pnp.waiting(company) == []


@ON_SQLITE
@pytest.mark.parametrize("user", ["MAC%3a{mac}", "mac{mac}"])
async def test_both_spellings_of_the_mac_are_heard(company: Installation, lan: Lan, user: str):
    await claims.claim(company, DESK, COMMAND_LINE)
    async with answering(company, lan):
        with Phone(lan) as phone:
            phone.asks(DESK, user=user)
            assert await phone.is_told() == f"{URL}/"


@ON_SQLITE
async def test_a_listed_phone_outside_its_window_is_told_nothing(company: Installation, lan: Lan):
    await claims.claim(company, DESK, COMMAND_LINE)
    async with answering(company, lan):
        with Phone(lan, port=5059) as closed, Phone(lan, host=OTHER) as claimed:
            closed.asks(HALL)
            claimed.asks(DESK)
            await claimed.is_told()
            assert closed.has_heard_nothing()
    assert await pnp.waiting(company) == [], "it is no stranger"


@ON_SQLITE
async def test_nobody_outside_the_networks_is_answered_or_kept(company: Installation, lan: Lan):
    await claims.claim(company, DESK, COMMAND_LINE)
    async with answering(company, lan):
        with Phone(lan, host=STRANGER) as outside, Phone(lan) as inside:
            outside.asks(DESK)
            outside.asks(NEW)
            inside.asks(NEXT)
            (kept,) = await inbox(company, 1)
            assert outside.has_heard_nothing()
    assert kept.mac == str(NEXT)


@ON_SQLITE
async def test_a_source_is_heard_once_in_five_seconds(company: Installation, lan: Lan):
    await claims.claim(company, DESK, COMMAND_LINE)
    async with answering(company, lan):
        with Phone(lan) as phone, Phone(lan, host=OTHER) as later:
            for _ in range(5):
                phone.asks(DESK)
            await phone.is_told()
            later.asks(DESK)
            await later.is_told()
            assert phone.has_heard_nothing()


async def test_a_phone_that_nobody_has_listed_waits_in_the_inbox(company: Installation, lan: Lan):
    async with answering(company, lan):
        with Phone(lan) as phone:
            phone.asks(NEW, model="SIP-T46S\x1b[31m" + "x" * 100)
            (kept,) = await inbox(company, 1)
            assert phone.has_heard_nothing()
    assert kept.model == "SIP-T46S?[31m" + "x" * 47, "no more than fits, and nothing that a terminal obeys"
    assert (kept.mac, kept.vendor, kept.version) == (str(NEW), "yealink", "25.81.0.10")
    assert (kept.source, kept.times) == (PHONE, 1)


@ON_SQLITE
async def test_rubbish_on_the_wire_hurts_nobody(company: Installation, lan: Lan):
    await claims.claim(company, DESK, COMMAND_LINE)
    async with answering(company, lan):
        with Phone(lan) as phone:
            for rubbish in (b"", b"\0" * 4000, b"x" * 20_000, b"SUBSCRIBE sip:MAC SIP/2.0\r\n\r\n"):
                phone.socket.sendto(rubbish, ("224.0.1.75", 5060))
            phone.asks(DESK)
            assert await phone.is_told() == f"{URL}/"


@ON_SQLITE
async def test_sip_at_the_same_port_goes_on_and_hears_nothing_of_it(company: Installation, lan: Lan):
    await claims.claim(company, DESK, COMMAND_LINE)
    loop = asyncio.get_running_loop()
    async with answering(company, lan) as unicast:
        with Phone(lan) as phone:
            phone.asks(DESK)
            await phone.is_told()
            phone.socket.sendto(b"OPTIONS", (SERVER, 5060))
            assert await loop.sock_recv(unicast, 100) == b"OPTIONS", "and not what went to all"
        with lan.inside(lan.server), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with pytest.raises(OSError, match="in use"):
                thief.bind(("0.0.0.0", 5060))  # noqa: S104


@ON_SQLITE
@pytest.mark.parametrize(
    ("wanted", "networks", "hint"),
    [(("lan9",), ("10.0.0.0/8",), "there are lan0, lo"), ((), ("192.168.0.0/16",), "pnp_interfaces")],
)
async def test_interfaces_that_can_not_be_are_refused_with_advice(
    company: Installation, lan: Lan, wanted: tuple[str, ...], networks: tuple[str, ...], hint: str
):
    settings = company.settings
    changed = settings.model_copy(
        update={
            "sip": settings.sip.model_copy(update={"pnp_interfaces": wanted}),
            "security": settings.security.model_copy(update={"clear_text_networks": networks}),
        }
    )
    with lan.inside(lan.server), pytest.raises(CantHearPhones, match=hint):
        async with answering_pnp(replace(company, settings=changed)):
            pass


@ON_SQLITE
async def test_a_phone_out_of_the_box_is_approved_and_told_by_the_whole_server(
    company: Installation, company_url: str, lan: Lan
):
    inside = ("ip", "netns", "exec", lan.server)
    options = ("--pnp", "--sip", "0.0.0.0:5060")
    tables = f'[public]\nprovisioning_url = "{URL}"\n'
    async with served(company.data_dir, company_url, *options, tables=tables, within=inside):
        with Phone(lan) as phone, Phone(lan, host=OTHER) as later:
            phone.asks(NEW, model="SIP-T46S")
            (waits,) = await inbox(company, 1)
            await pnp.approve(company, MacAddress.parse(waits.mac), "firma", COMMAND_LINE)
            later.asks(NEW, model="SIP-T46S")
            assert await later.is_told() == f"{URL}/"


def seen(mac: MacAddress, model: str = "W52P", source: str = PHONE) -> Sighting:
    return Sighting(mac.hex, "yealink", model, "25.81.0.10", source)


async def test_who_asks_again_is_counted_and_stays_dismissed(company: Installation):
    await pnp.note(company, [seen(NEW)])
    await pnp.note(company, [seen(NEW, source="10.0.0.9"), seen(NEXT)])
    found = {each.mac: each for each in await pnp.waiting(company)}
    assert (found[str(NEW)].times, found[str(NEW)].source) == (2, "10.0.0.9")
    await pnp.dismiss(company, NEW, COMMAND_LINE)
    await pnp.note(company, [seen(NEW)])
    assert [each.mac for each in await pnp.waiting(company)] == [str(NEXT)]
    with pytest.raises(NotFound, match="pnp list"):
        await pnp.dismiss(company, DESK, COMMAND_LINE)


async def test_who_was_not_heard_of_for_longest_is_forgotten(
    company: Installation, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pnp, "MOST", 2)
    for number in range(4):
        await pnp.note(company, [seen(MacAddress(f"00156500010{number}"))])
        await pnp.note(company, [seen(NEW)])
    assert [each.mac for each in await pnp.waiting(company)] == [str(NEW), "00:15:65:00:01:03"]


async def test_an_approved_phone_is_listed_and_claimed(company: Installation):
    await pnp.note(company, [seen(NEW, "SIP-T46S")])
    claimed = await pnp.approve(company, NEW, "firma", COMMAND_LINE, name="Recepcja")
    details = await devices.show_device(company, NEW)
    assert (details.summary.customer, details.summary.model, details.summary.name) == (
        "firma",
        "T46S",
        "Recepcja",
    )
    assert details.window is not None
    assert details.window.expires_at == claimed.expires_at
    assert await pnp.waiting(company) == []
    assert [each.verb for each in await audits(company)][-3:] == [
        "devices.import",
        "devices.claim",
        "pnp.approve",
    ]


async def test_an_approval_that_was_cut_short_is_repeated(company: Installation):
    await pnp.note(company, [seen(NEW, "T46S")])
    await pnp.approve(company, NEW, "firma", COMMAND_LINE, name="Recepcja")
    async with company.database.append() as session:
        # As if nobody had come to take it out of the inbox.
        await queries.note(session, [seen(NEW, "T46S")], utc_now(), 10)
    await pnp.approve(company, NEW, "firma", COMMAND_LINE)
    assert (await devices.show_device(company, NEW)).summary.name == "Recepcja"
    async with company.database.read() as session:
        assert await queries.found(session, NEW.hex) is None


@ON_SQLITE
@pytest.mark.parametrize(
    ("model", "chosen", "error"),
    [("", None, BadValue), ("Gigaset N510", None, UnknownModel), ("T46S", "T99Z", UnknownModel)],
)
async def test_a_model_that_nobody_knows_is_refused_and_changes_nothing(
    company: Installation, model: str, chosen: str | None, error: type[Exception]
):
    await pnp.note(company, [seen(NEW, model)])
    with pytest.raises(error):
        await pnp.approve(company, NEW, "firma", COMMAND_LINE, model=chosen)
    assert len(await pnp.waiting(company)) == 1
    await pnp.approve(company, NEW, "firma", COMMAND_LINE, model="W52P")


async def test_nobody_approves_what_has_not_asked_or_is_another_customers(company: Installation):
    with pytest.raises(NotFound, match="devices import"):
        await pnp.approve(company, NEW, "firma", COMMAND_LINE)
    await pnp.note(company, [seen(NEW, "T46S")])
    await pnp.approve(company, NEW, "firma", COMMAND_LINE)
    with pytest.raises(NotFound):
        await pnp.approve(company, NEW, "inna", COMMAND_LINE)
    async with company.database.append() as session:
        await queries.note(session, [seen(NEW)], utc_now(), 10)
    with pytest.raises(Conflict, match="another customer"):
        await pnp.approve(company, NEW, "inna", COMMAND_LINE)
