"""What one process does about scans: it has those judged who are noticed, and keeps back who is not free."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from db.errors import StorageError
from db.writing import Writer
from provisioner.operations.bans import Bans, Verdict
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.scans import Miss, Noticed, judge, note_misses
from provisioner.operations.sources import counted_source

logger = logging.getLogger(__name__)

DELAY_S = 1.0
"How much later the answer comes."
_MOST_DELAYED = 256
_MOST_OF_A_SOURCE = 4
"Beyond these an answer is given at once: waiting costs us memory, and the answer tells nothing in any case."


class ScanGuard:
    """Of one process; its doors share it."""

    def __init__(self, installation: Installation, delay_s: float | None = None) -> None:
        self.bans = Bans(installation)
        self._installation = installation
        self._delay_s = DELAY_S if delay_s is None else delay_s
        self._delayed: Counter[str] = Counter()
        "How many answers to each source wait."
        self._count_delayed = 0
        self._noticed: list[Noticed] = []
        self._wake = asyncio.Event()
        self._is_settled = asyncio.Event()
        self._is_settled.set()
        self._is_ending = False

    async def admits(self, address: str, now: datetime) -> bool:
        """Whether what the peer asks for by MAC alone is to be decided; if not, the answer is the closed one.

        Returns at once for those who are free, and late for others.
        """
        verdict = await self.bans.of(address, now)
        if verdict is Verdict.FREE:
            return True
        await self._delay(counted_source(address))
        return verdict is Verdict.SLOWED

    async def _delay(self, source: str) -> None:
        if self._count_delayed >= _MOST_DELAYED or self._delayed[source] >= _MOST_OF_A_SOURCE:
            return
        self._delayed[source] += 1
        self._count_delayed += 1
        try:
            await asyncio.sleep(self._delay_s)
        finally:
            self._count_delayed -= 1
            self._delayed[source] -= 1
            if not self._delayed[source]:
                del self._delayed[source]

    async def note(self, writer: Writer, misses: Sequence[Miss]) -> Noticed | None:
        """Counts misses, as the last thing that a transaction does; `tell` it what is returned."""
        return await note_misses(writer, misses, self._installation.settings.security, utc_now())

    def tell(self, noticed: Noticed | None) -> None:
        """Has what `note` returned judged soon; its transaction is kept by now."""
        if noticed is not None:
            self._noticed.append(noticed)
            self._is_settled.clear()
            self._wake.set()

    async def settled(self) -> None:
        """Returns when all that it was told is judged."""
        await self._is_settled.wait()

    async def run(self) -> None:
        """Judges what it is told until `close`; beside the traces, which never wait for a long change."""
        while self._noticed or not self._is_ending:
            await self._wake.wait()
            self._wake.clear()
            noticed, self._noticed = self._noticed, []
            try:
                await self._judge(noticed)
            except StorageError as error:
                # Should it be told no more, the next miss of a source gets it judged anew.
                logger.warning("scans not judged error=%s", error)
            except Exception:
                # Phones are served by the same process, whatever is wrong with a scan.
                logger.exception("scans not judged")
            if not self._noticed:
                self._is_settled.set()

    async def _judge(self, noticed: list[Noticed]) -> None:
        verdicts: dict[str, Verdict] = {}
        for each in noticed:
            for source, verdict in each.verdicts.items():
                if verdicts.get(source) is not Verdict.BANNED:
                    verdicts[source] = verdict
        if noticed:
            together = Noticed(verdicts, any(each.spread for each in noticed))
            await judge(self._installation, together, utc_now())

    def close(self) -> None:
        """Ends `run` when all that it was told is judged."""
        self._is_ending = True
        self._wake.set()


@asynccontextmanager
async def guarding(installation: Installation) -> AsyncIterator[ScanGuard]:
    """The guard of a process, at work while the context lasts."""
    guard = ScanGuard(installation)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(guard.run(), name="scans")
        try:
            yield guard
        finally:
            guard.close()
