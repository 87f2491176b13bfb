"""What the service token opens: the phone book, browser pages, media, firmware, and what the phone brought.

Never a configuration that we wrote.
"""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import devices as queries
from db.schema import CustomerRow, DeviceRow
from phone_templates.yealink.models import find_model
from provisioner.centrex.customer import Customer
from provisioner.centrex.devices import Device, PhoneOptions
from provisioner.centrex.mac import MacAddress
from provisioner.operations.asking import XML_TYPE, Answer, Ask, Reason
from provisioner.operations.context import customer_of, phones_of
from provisioner.operations.firmware_check import served_firmware
from provisioner.operations.installation import Installation
from provisioner.operations.phone_events import ACTION, answer_event
from provisioner.operations.uploads import newest_upload
from provisioner.phones.browser import browser_page
from provisioner.phones.describe import PHONE_BOOK, Surroundings, media_told
from provisioner.phones.firmware import firmware_told, may_have
from provisioner.phones.levels import effective_options, levels_of
from provisioner.phones.render import DeviceFile

# A media file's name as company files may say it.
_STORED_FILE = re.compile(r"(firmware|media)/([A-Za-z0-9_-][A-Za-z0-9._-]{0,99})")
_BROWSER_PAGE = re.compile(r"browser/([a-z]{1,20})(?:-([1-9][0-9]{0,2}))?\.xml")


async def under_service_token(
    session: AsyncSession, installation: Installation, ask: Ask, token: str, device: DeviceRow
) -> Answer:
    """Decides a request under `token`, the service token of `device`."""
    if ask.path == PHONE_BOOK:
        return await _phone_book(session, device)
    if (page := _BROWSER_PAGE.fullmatch(ask.path)) is not None:
        return await _browser(session, installation, token, device, page[1], int(page[2] or 1))
    if (stored := _STORED_FILE.fullmatch(ask.path)) is not None:
        return await _stored_file(session, installation, device, stored[1], stored[2])
    if ask.path.startswith(ACTION):
        return answer_event(ask, device)
    return await newest_upload(session, installation, ask, device)


async def _phone_book(session: AsyncSession, device: DeviceRow) -> Answer:
    book = await queries.current_of_customer(session, device.customer_id, PHONE_BOOK)
    if book is None:
        return _closed(device)
    return Answer(
        Reason.SERVICE,
        content=book.content.encode("utf-8"),
        content_type=XML_TYPE,
        etag=book.digest[:32],
        file_name=PHONE_BOOK,
        device_id=device.id,
        revision_id=book.revision_id,
    )


async def _browser(
    session: AsyncSession, installation: Installation, token: str, device: DeviceRow, name: str, number: int
) -> Answer:
    customer, mine, options, around = await _phone(session, installation, device)
    language = options.language or customer.language
    page = browser_page(name, number, customer, mine, language, f"{around.public.provisioning_url}/{token}")
    if page is None:
        return _closed(device)
    return Answer(
        Reason.SERVICE,
        content=page.content,
        content_type=XML_TYPE,
        etag=page.etag,
        file_name=f"{name}.xml",
        device_id=device.id,
    )


async def _stored_file(
    session: AsyncSession, installation: Installation, device: DeviceRow, kind: str, name: str
) -> Answer:
    """Firmware or media, but only what the file names that this phone gets now.

    That may be an older one than the data say: a change may not have reached the phone yet.
    """
    current = await queries.current_of_device(session, device.id, DeviceFile.MAC)
    told = current.content if current else ""
    file: Path | None = None
    if kind == "media" and name in media_told(told):
        customer = await session.get_one(CustomerRow, device.customer_id)
        file = installation.media_dir(customer.login) / name
    elif kind == "firmware" and name == firmware_told(told):
        stored, around = await phones_of(session, installation, device.customer_id, {MacAddress(device.mac)})
        mine = stored.customer.devices[0]
        levels = levels_of(mine, stored.customer, around.vendor)
        if may_have(find_model(mine.model), levels, mine.firmware_seen, name):
            file = await served_firmware(session, installation, name)
    if file is None or not file.is_file():
        return _closed(device)
    return Answer(Reason.SERVICE, file=file, file_name=name, device_id=device.id)


async def _phone(
    session: AsyncSession, installation: Installation, device: DeviceRow
) -> tuple[Customer, Device, PhoneOptions, Surroundings]:
    """The customer, the phone, the options that hold for it, and what its files depend on beside them."""
    stored, around = await customer_of(session, installation, device.customer_id)
    mine = next(each for each in stored.customer.devices if each.mac.hex == device.mac)
    options = effective_options(levels_of(mine, stored.customer, around.vendor))
    return stored.customer, mine, options, around


def _closed(device: DeviceRow) -> Answer:
    return Answer(Reason.NO_SUCH_FILE, device_id=device.id)
