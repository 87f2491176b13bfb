"""TLS handshakes of a door: each begins only when its ClientHello is whole, and not all of them at once.

A server that lets every handshake begin when it is accepted does a little of each in a boot storm, and
finishes none before the phones give up. Here connections wait as bare sockets, which cost nothing; whoever
sends nothing takes no handshake's place; a few handshakes begin in each turn of the event loop, as many as it
gets done, so that other connections are served between them.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from provisioner.web.caller import Caller
from provisioner.web.doorkeeper import Doorkeeper, Place
from provisioner.web.tls import Certificate

logger = logging.getLogger(__name__)

_ACCEPTED_AT_ONCE = 64
_BEGUN_AT_ONCE = 8
"About 1 ms of work each."
_SHORT_OF_FILES_S = 0.2
_SHUTDOWN_S = 2.0
"How long a client may take to say that it is closing, too."
_HANDSHAKE = 22
"The type of the record that a ClientHello comes in (RFC 8446 §5.1)."
_RECORD_HEADER = 5
_LONGEST_RECORD = 2**14 + 256


class Handshakes:
    """Accepts on a listening socket from `run` until that is cancelled, and hands over what can speak TLS."""

    def __init__(
        self,
        listening: socket.socket,
        certificate: Certificate,
        keeper: Doorkeeper,
        caller: Callable[[Place], Caller],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._listening = listening
        self._certificate = certificate
        self._keeper = keeper
        self._caller = caller
        self._knocks: set[_Knock] = set()
        "Those whose handshake has not begun."
        self._whole: deque[_Knock] = deque()
        "Those of them that wait for their turn."
        self._next = asyncio.Event()
        "Somebody may be next."

    async def run(self) -> None:
        """Raises nothing but `CancelledError`."""
        self._loop.add_reader(self._listening, self._accept)
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    await self._next.wait()
                    self._next.clear()
                    await self._begin(tasks)
        finally:
            self._loop.remove_reader(self._listening)
            for knock in tuple(self._knocks):
                knock.close()

    def _accept(self) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                connection, address = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    raise
                logger.warning("can't accept: %s", error.strerror)
                self._loop.remove_reader(self._listening)
                self._loop.call_later(_SHORT_OF_FILES_S, self._accept_again)
                return
            connection.setblocking(False)
            knock = _Knock(connection, self)
            place = self._keeper.enter(address[0], knock.close)
            if place is None:
                connection.close()
            else:
                knock.wait(place)

    def _accept_again(self) -> None:
        if self._listening.fileno() >= 0:
            self._loop.add_reader(self._listening, self._accept)

    async def _begin(self, tasks: asyncio.TaskGroup) -> None:
        begun = 0
        while self._whole:
            knock = self._whole[0]
            if knock in self._knocks and not self._keeper.handshake_begins(knock.place):
                # The next one that ends, or comes, tells.
                return
            self._whole.popleft()
            if knock not in self._knocks:
                continue
            self._knocks.remove(knock)
            knock.place.drop = knock.hang_up
            tasks.create_task(self._shake(knock), name="handshake")
            begun += 1
            if begun % _BEGUN_AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _shake(self, knock: _Knock) -> None:
        try:
            await self._loop.connect_accepted_socket(
                lambda: self._caller(knock.place),
                knock.connection,
                ssl=self._certificate.context,
                ssl_shutdown_timeout=_SHUTDOWN_S,
            )
        except OSError as error:
            # Strangers, old phones, certificates that are not known here.
            logger.debug("no handshake error=%s", error)
            self._keeper.leave(knock.place)
        except Exception:
            # One connection can't hurt another.
            logger.exception("no handshake")
            knock.hang_up()
            self._keeper.leave(knock.place)
        finally:
            self._next.set()


class _Knock:
    """A connection before its handshake: a bare socket, of which nothing is read yet."""

    __slots__ = ("_at", "_missing", "connection", "place")

    place: Place

    def __init__(self, connection: socket.socket, at: Handshakes) -> None:
        self.connection = connection
        self._at = at
        self._missing = 0

    def wait(self, place: Place) -> None:
        """Until the ClientHello is whole."""
        self.place = place
        self._at._knocks.add(self)
        self._at._loop.add_reader(self.connection, self._look)

    def close(self) -> None:
        """While it waits."""
        self._at._knocks.discard(self)
        self._at._loop.remove_reader(self.connection)
        self.connection.close()
        self._at._keeper.leave(self.place)

    def hang_up(self) -> None:
        """Once the handshake has begun, and the socket is asyncio's: which sees the end, and closes it."""
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _look(self) -> None:
        try:
            missing = _missing(self.connection)
        except OSError:
            missing = None
        if missing is None or (missing and missing == self._missing):
            self.close()
        elif missing:
            # The kernel wakes us when that much is there, and not before, unless nothing comes any more.
            self._missing = missing
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, missing)
        else:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
            self._at._loop.remove_reader(self.connection)
            self._at._keeper.request_begins(self.place)
            self._at._whole.append(self)
            self._at._next.set()


def _missing(connection: socket.socket) -> int | None:
    """How many bytes must be there for the first record to be whole, 0 if it is; None: that's no TLS.

    Raises `OSError` where the client is gone.
    """
    head = connection.recv(_RECORD_HEADER, socket.MSG_PEEK)
    if not head or head[0] != _HANDSHAKE:
        return None
    if len(head) < _RECORD_HEADER:
        return _RECORD_HEADER
    length = _RECORD_HEADER + int.from_bytes(head[3:], "big")
    if length > _LONGEST_RECORD:
        return None
    return 0 if len(connection.recv(length, socket.MSG_PEEK)) == length else length
