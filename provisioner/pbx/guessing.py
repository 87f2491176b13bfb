"""Sources that guess users or passwords: held back by `sip.bans`, and reported to people."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable

from db.errors import StorageError
from db.schema import AlarmRow
from provisioner.operations.alarms import AlarmKind, raise_alarms
from provisioner.operations.installation import Installation, utc_now
from sip.bans import Ban, Bans

logger = logging.getLogger(__name__)

_LOOK_S = 1.0
_MOST = 100
"Bans that wait to be reported; of more the oldest are in the log alone."


class Guessing:
    """Tells the bans that time has passed, and people that somebody is banned."""

    def __init__(self, installation: Installation, bans: Bans) -> None:
        self._database = installation.database
        self._bans = bans
        self._clock = asyncio.get_running_loop().time
        self._unreported: deque[Ban] = deque(maxlen=_MOST)

    def note(self, ban: Ban | None) -> None:
        """Somebody has been banned, if it is not None."""
        if ban is not None:
            logger.warning("sip source banned who=%s times=%d", ban.who, ban.times)
            self._unreported.append(ban)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(_LOOK_S)
            for ban in self._bans.timer(self._clock()):
                self.note(ban)
            if self._unreported:
                await self._report(list(self._unreported))

    async def _report(self, bans: Iterable[Ban]) -> None:
        try:
            async with self._database.append() as session:
                await raise_alarms(session, map(_alarm, bans))
        except StorageError as error:
            logger.warning("bans are reported later error=%s", error)
            return
        for ban in bans:
            # Meanwhile others may have come, and these have had to make room.
            if self._unreported[0] is ban:
                self._unreported.popleft()


def _alarm(ban: Ban) -> AlarmRow:
    minutes = round((ban.until - ban.since) / 60)
    return AlarmRow(
        kind=AlarmKind.GUESSING,
        text=f"{ban.who} guessed users or passwords over SIP and gets no answer for {minutes} minutes",
        source=ban.who,
        at=utc_now(),
    )
