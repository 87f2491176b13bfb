"""Whether the server can listen where it is told to, or is there already."""

from __future__ import annotations

import errno
import http.client
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

from provisioner.operations.doctor.check import Check, failure, ok
from provisioner.settings import Settings, split_address

LEGACY = "provisioning-legacy-tls"
_TCP = (socket.SOCK_STREAM,)
_UDP_AND_TCP = (socket.SOCK_DGRAM, socket.SOCK_STREAM)
_WAIT_S = 3.0
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not listened on


def check_listeners(settings: Settings) -> Iterator[Check]:
    """Every configured listener: free, or taken by our own running server."""
    listen = settings.listen
    health = _healthz(listen.portal)
    if health is not None:
        status, said = health
        if status == 200:
            yield ok("server", f"the server is running, and all of it is up: http://{listen.portal}/healthz")
        else:
            yield failure("server", f"the server is running, but: {said}", "look into its log")
    else:
        yield ok("server", "the server is not running where the configuration says")
    own = {"portal": listen.portal, "provisioning": listen.provisioning, **over_tls(settings)}
    for name, address in own.items():
        yield _check_address(name, address, is_up=health is not None)
    yield _check_address("sip", listen.sip, _UDP_AND_TCP, is_up=health is not None)
    if listen.sips is not None:
        yield _check_address("sips", listen.sips, is_up=health is not None)


def over_tls(settings: Settings) -> dict[str, str]:
    """Where phones are listened for over TLS, by the option of `serve`."""
    listen = settings.listen
    wanted = {
        "provisioning-tls": listen.provisioning_tls,
        "provisioning-certificates": listen.provisioning_certificates,
        LEGACY: listen.provisioning_legacy_tls,
    }
    return {name: address for name, address in wanted.items() if address is not None}


def _check_address(
    name: str, address: str, kinds: Sequence[socket.SocketKind] = _TCP, *, is_up: bool
) -> Check:
    host, port = split_address(address)
    if port == 0:
        return ok("ports", f"{name}: {address} takes any free port")
    try:
        for kind in kinds:
            for family, _, protocol, _, place in socket.getaddrinfo(
                host, port, type=kind, flags=socket.AI_PASSIVE
            ):
                with closing(socket.socket(family, kind, protocol)) as probe:
                    _try(probe, place)
    except OSError as error:
        return _why_not(name, address, port, error, is_up=is_up)
    return ok("ports", f"{name}: {address} is free")


def _try(probe: socket.socket, place: Any) -> None:
    if probe.family == socket.AF_INET6:
        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    is_stream = probe.type == socket.SOCK_STREAM
    if is_stream:
        # As the server does: what is left of closed connections is no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind(place)
    if is_stream:
        probe.listen(1)


def _why_not(name: str, address: str, port: int, error: OSError, *, is_up: bool) -> Check:
    if error.errno == errno.EADDRINUSE:
        if is_up:
            return ok("ports", f"{name}: {address} is taken, and our server is running")
        return failure(
            "ports",
            f"{name}: something else listens on {address}",
            f"find it (ss -lntp 'sport = :{port}') and stop it, or set another address in [listen]",
        )
    if error.errno == errno.EACCES:
        return failure(
            "ports",
            f"{name}: this user may not listen on {address}",
            "take a port from 1024 on, or give the service CAP_NET_BIND_SERVICE",
        )
    return failure(
        "ports",
        f"{name}: can't listen on {address}: {error.strerror or error}",
        "set an address of this machine in [listen]",
    )


def _healthz(portal: str) -> tuple[int, str] | None:
    """What our running server says of itself; None where nothing answers like it."""
    host, port = split_address(portal)
    if port == 0:
        return None
    connection = http.client.HTTPConnection(_EVERY_ADDRESS.get(host, host), port, timeout=_WAIT_S)
    try:
        with closing(connection):
            connection.request("GET", "/healthz")
            response = connection.getresponse()
            text = response.read(1000).decode("utf-8", "replace").strip()
    except (OSError, http.client.HTTPException):
        return None
    if response.status == 200 and text.startswith("ok: "):
        return 200, text
    ours = response.status == 503 and all(
        line.endswith(("is not listening", "does not answer")) for line in text.splitlines()
    )
    return (503, "; ".join(text.splitlines())) if ours else None
