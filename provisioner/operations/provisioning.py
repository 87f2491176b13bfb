"""What a phone that asks for a file gets, and why.

Everything that is not given looks the same from outside; the reason stands in the trace alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from hashlib import sha256

from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import StorageError
from db.queries import serving as queries
from db.queries.devices import (
    current_of_device,
    device_of_mac,
    device_of_service_token,
)
from db.queries.entering import note_agent, take_window, use_token
from db.queries.serving import Content, Serving
from db.schema import DeviceRow, DeviceTokenRow
from db.writing import Writer
from phone_templates.values import UnknownSecret, fill, references
from phone_templates.yealink.files import FileKind, FileName, classify
from phone_templates.yealink.models import find_model, model_for_cfg_number
from phone_templates.yealink.user_agent import parse_user_agent
from provisioner.operations.asking import Answer, Ask, Reason
from provisioner.operations.claims import Entry, first_contact, token_worked
from provisioner.operations.clear_text import may_have_secrets
from provisioner.operations.firmware_heard import FirmwareHearing, Heard, write_files
from provisioner.operations.installation import Installation
from provisioner.operations.kept_answers import Kept
from provisioner.operations.memory import Memory
from provisioner.operations.services import under_service_token
from provisioner.phones.encrypt import as_fetched
from provisioner.phones.render import FIRST_CONTACT, DeviceFile
from provisioner.store.fresh import token_hash
from provisioner.store.secret_values import SecretsBeside, open_secrets

_FILES = {
    FileKind.MAC: DeviceFile.MAC,
    FileKind.BOOT: DeviceFile.BOOT,
    FileKind.MODEL: DeviceFile.MODEL,
}
"What a device token opens. The boot file of all phones is nobody's: it would hide their own files."


async def answer(installation: Installation, ask: Ask, now: datetime, memory: Memory | None = None) -> Answer:
    """Decides one request of a phone. What it decides about windows and tokens is stored when it returns.

    Raises `StorageError` where the database can't be used and `memory` has nothing; then nothing was decided.
    """
    named = classify(ask.path)
    if memory is None:
        return await _decide(installation, ask, named, now, None)
    files, authority = memory.files, ask.token or ask.certificate
    kept = files.find(authority, named, ask.received_at)
    if kept is not None and not _is_kept_for(kept, installation, ask, named):
        kept = None
    if kept is not None and files.trusts:
        return kept.answer
    # `find` has heard the news of this very moment.
    moment = files.moment
    try:
        decided = await _decide(installation, ask, named, now, memory)
    except StorageError:
        if kept is None:
            raise
        return replace(kept.answer, reason=Reason.KEPT)
    # What is nobody's is kept for those who say no name: a phone that is listed later gets its own.
    if decided.lasting and (decided.device_id is not None or authority is None):
        files.keep(moment, authority, named, Kept(decided, _firmware(ask)))
    return decided


def _is_kept_for(kept: Kept, installation: Installation, ask: Ask, named: FileName) -> bool:
    """Whether this request would get what an earlier one got."""
    if kept.answer.device_id is None:
        return True
    return (
        named.mac in (None, kept.answer.mac)
        and _firmware(ask) in (None, kept.firmware)
        and (kept.answer.is_safe_in_clear_text or may_have_secrets(installation, ask))
    )


async def _decide(
    installation: Installation, ask: Ask, named: FileName, now: datetime, memory: Memory | None
) -> Answer:
    if ask.token is not None:
        return await _with_token(installation, ask, ask.token, named, now, memory)
    if ask.certificate is not None:
        file = _FILES.get(named.kind)
        look = partial(queries.serving_of_mac, installation.database, ask.certificate, file or "")
        serving = await look()
        if serving is not None:
            return await _authorised(installation, ask, named, serving, now, memory, look)
    return await _as_stranger(installation, ask, named, now, memory)


async def _with_token(
    installation: Installation, ask: Ask, token: str, named: FileName, now: datetime, memory: Memory | None
) -> Answer:
    database, hashed = installation.database, token_hash(token)
    look = partial(queries.serving_of_token, database, hashed, _FILES.get(named.kind) or "")
    serving = await look()
    if serving is not None:
        return await _authorised(installation, ask, named, serving, now, memory, look)
    if await queries.has_service_token(database, hashed):
        async with database.read() as session:
            device = await device_of_service_token(session, hashed)
            if device is not None:
                return await under_service_token(session, installation, ask, token, device)
    return _closed(Reason.UNKNOWN_TOKEN, named)


async def _as_stranger(
    installation: Installation, ask: Ask, named: FileName, now: datetime, memory: Memory | None
) -> Answer:
    """First contact. Without an open window all MACs are the same here: `requests` finds out which it was."""
    if named.kind is FileKind.MODEL:
        return await _first_contact_file(installation, named)
    if named.kind is not FileKind.MAC or named.mac is None:
        # Phones ask for boot files, contacts and call logs in vain all the time: that is no miss.
        return _closed(Reason.NO_SUCH_FILE, named)
    if memory is not None and not await memory.guard.admits(ask.source, now):
        return _closed(Reason.BANNED, named)
    if not await _has_window(installation, named.mac, now, memory):
        return _closed(Entry.CLOSED, named)
    if not may_have_secrets(installation, ask):
        return _closed(Reason.CLEAR_TEXT, named)
    given = await _in_window(installation, ask, named, named.mac, now, memory)
    if given is not None:
        return given
    async with installation.database.change() as session:
        device = await device_of_mac(session, named.mac)
        if device is None:
            return _closed(Reason.UNLISTED, named)
        entry = await first_contact(
            session, installation, device, ask.source, now, fetches=ask.counts_as_fetch
        )
        if entry is not Entry.OPEN:
            return _closed(entry, named, device.id)
        if (heard := _heard(ask, device.id, device.firmware_seen, now)) is not None:
            await write_files(session, installation, [heard])
        return await _device_file(session, installation, device, DeviceFile.MAC, entry, named)


async def _in_window(
    installation: Installation, ask: Ask, named: FileName, mac: str, now: datetime, memory: Memory | None
) -> Answer | None:
    """First contact as it mostly goes. None: it is to be decided by `first_contact`."""
    serving = await queries.serving_of_mac(installation.database, mac, DeviceFile.MAC)
    if serving is None or not ask.counts_as_fetch:
        return None
    heard = _heard(ask, serving.device_id, serving.firmware_seen, now)
    given: Answer | None = None
    if heard is None:
        # Before the lock: others write, and phones are served, while this is put together.
        given = await _content(installation, serving, DeviceFile.MAC, None, Entry.OPEN, named, lasting=False)

    async def entered(writer: Writer) -> bool:
        if not await take_window(writer, serving.device_id, serving.token_version, ask.source, now):
            return False
        await _note_agent(writer, serving, ask)
        return True

    if not await installation.database.changed(entered, ()):
        return None
    if heard is None:
        return given
    await _hearing(installation, memory).hear(heard, serving)
    right = await queries.serving_of_mac(installation.database, mac, DeviceFile.MAC)
    if right is None or right.token_version != serving.token_version:
        return None
    return await _content(installation, right, DeviceFile.MAC, None, Entry.OPEN, named, lasting=False)


async def _used_first(installation: Installation, ask: Ask, serving: Serving, now: datetime) -> bool:
    """The first success under a token as it mostly goes. False: it is to be decided by `token_worked`."""
    scope = f"device:{serving.device_id}"

    async def entered(writer: Writer) -> bool:
        if not await use_token(writer, serving.device_id, serving.token_version, now):
            return False
        await _note_agent(writer, serving, ask)
        return True

    if not await installation.database.changed(entered, {scope}):
        return False
    await installation.database.confirmed()
    return True


async def _note_agent(writer: Writer, serving: Serving, ask: Ask) -> None:
    if ask.agent.isprintable() and ask.agent != serving.agent_seen:
        await note_agent(writer, serving.device_id, ask.agent)


async def _has_window(installation: Installation, mac: str, now: datetime, memory: Memory | None) -> bool:
    """Asks memory while it is told of every change, otherwise the database."""
    if memory is not None and memory.files.trusts:
        return await memory.windows.has(mac, now)
    window = await queries.open_window(installation.database, mac)
    return window is not None and window.is_open(now)


async def _first_contact_file(installation: Installation, named: FileName) -> Answer:
    model = model_for_cfg_number(named.cfg_number) if named.cfg_number is not None else None
    if model is None:
        return _closed(Reason.NO_SUCH_FILE, named)
    current = await queries.content_of_model(installation.database, model.name, FIRST_CONTACT)
    if current is None:
        return _closed(Reason.NO_SUCH_FILE, named)
    return Answer(
        Reason.FIRST_CONTACT_FILE,
        content=current.text.encode("utf-8"),
        etag=current.digest[:32],
        file_name=named.name,
        revision_id=current.revision_id,
        lasting=True,
    )


async def _authorised(
    installation: Installation,
    ask: Ask,
    named: FileName,
    serving: Serving,
    now: datetime,
    memory: Memory | None,
    look: Callable[[], Awaitable[Serving | None]],
) -> Answer:
    """A request under a live token of the device, or with its certificate; `look` has found `serving`."""
    file, device_id = _FILES.get(named.kind), serving.device_id
    if named.mac is not None and named.mac != serving.mac:
        return _closed(Reason.OTHER_DEVICE, named, device_id)
    if file is None:
        return _closed(Reason.NO_SUCH_FILE, named, device_id)
    if file is DeviceFile.MODEL and named.cfg_number not in find_model(serving.model).cfg_numbers:
        return _closed(Reason.OTHER_MODEL, named, device_id)
    by_token = ask.token is not None
    # With a certificate a phone may come that has been reset, and has no key.
    key = _key(installation, serving) if by_token else None
    if key is None and not may_have_secrets(installation, ask):
        return _closed(Reason.CLEAR_TEXT, named, device_id)
    reason = Reason.CURRENT if by_token else Reason.CERTIFICATE
    works = serving.token_was_used or not by_token
    # A boot file says no secret, and may well be missing: fetching it is no proof.
    works_first = not works and ask.counts_as_fetch and file is not DeviceFile.BOOT
    if (heard := _heard(ask, device_id, serving.firmware_seen, now)) is not None:
        await _hearing(installation, memory).hear(heard, serving)
        right = await look()
        if right is None:
            return _closed(Reason.UNKNOWN_TOKEN, named, device_id)
        serving = right
    is_right = _firmware(ask) in (None, serving.firmware_seen)
    given = await _content(installation, serving, file, key, reason, named, lasting=works and is_right)
    if not works_first or await _used_first(installation, ask, serving, now):
        return given
    async with installation.database.change() as session:
        device = await session.get(DeviceRow, device_id)
        token = await session.get(DeviceTokenRow, (device_id, serving.token_version))
        if device is None or token is None or token.revoked_at is not None:
            return _closed(Reason.UNKNOWN_TOKEN, named, device.id if device else None)
        if not by_token and device.released_at is not None:
            return _closed(Entry.CLOSED, named, device.id)
        if works_first and token.first_used_at is None:
            await token_worked(session, device, token, now)
        return await _device_file(session, installation, device, file, reason, named, key)


@dataclass(frozen=True, slots=True)
class _Key:
    """What goes with the token under which a phone asks."""

    number: int
    "Of its row."
    value: str = field(repr=False)


def _key(installation: Installation, serving: Serving) -> _Key | None:
    if serving.encryption_key_id is None or serving.encryption_key_sealed is None:
        return None
    return _Key(serving.encryption_key_id, installation.vault.open(serving.encryption_key_sealed))


async def _content(
    installation: Installation,
    serving: Serving,
    file: DeviceFile,
    key: _Key | None,
    reason: str,
    named: FileName,
    *,
    lasting: bool,
) -> Answer:
    """The file that came with the look for the device."""
    if serving.content is None:
        return _closed(Reason.NO_SUCH_FILE, named, serving.device_id)
    try:
        text = fill(serving.content.text, SecretsBeside(serving, installation.vault))
    except UnknownSecret:
        # A setting is a secret: rare enough to be read by a session.
        async with installation.database.read() as session:
            device = await session.get(DeviceRow, serving.device_id)
            if device is None:
                return _closed(Reason.UNKNOWN_TOKEN, named)
            given = await _device_file(session, installation, device, file, reason, named, key)
            return replace(given, lasting=lasting and not given.is_closed)
    filled = Content(serving.content.revision_id, serving.content.digest, text)
    return _given(reason, filled, file, serving.device_id, serving.mac, named, key, lasting=lasting)


async def _device_file(
    session: AsyncSession,
    installation: Installation,
    device: DeviceRow,
    file: DeviceFile,
    reason: str,
    named: FileName,
    key: _Key | None = None,
) -> Answer:
    """The current revision of a device's file with today's secrets in it."""
    current = await current_of_device(session, device.id, file)
    if current is None:
        return _closed(Reason.NO_SUCH_FILE, named, device.id)
    secrets = await open_secrets(session, installation.vault, references(current.content))
    filled = Content(current.revision_id, current.digest, fill(current.content, secrets))
    return _given(reason, filled, file, device.id, device.mac, named, key)


def _given(
    reason: str,
    content: Content,
    file: DeviceFile,
    device_id: int,
    mac: str,
    named: FileName,
    key: _Key | None,
    *,
    lasting: bool = False,
) -> Answer:
    # The same text is other bytes under another key.
    seen = content.digest if key is None else sha256(f"{content.digest} {key.number}".encode()).hexdigest()
    return Answer(
        reason,
        content=as_fetched(content.text, file, key.value if key else None),
        etag=seen[:32],
        is_safe_in_clear_text=key is not None,
        lasting=lasting,
        file_name=named.name,
        device_id=device_id,
        mac=mac,
        revision_id=content.revision_id,
        is_own_file=file is DeviceFile.MAC,
    )


def _hearing(installation: Installation, memory: Memory | None) -> FirmwareHearing:
    return FirmwareHearing(installation) if memory is None else memory.firmware


def _heard(ask: Ask, device_id: int, seen: str | None, now: datetime) -> Heard | None:
    """What an authorised request says that is new of the phone's firmware."""
    firmware = _firmware(ask)
    if firmware is None or firmware == seen:
        return None
    return Heard(device_id, ask.agent, firmware, ask.source, now)


def _closed(reason: str, named: FileName, device_id: int | None = None) -> Answer:
    return Answer(reason, file_name=named.name or None, device_id=device_id, mac=named.mac)


def _firmware(ask: Ask) -> str | None:
    agent = parse_user_agent(ask.agent)
    return agent.firmware if agent else None
