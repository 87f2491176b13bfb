"""The demonstration is for this machine alone, and its phones do what phones do."""

from __future__ import annotations

import asyncio

import pytest
from rich.console import Console

from phone_templates.yealink.boot import BootMachine, Outcome
from phone_templates.yealink.models import find_model
from provisioner.app import Running
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import BadValue
from provisioner.centrex.mac import MacAddress
from provisioner.demo.show import run_demo
from provisioner.operations import claims
from provisioner.operations.installation import Installation
from provisioner.operations.registered import LIVE
from provisioner.operations.registrations import Wanted, list_registrations
from provisioner.settings import Listen, read_settings
from provisioner.virtual_phones.booting import boot
from provisioner.virtual_phones.phone import SipPhone, registered
from sip.message.address import NameAddress
from sip.message.message import Request
from sip.message.uri import SipUri
from sip.message.values import CSeq, Event
from sip.server import SipServer
from sip.transport.flow import Address, Transport
from sip.transport.sockets import bind
from sip.transport.transport import listening
from tests.provisioner.conftest import RENAMED, apply_text
from tests.provisioner.written import loopback_settings

MAC = MacAddress.parse("80:5e:c0:12:34:56")
"A T46S with two accounts."
SOURCE = "127.0.0.2"

ADDRESSES = [
    "portal",
    "provisioning",
    "provisioning_tls",
    "provisioning_certificates",
    "provisioning_legacy_tls",
    "sip",
    "sips",
]


@pytest.mark.parametrize("elsewhere", ["192.0.2.7:0", "0.0.0.0:0", "[::]:0", "localhost:0"])
@pytest.mark.parametrize("listener", ADDRESSES)
async def test_no_listener_of_it_can_be_reached_from_elsewhere(listener: str, elsewhere: str):
    loopback = loopback_settings().listen.model_dump(exclude_none=True)
    settings = read_settings(None, **loopback | {listener: elsewhere})
    with pytest.raises(BadValue, match="this machine alone"):
        await run_demo(settings, Console(quiet=True), None)


def test_no_address_is_forgotten():
    assert set(ADDRESSES) == set(Listen.model_fields) - {"rtp_ports", "pnp", "workers"}


async def booted(installation: Installation, running: Running) -> BootMachine:
    """A phone that has got its file."""
    await claims.claim(installation, MAC, COMMAND_LINE)
    url = f"{running.provisioning_url}/"
    machine = BootMachine(MAC.hex, find_model("T46S"), "66.85.0.5", dhcp_url=url)
    await boot(machine, SOURCE)
    await running.settled()
    return machine


async def live_lines(installation: Installation) -> list[str]:
    listed = await list_registrations(installation, Wanted(states=LIVE))
    return sorted(row.line for row in listed.rows)


async def asked(phone: SipPhone, method: str, package: str | None = None) -> int | None:
    """What a phone answers to somebody."""
    uri = phone.registrations[0].contact.uri
    assert isinstance(uri, SipUri)
    assert uri.port is not None
    request = Request(method, uri)
    request.to = NameAddress(uri)
    request.from_ = NameAddress(uri).with_tag("somebody")
    request.call_id, request.cseq, request.max_forwards = method, CSeq(1, method), 70
    if package is not None:
        request.event = Event(package)
    server = SipServer()
    async with listening(bind(Address("127.0.0.1", 0)), server) as transport:
        server.use(transport)
        flow = await transport.connect(Transport.UDP, Address(uri.host, uri.port))
        answer = await server.ask(request, flow)
        server.close()
    return None if answer is None else answer.status


async def test_phone_registers_what_its_file_says_until_it_ends(sample: Installation, running: Running):
    async with registered(await booted(sample, running), SOURCE) as phone:
        assert phone.is_registered
        assert await live_lines(sample) == ["48223809880", "48223809887"]
    assert await live_lines(sample) == []


async def test_phone_says_which_of_its_accounts_is_refused(sample: Installation, running: Running):
    machine = await booted(sample, running)
    machine.memory.settings["account.2.password"] = "wrong"
    async with registered(machine, SOURCE) as phone:
        assert [each.status for each in phone.registrations] == [200, 401]
        assert not phone.is_registered


async def test_phone_is_told_of_a_change_and_fetches_by_itself(sample: Installation, running: Running):
    async with registered(await booted(sample, running), SOURCE) as phone:
        await apply_text(sample, RENAMED)
        async with asyncio.timeout(60):
            fetched = await phone.fetched.get()
        assert fetched.done.outcome is Outcome.APPLIED
        assert phone.times_told == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("method", "package", "status"),
    [("OPTIONS", None, 200), ("NOTIFY", "check-sync", 200), ("NOTIFY", "dialog", 489), ("NOTIFY", None, 489)],
)
async def test_phone_answers_whoever_asks_it(
    sample: Installation, running: Running, method: str, package: str | None, status: int
):
    async with registered(await booted(sample, running), SOURCE) as phone:
        assert await asked(phone, method, package) == status
