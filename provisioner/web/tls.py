"""TLS of our listeners, with files that are read again when they change."""

from __future__ import annotations

import asyncio
import logging
import ssl
import warnings
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from pathlib import Path

from provisioner.centrex.errors import BadValue

logger = logging.getLogger(__name__)

_LOOK_S = 2.0


class Speaks(StrEnum):
    """What a listener wants of TLS."""

    MODERN = "modern"
    "TLS 1.2 and later: phones of V80 and later speak it (RFC 8996 ended what came before)."
    CERTIFICATES = "certificates"
    "The same, and the phone has to show a certificate of its own."
    LEGACY = "legacy"
    "TLS 1.0 and 1.1, too."


_CERTIFICATES_CIPHERS = (
    "ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM:@SECLEVEL=0"
)
"""Python's own, at OpenSSL's lowest security level. At no other does OpenSSL 3 take a chain that is signed
with SHA-1, and phones of a decade ago keep what they were made with: RSA with 1024 bits, signed with SHA-1.
To forge one, somebody must make the vendor sign what they chose, or factor a key for one phone's password.
What the level lets through beside that is refused by `certificates.proven_mac`."""
_LEGACY_CIPHERS = "ECDH+AES:DHE+AES:RSA+AES:!aNULL:!eNULL:!aDSS:!PSK:@SECLEVEL=0"
"TLS 1.0 signs with MD5 and SHA-1 together, which OpenSSL 3 does at its lowest security level alone."


class Certificate:
    """The files of a listener, and the context that they make."""

    def __init__(
        self, chain: Path, key: Path, speaks: Speaks = Speaks.MODERN, device_ca: Path | None = None
    ) -> None:
        """`device_ca`: who issues phones' certificates. Raises `BadValue` where the files can't be used."""
        self._chain, self._key, self._speaks, self._device_ca = chain, key, speaks, device_ca
        self._seen = self._stamp()
        self.context = self._made()
        "For the next handshake: a new one when files have changed, so that nothing old stays in it."

    def reload_if_changed(self) -> bool:
        """Takes new files for handshakes from now on; True if it did.

        What can't be used is left: the old ones go on, and a look at the log says why.
        """
        with suppress(BadValue):
            stamp = self._stamp()
            if stamp == self._seen:
                return False
            self._seen = stamp
            try:
                self.context = self._made()
            except BadValue as error:
                logger.warning("certificate not taken: %s", error)
                return False
            logger.info("certificate taken chain=%s", self._chain)
            return True
        return False

    def _made(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self._speaks is Speaks.LEGACY:
            with warnings.catch_warnings():
                # It is what this listener is for.
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = ssl.TLSVersion.TLSv1
            context.set_ciphers(_LEGACY_CIPHERS)
        else:
            context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self._chain, self._key)
        except (OSError, ssl.SSLError) as error:
            raise BadValue(
                f"the certificate {self._chain} with the key {self._key} can't be used: {error}"
            ) from error
        if self._speaks is Speaks.CERTIFICATES:
            self._wants_certificates(context)
        return context

    def _wants_certificates(self, context: ssl.SSLContext) -> None:
        try:
            context.load_verify_locations(self._device_ca)
        except (OSError, ssl.SSLError, TypeError) as error:
            raise BadValue(f"the phones' CA {self._device_ca} can't be used: {error}") from error
        context.verify_mode = ssl.CERT_REQUIRED
        context.set_ciphers(_CERTIFICATES_CIPHERS)
        # A ticket would say for hours that the phone once had its key (RFC 8446 §4.6.1).
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0

    def _stamp(self) -> tuple[int, ...]:
        files = [file for file in (self._chain, self._key, self._device_ca) if file is not None]
        try:
            return tuple(file.stat().st_mtime_ns for file in files)
        except OSError as error:
            raise BadValue(f"can't read {error.filename}: {error.strerror}") from error


@asynccontextmanager
async def watched(certificates: Sequence[Certificate]) -> AsyncIterator[None]:
    """Looks for new files every few seconds while the context lasts."""
    async with asyncio.TaskGroup() as tasks:
        looking = tasks.create_task(_look(certificates), name="certificates")
        try:
            yield
        finally:
            looking.cancel()


async def _look(certificates: Sequence[Certificate]) -> None:
    while True:
        await asyncio.sleep(_LOOK_S)
        for certificate in certificates:
            await asyncio.to_thread(certificate.reload_if_changed)
