"""Phones that say another firmware than they said before: they may need files of another generation.

To write the files of one phone its company has to be read, and for more of its phones no more than that. So
where many come at once, as after a power cut, all that come while one change is under way go into the next.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import DatabaseUnavailable, StorageError
from db.queries.devices import devices_by_id, has_open_alarm, set_firmware_seen
from db.queries.entering import note_firmware
from db.queries.serving import Serving
from db.schema import AlarmRow
from db.unavailable import BUSY_S
from db.writing import Writer
from phone_templates.errors import PhoneTemplatesError
from phone_templates.yealink.models import find_model
from provisioner.centrex.actor import SYSTEM
from provisioner.centrex.errors import CentralkaError
from provisioner.centrex.mac import MacAddress
from provisioner.operations.alarms import AlarmKind, raise_alarms
from provisioner.operations.context import phones_of
from provisioner.operations.installation import Installation
from provisioner.operations.revisions import Cause, refresh_customer

_TOGETHER = 20
"Phones of one change, for which everybody else waits who wants to write."


@dataclass(frozen=True, slots=True)
class Heard:
    """What a phone says that it is. It has shown that it may."""

    device_id: int
    agent: str
    firmware: str
    source: str
    at: datetime

    @property
    def noted_agent(self) -> str | None:
        """None: it is not to be shown to anybody."""
        return self.agent if self.agent.isprintable() else None


@dataclass(slots=True, eq=False)
class _Waiting:
    """A phone whose files are to be written."""

    heard: Heard
    is_done: bool = False
    error: StorageError | None = None


class FirmwareHearing:
    """Takes what phones say; one for each process."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._waiting: dict[_Waiting, None] = {}
        "In the order in which they came: one for each request."
        self._turn = asyncio.Lock()

    async def hear(self, heard: Heard, seen: Serving) -> None:
        """Returns once the phone's files are right for what it says, or an alarm says why they can't be.

        `seen` is the phone as it was before. Raises `StorageError`.
        """
        if _is_alike(seen, heard.firmware) and await self._is_noted(heard):
            return
        waiting = _Waiting(heard)
        self._waiting[waiting] = None
        try:
            async with self._taking_turns():
                while not waiting.is_done:
                    await self._write_some()
        finally:
            self._waiting.pop(waiting, None)
        if waiting.error is not None:
            raise waiting.error

    @asynccontextmanager
    async def _taking_turns(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(BUSY_S):
                await self._turn.acquire()
        except TimeoutError:
            raise DatabaseUnavailable("too many phones say another firmware: try again") from None
        try:
            yield
        finally:
            self._turn.release()

    async def _is_noted(self, heard: Heard) -> bool:
        """Notes it where nothing else depends on the version; no byte of a file does then."""

        async def noted(writer: Writer) -> bool:
            return await note_firmware(writer, heard.device_id, heard.firmware, heard.noted_agent)

        # Files that somebody has rendered outside of a change may lean on what it said before.
        return await self._installation.database.changed(noted, {f"device:{heard.device_id}"})

    async def _write_some(self) -> None:
        """For those that have waited longest."""
        together = list(islice(self._waiting, _TOGETHER))
        try:
            async with self._installation.database.change() as session:
                await write_files(session, self._installation, [each.heard for each in together])
        except StorageError as error:
            for each in together:
                each.error = error
        for each in together:
            each.is_done = True
            self._waiting.pop(each, None)


async def write_files(session: AsyncSession, installation: Installation, said: Collection[Heard]) -> None:
    """The files of these phones for the firmware that they say, inside a `change`.

    Where they can't be written there is an alarm. The session lets its rows go.
    """
    rows = await devices_by_id(session, [each.device_id for each in said])
    of_customer: defaultdict[int, dict[MacAddress, Heard]] = defaultdict(dict)
    for each in said:
        row = rows.get(each.device_id)
        if row is None:
            continue
        row.agent_seen = each.noted_agent or row.agent_seen
        if row.firmware_seen != each.firmware:
            of_customer[row.customer_id][MacAddress(row.mac)] = each
    for customer_id, phones in of_customer.items():
        error = await _written(session, installation, customer_id, phones)
        for mac, each in phones.items() if error else ():
            if len(phones) > 1:
                error = await _written(session, installation, customer_id, {mac: each})
            if error is not None:
                # The phone keeps the files that it can have; a person has to see why not the right ones.
                await _alarm(session, customer_id, mac, each, error)


async def _written(
    session: AsyncSession, installation: Installation, customer_id: int, phones: Mapping[MacAddress, Heard]
) -> Exception | None:
    """Why the files of these phones can't be; then nothing of it was done."""
    by_firmware: defaultdict[str, set[MacAddress]] = defaultdict(set)
    for mac, heard in phones.items():
        by_firmware[heard.firmware].add(mac)
    try:
        async with session.begin_nested():
            for heard in phones.values():
                await set_firmware_seen(session, heard.device_id, heard.firmware)
            stored, around = await phones_of(session, installation, customer_id, phones)
            for firmware, macs in by_firmware.items():
                at = max(phones[mac].at for mac in macs)
                cause = Cause(SYSTEM, f"the phone says that its firmware is {firmware}", at)
                await refresh_customer(session, stored, around, cause, macs)
    except (CentralkaError, PhoneTemplatesError, ValueError) as error:
        return error
    return None


async def _alarm(
    session: AsyncSession, customer_id: int, mac: MacAddress, heard: Heard, error: Exception
) -> None:
    text = (
        f"{mac} says that its firmware is {heard.firmware}, but its files can't be written for that: {error}"
    )
    if not await has_open_alarm(session, heard.device_id, text):
        alarm = AlarmRow(
            device_id=heard.device_id,
            customer_id=customer_id,
            kind=AlarmKind.FIRMWARE,
            text=text,
            source=heard.source,
            at=heard.at,
        )
        await raise_alarms(session, [alarm])


def _is_alike(seen: Serving, firmware: str) -> bool:
    """Whether both are of one generation, so that they speak alike."""
    model = find_model(seen.model)
    try:
        return model.generation(firmware) is model.generation(seen.firmware_seen)
    except PhoneTemplatesError:
        return False
