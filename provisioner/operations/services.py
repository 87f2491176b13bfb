"""What the service token opens: the phone book, browser pages, media, firmware, and what the phone brought.

Never a configuration that we wrote.
"""

from __future__ import annotations

import re

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import devices as queries
from db.schema import DeviceRow
from provisioner.centrex.customer import Customer
from provisioner.centrex.devices import Device, PhoneOptions
from provisioner.operations.asking import XML_TYPE, Answer, Ask, Reason
from provisioner.operations.context import customer_of
from provisioner.operations.installation import Installation
from provisioner.operations.phone_events import ACTION, answer_event
from provisioner.operations.uploads import newest_upload
from provisioner.phones.browser import browser_page
from provisioner.phones.describe import PHONE_BOOK
from provisioner.phones.levels import effective_options, levels_of

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
    customer, mine, options, url = await _phone(session, installation, device)
    language = options.language or customer.language
    page = browser_page(name, number, customer, mine, language, f"{url}/{token}")
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
    """Firmware or media, but only what this phone's own files name."""
    customer, _, options, _ = await _phone(session, installation, device)
    if kind == "firmware":
        allowed, folder = {options.firmware}, installation.firmware_dir
    else:
        allowed, folder = {options.logo, *(options.ringtones or ())}, installation.media_dir(customer.login)
    file = folder / name
    if name not in allowed or not file.is_file():
        return _closed(device)
    return Answer(Reason.SERVICE, file=file, file_name=name, device_id=device.id)


async def _phone(
    session: AsyncSession, installation: Installation, device: DeviceRow
) -> tuple[Customer, Device, PhoneOptions, str]:
    """The customer, the phone, the options that hold for it, and the URL that it is told."""
    stored, around = await customer_of(session, installation, device.customer_id)
    mine = next(each for each in stored.customer.devices if each.mac.hex == device.mac)
    options = effective_options(levels_of(mine, stored.customer, around.vendor))
    return stored.customer, mine, options, around.public.provisioning_url


def _closed(device: DeviceRow) -> Answer:
    return Answer(Reason.NO_SUCH_FILE, device_id=device.id)
