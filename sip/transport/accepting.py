"""Connections are taken, as far as there is room, and made ready."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Callable

from sip.transport.connections import Connections
from sip.transport.flow import Address
from sip.transport.places import Place
from sip.transport.sockets import Listener

logger = logging.getLogger(__name__)

_AT_ONCE = 32
_SHORT_OF_FILES_S = 0.2


class Accepting:
    """At one listening socket, until `close`."""

    def __init__(
        self,
        listener: Listener,
        connections: Connections,
        tasks: asyncio.TaskGroup,
        context: Callable[[], ssl.SSLContext] | None,
    ) -> None:
        """`context`: of the next handshake; None: in clear."""
        self._loop = asyncio.get_running_loop()
        self._transport = listener.transport
        self._socket = listener.socket
        self._connections = connections
        self._tasks = tasks
        self._context = context
        self._opening: set[asyncio.Task[None]] = set()
        self._again: asyncio.TimerHandle | None = None
        self._loop.add_reader(self._socket, self._accept)

    def close(self) -> None:
        """Takes no more; handshakes under way are given up."""
        self._loop.remove_reader(self._socket)
        if self._again is not None:
            self._again.cancel()
        for opening in self._opening:
            opening.cancel()

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                accepted, address = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    raise
                logger.warning("can't accept: %s", error.strerror)
                self._loop.remove_reader(self._socket)
                self._again = self._loop.call_later(_SHORT_OF_FILES_S, self._accept_again)
                return
            accepted.setblocking(False)
            remote = Address(*address[:2])
            place = self._connections.enter(remote, shakes=self._context is not None)
            if place is None:
                accepted.close()
                continue
            opening = self._tasks.create_task(self._open(accepted, place), name="sip connection")
            self._opening.add(opening)
            opening.add_done_callback(self._opening.discard)

    def _accept_again(self) -> None:
        self._again = None
        self._loop.add_reader(self._socket, self._accept)

    async def _open(self, accepted: socket.socket, place: Place) -> None:
        try:
            context = None if self._context is None else self._context()
            await self._connections.open(accepted, self._transport, place, context)
        except OSError as error:
            # Strangers, old phones, certificates that are not known here.
            logger.debug("no connection error=%s", error)
            self._give_up(accepted, place)
        except asyncio.CancelledError:
            self._give_up(accepted, place)
            raise
        except Exception:
            # One connection can't hurt another.
            logger.exception("no connection")
            self._give_up(accepted, place)

    def _give_up(self, accepted: socket.socket, place: Place) -> None:
        self._connections.leave(place)
        accepted.close()
