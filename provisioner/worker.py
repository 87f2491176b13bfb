"""A worker: a process that serves phones from the sockets of the one that started it (`provisioner.workers`).

`python -m provisioner.worker`, with its orders on standard input.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from contextlib import suppress
from socket import socket

import uvloop

from db.errors import StorageError
from provisioner.app import serving_phones
from provisioner.centrex.errors import CentralkaError, within
from provisioner.operations.installation import opened
from provisioner.runtime import settle_in
from provisioner.web.doorkeeper import keeping
from provisioner.workers import READY, Orders

logger = logging.getLogger(__name__)


def main() -> None:
    """Serves until nobody holds the other end of standard input any more, or SIGTERM comes."""
    line = sys.stdin.buffer.readline()
    if not line:
        return
    status = 0
    try:
        uvloop.run(_work(Orders.model_validate_json(line)))
    except* (CentralkaError, StorageError) as group:
        status = 1
        for error in within(group):
            logger.error("%s", error)
    sys.exit(status)


async def _work(orders: Orders) -> None:
    sockets = {name: socket(fileno=descriptor) for name, descriptor in orders.sockets.items()}
    over = _over()
    settle_in()
    async with (
        opened(orders.data_dir, orders.settings) as installation,
        keeping(orders.settings.limits) as keeper,
        serving_phones(installation, sockets, keeper),
    ):
        # A parent that has died meanwhile doesn't hear it.
        with suppress(BrokenPipeError):
            sys.stdout.buffer.write(READY)
            sys.stdout.flush()
        settle_in()
        await over.wait()


def _over() -> asyncio.Event:
    """Set when the parent lets go or has died, and by SIGTERM."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()

    def let_go() -> None:
        # Nothing follows the orders: what can be read there is its end, again and again.
        loop.remove_reader(sys.stdin.fileno())
        over.set()

    loop.add_reader(sys.stdin.fileno(), let_go)
    loop.add_signal_handler(signal.SIGTERM, over.set)
    return over


if __name__ == "__main__":
    main()
