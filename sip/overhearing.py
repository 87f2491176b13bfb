"""Who listens to all messages that come and go, and has no say in any of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from sip.message.parser import AnyMessage

logger = logging.getLogger(__name__)


class Ear(Protocol):
    """Somebody who does."""

    def came(self, message: AnyMessage) -> None:
        """A message has come."""

    def sent(self, data: bytes) -> None:
        """One is sent by a transaction, or within a dialog."""


class Ears:
    """All who do now."""

    def __init__(self) -> None:
        self.there: tuple[Ear, ...] = ()
        "Looked at for each message: where there are none, nothing is told."

    @contextmanager
    def heard_by(self, ear: Ear) -> Iterator[None]:
        """`ear` listens while the context lasts."""
        self.there = (*self.there, ear)
        try:
            yield
        finally:
            self.there = tuple(each for each in self.there if each is not ear)

    def came(self, message: AnyMessage) -> None:
        """Tells of a message that has come."""
        self._tell(lambda ear: ear.came(message))

    def sent(self, data: bytes) -> None:
        """Tells of one that is sent."""
        self._tell(lambda ear: ear.sent(data))

    def _tell(self, tell: Callable[[Ear], None]) -> None:
        for ear in self.there:
            try:
                tell(ear)
            except Exception:
                # Whatever is wrong with who listens, messages go on.
                logger.exception("a message was not overheard")
