"""What a phone that asks for a file gets, and why.

Everything that is not given looks the same from outside; the reason stands in the trace alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import devices as queries
from db.schema import AlarmRow, DeviceRow, DeviceTokenRow
from phone_templates.errors import PhoneTemplatesError
from phone_templates.values import fill, references
from phone_templates.yealink.files import FileKind, classify
from phone_templates.yealink.models import find_model, model_for_cfg_number
from phone_templates.yealink.user_agent import parse_user_agent
from provisioner.centrex.actor import SYSTEM
from provisioner.centrex.errors import CentralkaError
from provisioner.centrex.mac import MacAddress
from provisioner.operations.claims import Entry, closed_entry, first_contact, token_worked
from provisioner.operations.context import surroundings
from provisioner.operations.installation import Installation
from provisioner.operations.revisions import Cause, refresh_customer
from provisioner.phones.browser import browser_page
from provisioner.phones.describe import PHONE_BOOK
from provisioner.phones.levels import effective_options, levels_of
from provisioner.phones.render import FIRST_CONTACT, DeviceFile
from provisioner.store.customers import load_customer_by_id
from provisioner.store.fresh import token_hash
from provisioner.store.secret_values import open_secrets

CFG_TYPE = "text/plain; charset=utf-8"
XML_TYPE = "text/xml; charset=utf-8"
_STORED_FILE = re.compile(r"(firmware|media)/([A-Za-z0-9][A-Za-z0-9._-]{0,99})")
_BROWSER_PAGE = re.compile(r"browser/([a-z]{1,20})(?:-([1-9][0-9]{0,2}))?\.xml")


class Reason(StrEnum):
    """Why a request got its answer, beside what `claims.Entry` says of first contact."""

    CURRENT = "current"
    "Under a live token."
    FIRST_CONTACT_FILE = "first-contact-file"
    SERVICE = "service"
    "Under the service token."
    NO_SUCH_FILE = "no-such-file"
    UNLISTED = "unlisted"
    "A miss: a MAC that is not listed."
    UNKNOWN_TOKEN = "unknown-token"  # noqa: S105
    OTHER_DEVICE = "other-device"
    "A live token, but another phone's file."
    OTHER_MODEL = "other-model"
    "A live token, but another model's file: the phone is not the model that is listed."
    CLEAR_TEXT = "clear-text"
    "Secrets would leave over clear text to a network that is not configured for it."


@dataclass(frozen=True, slots=True)
class Ask:
    """What a phone asks for."""

    token: str | None
    "The first part of the path where it has a token's form."
    path: str
    "The rest of the path, without a leading slash."
    source: str
    "The address it comes from."
    agent: str
    "Its User-Agent."
    clear_text: bool
    "Not over TLS."
    counts_as_fetch: bool = True
    "False for HEAD, which gets no content and so proves nothing."


@dataclass(frozen=True, slots=True)
class Answer:
    """What it gets. Without `content` and `file` it is the one closed answer."""

    reason: str
    content: bytes | None = None
    content_type: str = CFG_TYPE
    etag: str = ""
    file: Path | None = None
    "A stored file, sent with ranges."
    file_name: str | None = None
    "As phones spell it."
    device_id: int | None = None
    mac: str | None = None
    "That the file name says."
    revision_id: int | None = None
    is_own_file: bool = False
    "It is the device's `<mac>.cfg`."


async def answer(installation: Installation, ask: Ask, now: datetime) -> Answer:
    """Decides one request of a phone. What it decides about windows and tokens is stored when it returns."""
    if ask.token is None:
        return await _without_token(installation, ask, now)
    hashed = token_hash(ask.token)
    async with installation.database.read() as session:
        found = await queries.device_of_token(session, hashed)
        service = None if found else await queries.device_of_service_token(session, hashed)
    if found is not None:
        return await _under_token(installation, ask, found[0].id, found[1], now)
    if service is not None:
        return await _under_service_token(installation, ask, service)
    named = classify(ask.path)
    return Answer(Reason.UNKNOWN_TOKEN, file_name=named.name or None, mac=named.mac)


async def _without_token(installation: Installation, ask: Ask, now: datetime) -> Answer:
    named = classify(ask.path)
    name = named.name or None
    async with installation.database.read() as session:
        if named.kind is FileKind.MODEL:
            return await _first_contact_file(session, named.cfg_number, name)
        if named.mac is None:
            return Answer(Reason.NO_SUCH_FILE, file_name=name)
        selected = await queries.device_by_mac(session, named.mac)
        if selected is None:
            # Only a phone's own file is a miss; phones ask for the others in vain all the time.
            reason = Reason.UNLISTED if named.kind is FileKind.MAC else Reason.NO_SUCH_FILE
            return Answer(reason, file_name=name, mac=named.mac)
        device = selected.device
        closed = Answer(Reason.NO_SUCH_FILE, file_name=name, device_id=device.id, mac=named.mac)
        file = {FileKind.MAC: DeviceFile.MAC, FileKind.BOOT: DeviceFile.BOOT}.get(named.kind)
        if file is None or (
            file is DeviceFile.BOOT and await queries.current_of_device(session, device.id, file) is None
        ):
            return closed
        if await queries.open_claim(session, device.id) is None:
            return Answer(
                await closed_entry(session, device), file_name=name, device_id=device.id, mac=named.mac
            )
    if not _may_have_secrets(installation, ask):
        return Answer(Reason.CLEAR_TEXT, file_name=name, device_id=device.id, mac=named.mac)
    async with installation.database.change() as session:
        entry = await first_contact(
            session, installation, device := await _again(session, device), ask.source, now
        )
        if entry is not Entry.OPEN:
            return Answer(entry, file_name=name, device_id=device.id, mac=named.mac)
        await _heard_firmware(session, installation, device, ask, now)
        return await _device_file(session, installation, device, file, entry, name)


async def _first_contact_file(session: AsyncSession, cfg_number: int | None, name: str | None) -> Answer:
    model = model_for_cfg_number(cfg_number) if cfg_number is not None else None
    current = await queries.current_of_model(session, model.name, FIRST_CONTACT) if model else None
    if current is None:
        return Answer(Reason.NO_SUCH_FILE, file_name=name)
    return Answer(
        Reason.FIRST_CONTACT_FILE,
        content=current.content.encode("utf-8"),
        etag=current.digest[:32],
        file_name=name,
        revision_id=current.revision_id,
    )


async def _under_token(
    installation: Installation, ask: Ask, device_id: int, token: DeviceTokenRow, now: datetime
) -> Answer:
    named = classify(ask.path)
    name = named.name or None
    async with installation.database.read() as session:
        device = await session.get_one(DeviceRow, device_id)
    file = {
        FileKind.MAC: DeviceFile.MAC,
        FileKind.BOOT: DeviceFile.BOOT,
        FileKind.MODEL: DeviceFile.MODEL,
    }.get(named.kind)
    refused: str | None = None
    if named.mac is not None and named.mac != device.mac:
        refused = Reason.OTHER_DEVICE
    elif file is None:
        refused = Reason.NO_SUCH_FILE
    elif file is DeviceFile.MODEL and named.cfg_number not in find_model(device.model).cfg_numbers:
        refused = Reason.OTHER_MODEL
    elif not _may_have_secrets(installation, ask):
        refused = Reason.CLEAR_TEXT
    if refused is not None or file is None:
        reason = refused or Reason.NO_SUCH_FILE
        return Answer(reason, file_name=name, device_id=device_id, mac=named.mac)
    works_first = token.first_used_at is None and ask.counts_as_fetch and file is not DeviceFile.BOOT
    if works_first or _firmware(ask) not in (None, device.firmware_seen):
        async with installation.database.change() as session:
            device = await _again(session, device)
            token_now = await session.get_one(DeviceTokenRow, (device_id, token.version))
            if token_now.revoked_at is not None:
                return Answer(Reason.UNKNOWN_TOKEN, file_name=name, device_id=device_id, mac=named.mac)
            if works_first and token_now.first_used_at is None:
                await token_worked(session, device, token_now, now)
            await _heard_firmware(session, installation, device, ask, now)
            return await _device_file(session, installation, device, file, Reason.CURRENT, name)
    async with installation.database.read() as session:
        return await _device_file(session, installation, device, file, Reason.CURRENT, name)


async def _device_file(
    session: AsyncSession,
    installation: Installation,
    device: DeviceRow,
    file: DeviceFile,
    reason: str,
    name: str | None,
) -> Answer:
    """The current revision of a device's file with today's secrets in it."""
    current = await queries.current_of_device(session, device.id, file)
    if current is None:
        return Answer(Reason.NO_SUCH_FILE, file_name=name, device_id=device.id, mac=device.mac)
    secrets = await open_secrets(session, installation.vault, references(current.content))
    return Answer(
        reason,
        content=fill(current.content, secrets).encode("utf-8"),
        etag=current.digest[:32],
        file_name=name,
        device_id=device.id,
        mac=device.mac,
        revision_id=current.revision_id,
        is_own_file=file is DeviceFile.MAC,
    )


async def _under_service_token(installation: Installation, ask: Ask, device: DeviceRow) -> Answer:
    async with installation.database.read() as session:
        if ask.path == PHONE_BOOK:
            book = await queries.current_of_customer(session, device.customer_id, PHONE_BOOK)
            if book is not None:
                return Answer(
                    Reason.SERVICE,
                    content=book.content.encode("utf-8"),
                    content_type=XML_TYPE,
                    etag=book.digest[:32],
                    file_name=PHONE_BOOK,
                    device_id=device.id,
                    revision_id=book.revision_id,
                )
        if (page := _BROWSER_PAGE.fullmatch(ask.path)) is not None:
            return await _browser(session, installation, ask, device, page[1], int(page[2] or 1))
        if (stored := _STORED_FILE.fullmatch(ask.path)) is not None:
            return await _stored_file(session, installation, device, stored[1], stored[2])
    return Answer(Reason.NO_SUCH_FILE, device_id=device.id)


async def _browser(
    session: AsyncSession, installation: Installation, ask: Ask, device: DeviceRow, name: str, number: int
) -> Answer:
    stored = await load_customer_by_id(session, installation.vault, device.customer_id)
    if stored is None or ask.token is None:
        return Answer(Reason.NO_SUCH_FILE, device_id=device.id)
    around = await surroundings(session, installation, stored)
    mine = next(each for each in stored.customer.devices if each.mac.hex == device.mac)
    base = f"{around.public.provisioning_url}/{ask.token}"
    page = browser_page(name, number, stored.customer, mine, base)
    if page is None:
        return Answer(Reason.NO_SUCH_FILE, device_id=device.id)
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
    stored = await load_customer_by_id(session, installation.vault, device.customer_id)
    closed = Answer(Reason.NO_SUCH_FILE, device_id=device.id)
    if stored is None:
        return closed
    around = await surroundings(session, installation, stored)
    mine = next(each for each in stored.customer.devices if each.mac.hex == device.mac)
    options = effective_options(levels_of(mine, stored.customer, around.vendor))
    if kind == "firmware":
        allowed, folder = {options.firmware}, installation.firmware_dir
    else:
        allowed, folder = {options.logo, *(options.ringtones or ())}, installation.media_dir(stored.row.login)
    file = folder / name
    if name not in allowed or not file.is_file():
        return closed
    return Answer(Reason.SERVICE, file=file, file_name=name, device_id=device.id)


async def _heard_firmware(
    session: AsyncSession, installation: Installation, device: DeviceRow, ask: Ask, now: datetime
) -> None:
    """An authorised request that names another firmware may need files of another generation."""
    firmware = _firmware(ask)
    device.agent_seen = ask.agent if ask.agent.isprintable() else device.agent_seen
    if firmware is None or firmware == device.firmware_seen:
        return
    mac = MacAddress(device.mac)
    try:
        async with session.begin_nested():
            device.firmware_seen = firmware
            await session.flush()
            stored = await load_customer_by_id(session, installation.vault, device.customer_id)
            if stored is not None:
                around = await surroundings(session, installation, stored)
                cause = Cause(SYSTEM, f"the phone says that its firmware is {firmware}", now)
                await refresh_customer(session, stored, around, cause, {mac})
    except (CentralkaError, PhoneTemplatesError) as error:
        # The phone keeps the files it can have; a person has to see why not the right ones.
        text = f"{mac} says that its firmware is {firmware}, but its files can't be written for that: {error}"
        session.add(
            AlarmRow(
                device_id=device.id,
                customer_id=device.customer_id,
                kind="firmware",
                text=text,
                source=ask.source,
                at=now,
            )
        )


def _firmware(ask: Ask) -> str | None:
    agent = parse_user_agent(ask.agent)
    return agent.firmware if agent else None


async def _again(session: AsyncSession, device: DeviceRow) -> DeviceRow:
    """The same device in the session of a change."""
    return await session.get_one(DeviceRow, device.id, populate_existing=True)


def _may_have_secrets(installation: Installation, ask: Ask) -> bool:
    """Whether secrets may leave to where the request comes from."""
    if not ask.clear_text:
        return True
    try:
        source = ip_address(ask.source)
    except ValueError:
        return False
    source = getattr(source, "ipv4_mapped", None) or source
    return any(source in network for network in installation.settings.security.networks())
