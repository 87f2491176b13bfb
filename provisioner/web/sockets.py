"""The sockets that listeners stand on, and how many connections this process can hold."""

from __future__ import annotations

import logging
import resource
import socket

from provisioner.centrex.errors import CentralkaError
from provisioner.settings import BACKLOG, OWN_FILES, split_address

logger = logging.getLogger(__name__)



class CantListen(CentralkaError):
    """An address that can't be listened on."""

    code = "cant-listen"


def bind(address: str) -> socket.socket:
    """A socket that listens on `HOST:PORT`, before anything answers there; port 0 takes any free one.

    Raises `CantListen` where the address is taken or not ours.
    """
    host, port = split_address(address)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, place = found[0]
        listening = socket.socket(family, kind, protocol)
        try:
            # What is left of closed connections is no hindrance to a restart.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                # Or `[::]:80` would take `0.0.0.0:80`, too.
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listening.bind(place)
            listening.listen(BACKLOG)
            listening.setblocking(False)
        except OSError:
            listening.close()
            raise
    except OSError as error:
        raise CantListen(
            f"can't listen on {address}: {error.strerror or error};"
            " choose another address or stop what is there"
        ) from error
    return listening


def bound_address(address: str, listening: socket.socket) -> str:
    """`address` with the port that it got."""
    host, _ = split_address(address)
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{listening.getsockname()[1]}"


def room_for(connections: int) -> int:
    """How many of the wanted connections this process may open; takes all that the system lets it have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OWN_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections
    room = max(soft - OWN_FILES, soft // 2)
    logger.warning(
        "only %d of %d connections: the system allows %d open files (ulimit -n)", room, connections, soft
    )
    return room
