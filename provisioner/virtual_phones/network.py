"""How phones get to their servers."""

from __future__ import annotations

import ssl

from yarl import URL

from sip.transport.flow import Address, Transport


class Network:
    """The way that files and settings say. Others lead elsewhere what phones ask for."""

    tls: ssl.SSLContext | None = None
    "What servers have to show; None: a certificate that this machine trusts, and over SIP nothing will do."

    def url(self, url: str) -> URL | None:
        """Where a file is really asked for; None: nowhere."""
        return URL(url)

    async def server(self, said: Address, transport: Transport) -> Address:
        """Where the SIP server is that a phone has been told. Raises `CantConnect`."""
        return said


DIRECT = Network()
