"""Which firmware each phone shall have, and where it stands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from phone_templates.yealink.models import find_model
from provisioner.centrex.customer import Customer
from provisioner.centrex.devices import Device, VendorLevel
from provisioner.operations.context import all_customers
from provisioner.operations.installation import Installation
from provisioner.phones.firmware import Standing, standing, target_of
from provisioner.phones.levels import levels_of
from provisioner.store.vendors import load_vendor


@dataclass(frozen=True, slots=True)
class Aim:
    """The firmware that a phone shall have, and where it stands."""

    file: str
    standing: Standing


async def aims(
    session: AsyncSession, installation: Installation, login: str | None = None
) -> AsyncIterator[tuple[Device, Aim]]:
    """The phones that shall have a firmware, of all customers or of one. Customers are read whole."""
    vendor = await load_vendor(session, installation.vault)
    async for stored in all_customers(session, installation, login):
        for device in stored.customer.devices:
            aim = aim_of(device, stored.customer, vendor)
            if aim is not None:
                yield device, aim


def aim_of(device: Device, customer: Customer, vendor: VendorLevel) -> Aim | None:
    """The firmware that the phone shall have; None where nothing is said of it."""
    model = find_model(device.model)
    target = target_of(model, levels_of(device, customer, vendor))
    return Aim(target.file, standing(model, target, device.firmware_seen)) if target else None
