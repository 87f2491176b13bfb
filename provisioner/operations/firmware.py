"""Firmware files: taken in whole or not at all, never changed under their name, kept while a phone wants one.

What is checked of a file is its name, its size, that it is no text (an error page that was saved as firmware)
and its checksum, where one was given. What is inside is the vendor's secret: whether a phone takes it, only
the phone can tell.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import firmware as queries
from db.schema import FirmwareRow
from phone_templates.yealink.firmware import FirmwareName, models_of_prefix, parse_file_name
from phone_templates.yealink.models import find_model
from provisioner.centrex import text
from provisioner.centrex.actor import Actor
from provisioner.centrex.errors import BadValue, Conflict, NotFound
from provisioner.centrex.mac import MacAddress
from provisioner.operations import audit
from provisioner.operations.drafts import drafting
from provisioner.operations.firmware_aims import aims
from provisioner.operations.firmware_files import MIB, BadFirmwareFile, Copy, copied, publish, sum_of, unlink
from provisioner.operations.installation import Installation, utc_now
from provisioner.phones.firmware import Standing, files_named
from provisioner.store.options import option_from_json

_DRAFT = "adding"
"One file is taken in at a time; what a killed run left here is cleared by the next."
_SHA256 = re.compile("[0-9a-f]{64}")


class OtherBytes(Conflict):
    """A file of that name is there already, and it is another one."""

    code = "other-bytes"


class FirmwareWanted(Conflict):
    """Some phones shall have the file."""

    code = "firmware-wanted"


@dataclass(frozen=True, slots=True)
class Firmware:
    """A file, who wants it, and how far it has come."""

    name: str
    version: str
    prefix: int
    size: int
    "In bytes."
    sha256: str
    added_at: datetime
    actor: str
    targets: tuple[str, ...]
    "The levels that name it, such as `site Magazyn of nowyklienttestowy`."
    phones: int
    "That say that they run its version."
    standing: Mapping[str, int]
    "How many phones that shall have it stand where (`Standing`)."


@dataclass(frozen=True, slots=True)
class Added:
    """What `add_firmware` made of a file."""

    name: str
    version: str
    sha256: str
    size: int
    models: tuple[str, ...]
    "Whose versions begin with its prefix."
    is_new: bool
    "False: it was there already, with these bytes."


async def add_firmware(
    installation: Installation,
    source: Path,
    actor: Actor,
    *,
    sha256: str | None = None,
    models: Sequence[str] = (),
) -> Added:
    """Takes a file in under its own name; a file that lies in the firmware folder already, where it is.

    `sha256` is what the vendor says, `models` those that the file is meant for. Killed at any moment it
    leaves all or nothing that is ever served; running it again completes it. Raises `BadValue` for what can't
    be firmware of these models, `OtherBytes`, and `CantWrite`.
    """
    named = _checked_name(source.name, models)
    wanted = _checked_sum(sha256)
    folder = installation.firmware_dir
    target = folder / source.name
    with drafting(folder / _DRAFT) as draft:
        copy = await asyncio.to_thread(
            copied, source, draft / "file", installation.settings.firmware.max_mib * MIB
        )
        if wanted is not None and copy.sha256 != wanted:
            raise BadFirmwareFile(
                f"{source} has the SHA-256 {copy.sha256}, not {wanted}: download it again, or correct the sum"
            )
        there = await asyncio.to_thread(sum_of, target)
        async with installation.database.change() as session:
            row = await queries.file_named(session, source.name)
            _refuse_other_bytes(source.name, row.sha256 if row else there, copy.sha256)
            # The row comes last: what it names is there, and without it nothing is served.
            if there != copy.sha256:
                await asyncio.to_thread(publish, copy.path, target)
            if row is None:
                await _record(session, actor, source.name, named, copy)
    return Added(
        source.name,
        str(named.version),
        copy.sha256,
        copy.size,
        tuple(model.name for model in models_of_prefix(named.version.prefix)),
        is_new=row is None,
    )


async def _record(session: AsyncSession, actor: Actor, name: str, named: FirmwareName, copy: Copy) -> None:
    now = utc_now()
    session.add(
        FirmwareRow(
            name=name,
            sha256=copy.sha256,
            size=copy.size,
            prefix=named.version.prefix,
            version=str(named.version),
            added_at=now,
            actor=actor.name,
        )
    )
    await audit.record(session, actor, now, "firmware.add", name, f"add firmware {name} ({copy.sha256})")


def _checked_name(name: str, models: Sequence[str]) -> FirmwareName:
    """What the name says, if `models` and the models that it names can have it."""
    text.file_name(name, "firmware")
    named = parse_file_name(name)
    if named is None:
        raise BadFirmwareFile(
            f"the name {name} does not end in a version: call the file as the vendor does, such as"
            " 66.86.0.15.rom or T46S-66.86.0.15.rom"
        )
    prefix = named.version.prefix
    fitting = models_of_prefix(prefix)
    if not fitting:
        raise BadFirmwareFile(
            f"{name} is of version {named.version}, and {prefix}. is the prefix of no model that we know:"
            " check the name"
        )
    others = [model for model in (*named.models, *map(find_model, models)) if model not in fitting]
    if others:
        theirs = " or ".join(f"{each}." for each in others[0].firmware_prefixes)
        ours = ", ".join(model.name for model in fitting)
        raise BadFirmwareFile(
            f"{name} is of version {named.version}, which is firmware of {ours}; that of a"
            f" {others[0].name} begins with {theirs}: take the file of the right model"
        )
    return named


def _checked_sum(sha256: str | None) -> str | None:
    if sha256 is None:
        return None
    digits = sha256.strip().lower()
    if not _SHA256.fullmatch(digits):
        raise BadValue("a SHA-256 has 64 hex digits: copy it whole, or leave --sha256 out")
    return digits


def _refuse_other_bytes(name: str, there: str | None, given: str) -> None:
    if there not in (None, given):
        raise OtherBytes(
            f"there is a firmware {name} already, with the SHA-256 {there}; this one has {given}: phones may"
            " have the old one, so give the new one another name, or remove the old one first"
        )


async def remove_firmware(installation: Installation, name: str, actor: Actor) -> None:
    """Takes a file away. Raises `NotFound`, and `FirmwareWanted` while a level names it."""
    with drafting(installation.firmware_dir / _DRAFT):
        async with installation.database.change() as session:
            row = await queries.file_named(session, name)
            if row is None:
                raise NotFound(f"there is no firmware {name!r}: `firmware list` shows what there is")
            if wanted := (await _targets(session)).get(name):
                raise FirmwareWanted(
                    f"{name} is what {', '.join(wanted)} shall have: take it out of the company file first"
                )
            await session.delete(row)
            summary = f"remove firmware {name} ({row.sha256})"
            await audit.record(session, actor, utc_now(), "firmware.remove", name, summary)
        # Without its row it is served to nobody: a run that is killed here leaves a file that `check` names.
        await asyncio.to_thread(unlink, installation.firmware_dir / name)


async def list_firmware(installation: Installation) -> list[Firmware]:
    """Every file, by name."""
    async with installation.database.read() as session:
        rows = await queries.all_files(session)
        targets = await _targets(session)
        running = await queries.phones_by_version(session)
        stands = await _standing(session, installation) if targets else {}
    return [
        Firmware(
            name=row.name,
            version=row.version,
            prefix=row.prefix,
            size=row.size,
            sha256=row.sha256,
            added_at=row.added_at,
            actor=row.actor,
            targets=tuple(targets.get(row.name, ())),
            phones=running.get(row.version, 0),
            standing={each: stands[row.name][each] for each in Standing if stands[row.name][each]}
            if row.name in stands
            else {},
        )
        for row in rows
    ]


async def _targets(session: AsyncSession) -> dict[str, list[str]]:
    """By file: the levels that name it."""
    named: defaultdict[str, list[str]] = defaultdict(list)
    for say in await queries.says(session):
        for file in files_named(option_from_json("firmware", say.value)):
            named[file].append(_called(say))
    return {file: sorted(levels) for file, levels in named.items()}


def _called(say: queries.Say) -> str:
    if say.vendor is not None:
        return f"vendor {say.vendor}"
    if say.model is not None:
        return f"model {say.model}"
    if say.mac is not None:
        return f"device {MacAddress(say.mac)}"
    return f"site {say.site} of {say.site_of}" if say.site is not None else f"customer {say.customer}"


async def _standing(session: AsyncSession, installation: Installation) -> dict[str, Counter[Standing]]:
    """By file: where the phones stand that shall have it."""
    stands: defaultdict[str, Counter[Standing]] = defaultdict(Counter)
    async for _, aim in aims(session, installation):
        stands[aim.file][aim.standing] += 1
    return stands
