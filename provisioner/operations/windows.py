"""Which MACs have an open window, known without a look into the database.

So whoever asks for the file of any other MAC is answered at once, and a MAC that is listed takes exactly as
long as one that nobody has heard of (rule 4). Whether it is listed is found out when the trace is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from db.changes import ALL
from db.engine import Database
from db.queries.serving import OpenWindow, open_windows

_MOST_LOOKED_UP = 500
"Devices that are asked for one by one; of more news than that, all windows are read."


class OpenWindows:
    """The devices whose window is open."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._open: dict[str, OpenWindow] = {}
        "By MAC. One that lapses by the clock stays until its device changes."
        self._unsure: set[int] | None = None
        "Devices of which a change was heard since the last look; None: any."
        self._looking = asyncio.Lock()

    def hear(self, scopes: Sequence[str]) -> None:
        """Takes news of `db.freshness`; what they mean is looked up when it is asked next."""
        for scope in scopes:
            kind, _, number = scope.partition(":")
            if scope == ALL:
                self._unsure = None
            elif kind == "device" and self._unsure is not None:
                self._unsure.add(int(number))

    async def has(self, mac: str, now: datetime) -> bool:
        """Whether the window of `mac` (twelve lower-case hex digits) is open.

        Raises `DatabaseUnavailable` where there is news that can't be looked up.
        """
        # Whoever comes while another looks waits for what is found.
        if self._unsure is None or self._unsure or self._looking.locked():
            async with self._looking:
                await self._look()
        window = self._open.get(mac)
        return window is not None and window.is_open(now)

    async def _look(self) -> None:
        unsure, self._unsure = self._unsure, set()
        if unsure is not None and len(unsure) > _MOST_LOOKED_UP:
            unsure = None
        if unsure is not None and not unsure:
            return
        try:
            found = await open_windows(self._database, unsure)
        except BaseException:
            self._unsure = None
            raise
        known = {
            mac: window
            for mac, window in self._open.items()
            if unsure is not None and window.device_id not in unsure
        }
        self._open = known | found
