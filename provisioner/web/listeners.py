"""The listeners for phones that the settings ask for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provisioner.centrex.errors import BadValue
from provisioner.settings import Settings
from provisioner.web.tls import Certificate, Speaks

CLEAR_TEXT: Final = "provisioning"

_OVER_TLS = {
    "provisioning_tls": Speaks.MODERN,
    "provisioning_certificates": Speaks.CERTIFICATES,
    "provisioning_legacy_tls": Speaks.LEGACY,
}
"Keys of `[listen]`."


@dataclass(frozen=True, slots=True)
class Listener:
    """One of them."""

    name: str
    "Its key in `[listen]`."
    address: str
    "HOST:PORT as it is configured."
    speaks: Speaks | None = None
    "What it wants of TLS; None: clear text."

    @property
    def option(self) -> str:
        """What `serve` calls it."""
        return self.name.replace("_", "-")

    @property
    def scheme(self) -> str:
        """Of its URL."""
        return "http" if self.speaks is None else "https"

    def certificate(self, settings: Settings) -> Certificate | None:
        """What it shows; None in clear text.

        Raises `BadValue` where the settings don't say, or it can't be used.
        """
        if self.speaks is None:
            return None
        chain, key = _files(self.option, settings)
        if self.speaks is not Speaks.CERTIFICATES:
            return Certificate(chain, key, self.speaks)
        if settings.tls.device_ca is None:
            raise BadValue(
                f"--{self.option} needs to know who issues the phones' certificates: set [tls] device_ca"
            )
        return Certificate(chain, key, self.speaks, settings.tls.device_ca)


def sips_certificate(settings: Settings) -> Certificate:
    """What the listener for SIP over TLS shows. Raises `BadValue`."""
    return Certificate(*_files("sips", settings))


def _files(option: str, settings: Settings) -> tuple[Path, Path]:
    """The chain and the key."""
    tls = settings.tls
    if tls.certificate is None or tls.private_key is None:
        raise BadValue(f"--{option} needs a certificate: set [tls] certificate and private_key")
    return tls.certificate, tls.private_key


def phone_listeners(settings: Settings) -> list[Listener]:
    """All that are configured, clear text first."""
    over_tls = (
        Listener(name, address, speaks)
        for name, speaks in _OVER_TLS.items()
        if (address := getattr(settings.listen, name)) is not None
    )
    return [Listener(CLEAR_TEXT, settings.listen.provisioning), *over_tls]
