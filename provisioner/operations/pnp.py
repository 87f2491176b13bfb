"""The inbox of phones that looked for a server by multicast and are not listed: look, approve, dismiss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from db.queries import devices as device_queries
from db.queries import pnp as queries
from db.queries.pnp import Sighting
from phone_templates.yealink.models import find_model
from provisioner.centrex.actor import Actor
from provisioner.centrex.errors import BadValue, Conflict, NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.files.devices_csv import CsvDevices, DeviceRow
from provisioner.operations import audit
from provisioner.operations.claims import Claimed, claim
from provisioner.operations.devices import import_devices
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.printable import printable

MOST = 1000
"Phones that are remembered."
_LONGEST = 60
"Characters of what a phone says of itself."


@dataclass(frozen=True, slots=True)
class Unknown:
    """A phone that waits to be approved. All but times and source is what it says of itself."""

    mac: str
    vendor: str
    model: str
    version: str
    "Of its firmware."
    source: str
    first_seen_at: datetime
    last_seen_at: datetime
    times: int


async def note(installation: Installation, sightings: Sequence[Sighting]) -> None:
    """Keeps those of these phones that are not listed."""
    async with installation.database.append() as session:
        listed = await queries.listed(session, [each.mac for each in sightings])
        unknown = {each.mac: _tidy(each) for each in sightings if each.mac not in listed}
        await queries.note(session, unknown.values(), utc_now(), MOST)


def _tidy(said: Sighting) -> Sighting:
    vendor, model, version = (printable(each[:_LONGEST]) for each in (said.vendor, said.model, said.version))
    return said._replace(vendor=vendor, model=model, version=version)


async def waiting(installation: Installation) -> list[Unknown]:
    """The phones that nobody has decided about, the last heard of first."""
    async with installation.database.read() as session:
        return [
            Unknown(
                str(MacAddress(row.mac)),
                row.vendor,
                row.model,
                row.version,
                row.source,
                row.first_seen_at,
                row.last_seen_at,
                row.times,
            )
            for row in await queries.waiting(session)
        ]


async def approve(
    installation: Installation,
    mac: MacAddress,
    login: str,
    actor: Actor,
    *,
    model: str | None = None,
    name: str = "",
) -> Claimed:
    """Lists the phone at a customer and opens its window: it gets its file when it asks next.

    `model` where the phone names none that we know, or another one. Raises `NotFound` for a phone that has
    not asked, `Conflict` for one that another customer has, and what a list of devices raises.
    """
    async with installation.database.read() as session:
        row = await queries.found(session, mac.hex)
        device = await device_queries.device_by_mac(session, mac.hex)
    if row is None:
        raise NotFound(
            f"{mac} has not asked for a server: look at `centralka pnp list`, or list it with"
            " `centralka devices import`"
        )
    if device is not None and device.login != login:
        raise Conflict(f"{mac} is listed already, at another customer: take it off there first")
    if model is None and not row.model:
        raise BadValue(f"{mac} does not say which model it is: add --model, such as --model T46S")
    found = find_model(model or row.model)
    listing = DeviceRow(1, mac, found.name, name=name)
    await import_devices(installation, login, CsvDevices(f"pnp approve {mac}", (listing,)), actor)
    # A window first: who dies in between finds the phone listed, and approves it again.
    claimed = await claim(installation, mac, actor)
    async with installation.database.change() as session:
        row = await queries.found(session, mac.hex)
        if row is not None:
            await session.delete(row)
        await audit.record(
            session, actor, utc_now(), "pnp.approve", str(mac), f"approve {mac}, {found.name}, for {login}"
        )
    return claimed


async def dismiss(installation: Installation, mac: MacAddress, actor: Actor) -> None:
    """Shows the phone no more, however often it asks. Raises `NotFound` where it is not in the inbox."""
    async with installation.database.change() as session:
        row = await queries.found(session, mac.hex)
        if row is None:
            raise NotFound(f"{mac} is not in the inbox: `centralka pnp list` shows who is")
        now = utc_now()
        row.dismissed_at = now
        await audit.record(session, actor, now, "pnp.dismiss", str(mac), f"dismiss {mac}")
