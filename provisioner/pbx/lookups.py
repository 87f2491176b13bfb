"""What has to be looked up before a request can be answered."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from db.errors import StorageError
from sip.server import Incoming

logger = logging.getLogger(__name__)

T = TypeVar("T")


async def once_known(
    incoming: Incoming, looked_up: Awaitable[T], unknown: str, handle: Callable[[T], None]
) -> None:
    """Does `handle` with what was looked up, and answers for it what either raises (`Incoming.guarded`).

    Where the database is away it is 503 (RFC 3261 §21.5.4), and `unknown` tells the log what can't be said.
    """
    try:
        found = await looked_up
    except StorageError as error:
        logger.warning("can't tell %s source=%s error=%s", unknown, incoming.flow.remote, error)
        incoming.reply(503, [("Retry-After", "5")])
    except Exception as error:
        failed = error
        incoming.guarded(lambda: _raise(failed))
    else:
        incoming.guarded(lambda: handle(found))


def _raise(error: Exception) -> None:
    raise error
