"""TLS of our listeners, with certificates that are read again when they change."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from provisioner.centrex.errors import BadValue

logger = logging.getLogger(__name__)

_LOOK_S = 2.0


class Certificate:
    """A certificate chain with its key, and the context that listeners use."""

    def __init__(self, chain: Path, key: Path) -> None:
        """Raises `BadValue` where the two files can't be used together."""
        self._files = (chain, key)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # Phones of V80 and later speak it (RFC 8996 ended what came before).
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._seen = self._stamp()
        self._load()

    def reload_if_changed(self) -> bool:
        """Takes a new certificate for handshakes from now on; True if it did.

        What can't be used is left: the old one goes on, and a look at the log says why.
        """
        with suppress(OSError):
            stamp = self._stamp()
            if stamp == self._seen:
                return False
            self._seen = stamp
            try:
                self._load()
            except BadValue as error:
                logger.warning("certificate not taken: %s", error)
                return False
            logger.info("certificate taken chain=%s", self._files[0])
            return True
        return False

    def _load(self) -> None:
        chain, key = self._files
        try:
            # A trial first: half a load would leave the context with a chain that is not the key's.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key)
            self.context.load_cert_chain(chain, key)
        except (OSError, ssl.SSLError) as error:
            raise BadValue(f"the certificate {chain} with the key {key} can't be used: {error}") from error

    def _stamp(self) -> tuple[int, ...]:
        try:
            return tuple(file.stat().st_mtime_ns for file in self._files)
        except OSError as error:
            raise BadValue(f"can't read {error.filename}: {error.strerror}") from error


@asynccontextmanager
async def watched(certificate: Certificate | None) -> AsyncIterator[None]:
    """Looks for a new certificate every few seconds while the context lasts."""
    if certificate is None:
        yield
        return
    async with asyncio.TaskGroup() as tasks:
        looking = tasks.create_task(_look(certificate), name="certificate")
        try:
            yield
        finally:
            looking.cancel()


async def _look(certificate: Certificate) -> None:
    while True:
        await asyncio.sleep(_LOOK_S)
        await asyncio.to_thread(certificate.reload_if_changed)
