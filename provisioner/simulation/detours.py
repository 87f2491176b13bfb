"""Where phones of a simulation are led: to this machine's server, or to one that was named."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from yarl import URL

from provisioner.centrex.errors import BadValue
from provisioner.control.client import ask
from provisioner.control.errors import ServerGone
from provisioner.settings import Settings
from provisioner.virtual_phones.network import Network
from sip.transport.errors import CantConnect
from sip.transport.flow import Address, Transport

_CLEAR_TEXT, _TLS = "provisioning", "provisioning-tls"


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a server on this machine listens."""

    pid: int
    doors: Mapping[str, URL]
    "For phones, by the options that they are said with."
    sip: Mapping[Transport, Address]


async def listening(data_dir: Path) -> Listening:
    """Asks the server that runs on a data directory. Raises `NoServer` and `ServerGone`."""
    async with aclosing(ask(data_dir, "addresses", {})) as answers:
        async for said in answers:
            doors = {option: URL(url) for option, url in said["provisioning"].items()}
            return Listening(
                pid=said["pid"],
                doors={option: url.with_host(_here(url.host or "")) for option, url in doors.items()},
                sip={
                    Transport(transport): Address(_here(host), port) for transport, host, port in said["sip"]
                },
            )
    raise ServerGone


def _here(host: str) -> str:
    """Where this machine reaches itself by a listener at `host`."""
    address = ip_address(host)
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"


class ToThisMachine(Network):
    """Whatever name or address phones have been told: they come to the server that runs here.

    Files of others, such as a ring tone on the vendor's site, are not fetched.
    """

    def __init__(self, told_url: str, server: Listening, tls: ssl.SSLContext) -> None:
        self.tls = tls
        self._host = URL(told_url).host
        self._server = server

    def url(self, url: str) -> URL | None:
        asked = URL(url)
        doors = self._server.doors
        # A web server before ours may do its TLS.
        door = doors.get(_TLS, doors[_CLEAR_TEXT]) if asked.scheme == "https" else doors[_CLEAR_TEXT]
        return _led(asked, self._host, door)

    async def server(self, said: Address, transport: Transport) -> Address:
        found = self._server.sip.get(transport)
        if found is None:
            raise CantConnect(f"the server does not listen for SIP over {transport}")
        return found


class ToServer(Network):
    """Files from a server that was named, and SIP wherever the files say."""

    def __init__(self, told_url: str, server_url: str, tls: ssl.SSLContext) -> None:
        """Raises `BadValue`."""
        parts = urlsplit(server_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadValue(f"--server {server_url!r} is no URL: write it like http://192.0.2.10:8081")
        self.tls = tls
        self._host, self._to = URL(told_url).host, URL(server_url)
        self._found: dict[str, str] = {}

    def url(self, url: str) -> URL | None:
        return _led(URL(url), self._host, self._to)

    async def server(self, said: Address, transport: Transport) -> Address:
        if said.host not in self._found:
            loop = asyncio.get_running_loop()
            try:
                found = await loop.getaddrinfo(said.host, said.port, type=socket.SOCK_STREAM)
            except OSError as error:
                raise CantConnect(f"{said.host} is not known: {error.strerror}") from error
            self._found[said.host] = str(found[0][4][0])
        return Address(self._found[said.host], said.port)


def _led(asked: URL, host: str | None, door: URL) -> URL | None:
    """The same at another door; None: `host` is not asked for it."""
    if asked.host != host or door.host is None:
        return None
    return asked.with_scheme(door.scheme).with_host(door.host).with_port(door.port)


def trust(settings: Settings) -> ssl.SSLContext:
    """What phones of a simulation take from servers: what this machine trusts, and our own certificate.

    Names are not compared, as phones don't unless they are told to.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    if settings.tls.certificate is not None:
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(settings.tls.certificate)
    return context
