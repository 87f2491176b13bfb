"""What has changed in the data, told to everything of the SIP side that keeps some of it in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from db.freshness import Watcher


class News:
    """A watcher tells each piece of news once; this asks it, and tells all that listen.

    It is asked once for all that one turn of the event loop brings: to ask for each of the messages that were
    there together would cost more than to look at them.
    """

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._listeners: list[Callable[[Sequence[str]], None]] = []
        self._loop = asyncio.get_running_loop()
        self._was_asked = False
        self.moment = 0
        "Rises with the news. A look into the database is of this moment or later, if it begins now."

    def on_news(self, hear: Callable[[Sequence[str]], None]) -> None:
        """Has `hear` told the scopes (`db.changes`) of every change."""
        self._listeners.append(hear)

    def hear(self) -> bool:
        """Hears what is new; to be done before each look into memory.

        False: silence means nothing now, so that memory must not be believed.
        """
        if not self._was_asked:
            self._was_asked = True
            self._loop.call_soon(self._turn)
            scopes = self._watcher.news()
            if scopes:
                self.moment += 1
                for hear in self._listeners:
                    hear(scopes)
        return self._watcher.trusts

    def _turn(self) -> None:
        self._was_asked = False
