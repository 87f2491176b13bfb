"""What a phone that asks for a file gets, and why.

Everything that is not given looks the same from outside; the reason stands in the trace alone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import StorageError
from db.queries import devices as queries
from db.schema import AlarmRow, DeviceRow, DeviceTokenRow
from phone_templates.errors import PhoneTemplatesError
from phone_templates.values import fill, references
from phone_templates.yealink.files import FileKind, FileName, classify
from phone_templates.yealink.models import find_model, model_for_cfg_number
from phone_templates.yealink.user_agent import parse_user_agent
from provisioner.centrex.actor import SYSTEM
from provisioner.centrex.errors import CentralkaError
from provisioner.centrex.mac import MacAddress
from provisioner.operations.asking import Answer, Ask, Reason
from provisioner.operations.claims import Entry, closed_entry, first_contact, token_worked
from provisioner.operations.clear_text import may_have_secrets
from provisioner.operations.context import customer_of
from provisioner.operations.installation import Installation
from provisioner.operations.kept_answers import Kept, KeptAnswers
from provisioner.operations.revisions import Cause, refresh_customer
from provisioner.operations.services import under_service_token
from provisioner.phones.render import FIRST_CONTACT, DeviceFile
from provisioner.store.fresh import token_hash
from provisioner.store.secret_values import open_secrets

_FILES = {
    FileKind.MAC: DeviceFile.MAC,
    FileKind.BOOT: DeviceFile.BOOT,
    FileKind.MODEL: DeviceFile.MODEL,
}
"What a device token opens. The boot file of all phones is nobody's: it would hide their own files."


async def answer(
    installation: Installation, ask: Ask, now: datetime, memory: KeptAnswers | None = None
) -> Answer:
    """Decides one request of a phone. What it decides about windows and tokens is stored when it returns.

    Raises `StorageError` where the database can't be used and `memory` has nothing; then nothing was decided.
    """
    named = classify(ask.path)
    if memory is None:
        return await _decide(installation, ask, named, now)
    kept = memory.find(ask.token, named)
    if kept is not None and not _is_kept_for(kept, installation, ask, named):
        kept = None
    if kept is not None and memory.trusts:
        return kept.answer
    moment = memory.now()
    try:
        decided = await _decide(installation, ask, named, now)
    except StorageError:
        if kept is None:
            raise
        return replace(kept.answer, reason=Reason.KEPT)
    if decided.lasting:
        memory.keep(moment, ask.token, named, Kept(decided, _firmware(ask)))
    return decided


def _is_kept_for(kept: Kept, installation: Installation, ask: Ask, named: FileName) -> bool:
    """Whether this request would get what an earlier one got."""
    if ask.token is None:
        return True
    return (
        named.mac in (None, kept.answer.mac)
        and _firmware(ask) in (None, kept.firmware)
        and may_have_secrets(installation, ask)
    )


async def _decide(installation: Installation, ask: Ask, named: FileName, now: datetime) -> Answer:
    if ask.token is None:
        return await _without_token(installation, ask, named, now)
    hashed = token_hash(ask.token)
    async with installation.database.read() as session:
        found = await queries.device_of_token(session, hashed)
        if found is None:
            service = await queries.device_of_service_token(session, hashed)
            if service is not None:
                return await under_service_token(session, installation, ask, ask.token, service)
            # A listed phone that asks in vain, as after `release`, is to be seen as such.
            contact = await queries.contact_by_mac(session, named.mac) if named.mac else None
            return _closed(Reason.UNKNOWN_TOKEN, named, contact.device.id if contact else None)
    device, token = found
    return await _under_token(installation, ask, named, device, token, now)


async def _without_token(installation: Installation, ask: Ask, named: FileName, now: datetime) -> Answer:
    async with installation.database.read() as session:
        if named.kind is FileKind.MODEL:
            return await _first_contact_file(session, named)
        contact = await queries.contact_by_mac(session, named.mac) if named.mac else None
    if named.kind is not FileKind.MAC:
        # Phones ask for boot files, contacts and call logs in vain all the time: that is no miss.
        return _closed(Reason.NO_SUCH_FILE, named, contact.device.id if contact else None)
    if contact is None:
        return _closed(Reason.UNLISTED, named)
    device = contact.device
    if not contact.has_window:
        return _closed(closed_entry(had_token=contact.had_token), named, device.id)
    if not may_have_secrets(installation, ask):
        return _closed(Reason.CLEAR_TEXT, named, device.id)
    async with installation.database.change() as session:
        listed = await _again(session, device)
        if listed is None:
            return _closed(Reason.UNLISTED, named)
        device = listed
        entry = await first_contact(
            session, installation, device, ask.source, now, fetches=ask.counts_as_fetch
        )
        if entry is not Entry.OPEN:
            return _closed(entry, named, device.id)
        await _heard_firmware(session, installation, device, ask, now)
        return await _device_file(session, installation, device, DeviceFile.MAC, entry, named)


async def _first_contact_file(session: AsyncSession, named: FileName) -> Answer:
    model = model_for_cfg_number(named.cfg_number) if named.cfg_number is not None else None
    current = await queries.current_of_model(session, model.name, FIRST_CONTACT) if model else None
    if current is None:
        return _closed(Reason.NO_SUCH_FILE, named)
    return Answer(
        Reason.FIRST_CONTACT_FILE,
        content=current.content.encode("utf-8"),
        etag=current.digest[:32],
        file_name=named.name,
        revision_id=current.revision_id,
        lasting=True,
    )


async def _under_token(
    installation: Installation,
    ask: Ask,
    named: FileName,
    device: DeviceRow,
    token: DeviceTokenRow,
    now: datetime,
) -> Answer:
    file = _FILES.get(named.kind)
    if named.mac is not None and named.mac != device.mac:
        return _closed(Reason.OTHER_DEVICE, named, device.id)
    if file is None:
        return _closed(Reason.NO_SUCH_FILE, named, device.id)
    if file is DeviceFile.MODEL and named.cfg_number not in find_model(device.model).cfg_numbers:
        return _closed(Reason.OTHER_MODEL, named, device.id)
    if not may_have_secrets(installation, ask):
        return _closed(Reason.CLEAR_TEXT, named, device.id)
    # A boot file says no secret, and may well be missing: fetching it is no proof.
    works_first = token.first_used_at is None and ask.counts_as_fetch and file is not DeviceFile.BOOT
    if not works_first and _firmware(ask) in (None, device.firmware_seen):
        async with installation.database.read() as session:
            given = await _device_file(session, installation, device, file, Reason.CURRENT, named)
        return replace(given, lasting=not given.is_closed and token.first_used_at is not None)
    async with installation.database.change() as session:
        listed = await _again(session, device)
        live = await session.get(DeviceTokenRow, (device.id, token.version))
        if listed is None or live is None or live.revoked_at is not None:
            return _closed(Reason.UNKNOWN_TOKEN, named, listed.id if listed else None)
        if works_first and live.first_used_at is None:
            await token_worked(session, listed, live, now)
        await _heard_firmware(session, installation, listed, ask, now)
        return await _device_file(session, installation, listed, file, Reason.CURRENT, named)


async def _device_file(
    session: AsyncSession,
    installation: Installation,
    device: DeviceRow,
    file: DeviceFile,
    reason: str,
    named: FileName,
) -> Answer:
    """The current revision of a device's file with today's secrets in it."""
    current = await queries.current_of_device(session, device.id, file)
    if current is None:
        return _closed(Reason.NO_SUCH_FILE, named, device.id)
    secrets = await open_secrets(session, installation.vault, references(current.content))
    return Answer(
        reason,
        content=fill(current.content, secrets).encode("utf-8"),
        etag=current.digest[:32],
        file_name=named.name,
        device_id=device.id,
        mac=device.mac,
        revision_id=current.revision_id,
        is_own_file=file is DeviceFile.MAC,
    )


async def _heard_firmware(
    session: AsyncSession, installation: Installation, device: DeviceRow, ask: Ask, now: datetime
) -> None:
    """An authorised request that names another firmware may need files of another generation."""
    firmware = _firmware(ask)
    device.agent_seen = ask.agent if ask.agent.isprintable() else device.agent_seen
    if firmware is None or firmware == device.firmware_seen:
        return
    mac, device_id, customer_id = MacAddress(device.mac), device.id, device.customer_id
    try:
        async with session.begin_nested():
            device.firmware_seen = firmware
            # Loading the customer lets the device go: what it says from here on is not stored.
            stored, around = await customer_of(session, installation, customer_id)
            cause = Cause(SYSTEM, f"the phone says that its firmware is {firmware}", now)
            await refresh_customer(session, stored, around, cause, {mac})
    except (CentralkaError, PhoneTemplatesError, ValueError) as error:
        # The phone keeps the files that it can have; a person has to see why not the right ones.
        text = f"{mac} says that its firmware is {firmware}, but its files can't be written for that: {error}"
        if not await queries.has_open_alarm(session, device_id, text):
            session.add(
                AlarmRow(
                    device_id=device_id,
                    customer_id=customer_id,
                    kind="firmware",
                    text=text,
                    source=ask.source,
                    at=now,
                )
            )


def _closed(reason: str, named: FileName, device_id: int | None = None) -> Answer:
    return Answer(reason, file_name=named.name or None, device_id=device_id, mac=named.mac)


def _firmware(ask: Ask) -> str | None:
    agent = parse_user_agent(ask.agent)
    return agent.firmware if agent else None


async def _again(session: AsyncSession, device: DeviceRow) -> DeviceRow | None:
    """The same device in the session of a change, unless it was taken off the list meanwhile."""
    return await session.get(DeviceRow, device.id)
