"""What became of jobs and is not stored yet: stored together, and again where the database was away."""

from __future__ import annotations

from db.engine import Database
from db.queries.resyncs import Mark, mark


class Marks:
    """One for each job at most, so they are as many as the jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[int, Mark] = {}

    def note(self, new: Mark) -> None:
        """What is None is no news."""
        self._waiting[new.id] = new.over(self._waiting.get(new.id, new))

    async def store(self) -> None:
        """Stores them all. Raises `StorageError`: they are kept for the next time."""
        marks, self._waiting = self._waiting, {}
        if not marks:
            return
        try:
            await self._database.appended(lambda writer: mark(writer, marks.values()))
        except BaseException:
            newer, self._waiting = self._waiting.values(), marks
            for each in newer:
                self.note(each)
            raise
