"""Registered phones, of which the network between them and us is not real."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from sqlalchemy import select, update

from db.schema import DeviceFileRow, DeviceRow
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.mac import MacAddress
from provisioner.operations.claims import claim
from provisioner.operations.installation import Installation, utc_now
from provisioner.pbx.parted import Parted
from sip.binding import Binding, Change, ChangeKind
from sip.location import Location
from sip.message.message import Request, Response
from sip.message.uri import SipUri
from sip.transport.flow import Address, Flow, Transport
from sip.watch import Watch
from tests.provisioner.operations.small import line, phone, put, small

FIRST, SECOND, THIRD = "48221110001", "48221110002", "48221110003"
"Lines."
DESK, TWIN, HALL = MacAddress("001565000001"), MacAddress("001565000003"), MacAddress("001565000002")
"A T46S on the first line; one on the first and third; and one with firmware V70 on the second."


async def office(installation: Installation, *formats: str, staged: bool = False) -> None:
    """A company with these three phones, each of which has a time format of its own."""
    clocks = dict(zip((DESK, TWIN, HALL), (*formats, "0", "0", "0"), strict=False))
    listed = [
        phone(mac, model, *lines, settings={"local_time.time_format": clocks[mac]})
        for mac, model, lines in (
            (DESK, "T46S", (FIRST,)),
            (TWIN, "T46S", (FIRST, THIRD)),
            (HALL, "VP530P", (SECOND,)),
        )
    ]
    numbers = [line(number) for number in (FIRST, SECOND, THIRD)]
    await put(installation, small(lines=numbers, devices=listed), staged=staged)


async def change(installation: Installation, *macs: MacAddress) -> None:
    """Makes the files of these phones others, and of no one else: each gets a new token."""
    for mac in macs:
        await claim(installation, mac, COMMAND_LINE)


@dataclass(frozen=True)
class Way:
    """The far end."""

    remote: Address
    transport: Transport = Transport.UDP
    local: Address = field(default_factory=lambda: Address("127.0.0.1", 5060))
    is_open: bool = True

    def send(self, data: bytes) -> bool:
        return False


@dataclass
class Told:
    """A NOTIFY that a phone got."""

    mac: MacAddress
    line: str
    request: Request


class Network:
    """What is registered, and what phones answer."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.location = Location()
        self.told: list[Told] = []
        self.status: dict[MacAddress, int | None] = defaultdict(lambda: 200)
        "What a phone answers; None: nothing."
        self.cut: set[Address] = set()
        "Flows that are gone."
        self.broken: set[MacAddress] = set()
        "Phones at which everything fails."
        self._macs: dict[Address, MacAddress] = {}
        self._news = asyncio.Event()
        self._now = asyncio.get_running_loop().time
        self._ports = iter(range(20_000, 60_000))
        self.parted_from = Parted()
        self.fetches = True
        "Whether a phone that says 200 fetches, too."

    # As the driver sees it

    def bindings(self, line: str) -> Iterable[Binding]:
        return self.location.bindings(line, self._now())

    def parted(self, device_id: int) -> tuple[str, Binding] | None:
        return self.parted_from.of(device_id, self._now())

    def flow_of(self, binding: Binding) -> Flow | None:
        return None if binding.remote in self.cut else Way(binding.remote)

    def watch(self, wake: Callable[[], None], kinds: frozenset[ChangeKind]) -> Watch:
        return self.location.subscribe(None, wake, kinds)

    async def ask(self, request: Request, flow: Flow) -> Response | None:
        mac = self._macs[flow.remote]
        if mac in self.broken:
            raise OSError("the cable is cut")
        assert isinstance(request.to.uri, SipUri)
        self.told.append(Told(mac, request.to.uri.user or "", request))
        self._news.set()
        status = self.status[mac]
        if status == 200 and self.fetches:
            await self.fetch(mac)
        return None if status is None else request.response(status)

    # As phones do it

    async def register(self, mac: MacAddress, *lines: str) -> list[Binding]:
        """The phone registers these lines."""
        async with self.installation.database.read() as session:
            device_id = await session.scalar(select(DeviceRow.id).where(DeviceRow.mac == mac.hex))
        now = self._now()
        bindings = []
        for each in lines:
            remote = Address("192.0.2.7", next(self._ports))
            self._macs[remote] = mac
            binding = Binding(
                f"sip:{each}@{remote}",
                f"{mac.hex}{remote.port}",
                1,
                Transport.UDP,
                remote,
                Address("127.0.0.1", 5060),
                now,
                now,
                now + 3600,
                device_id=device_id,
            )
            self.location.apply([Change(ChangeKind.REGISTERED, each, binding, now)])
            bindings.append(binding)
        return bindings

    def unregister(self, line: str, binding: Binding) -> None:
        self.location.apply([Change(ChangeKind.UNREGISTERED, line, binding, self._now())])

    def stranger(self, line: str, binding: Binding) -> None:
        """Somebody of whom nobody knows which phone it is registers the line, too."""
        remote = Address("192.0.2.99", next(self._ports))
        self._macs[remote] = MacAddress("0015650000ff")
        made = replace(binding, contact=f"sip:{line}@{remote}", remote=remote, device_id=None)
        self.location.apply([Change(ChangeKind.REGISTERED, line, made, self._now())])

    async def fetch(self, *macs: MacAddress) -> None:
        """The phones get their own files, as the log of requests notes it."""
        async with self.installation.database.append() as session:
            for mac in macs:
                own = select(DeviceFileRow.current_revision_id).where(
                    DeviceFileRow.device_id == DeviceRow.id, DeviceFileRow.name == "mac"
                )
                await session.execute(
                    update(DeviceRow)
                    .where(DeviceRow.mac == mac.hex)
                    .values(fetched_at=utc_now(), fetched_revision_id=own.scalar_subquery())
                )

    async def until_told(self, count: int) -> list[Told]:
        """Returns when so many NOTIFYs have gone out."""
        async with asyncio.timeout(60):
            while len(self.told) < count:
                self._news.clear()
                await self._news.wait()
        return self.told
