"""Sockets for all phones of a simulation."""

from __future__ import annotations

import resource

from provisioner.centrex.errors import BadValue

_OWN_FILES = 256
_FILES_OF_EACH = 3
"""A phone has a socket for UDP, one that listens for what is too large for that, and a connection while it
fetches, or by which it registers. Both at once are few: only those that are told to fetch.
"""


def make_room(phones: int) -> None:
    """Lets this process have as many sockets as the phones need. Raises `BadValue` where it may not."""
    wanted = phones * _FILES_OF_EACH + _OWN_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and wanted > hard:
        most = (hard - _OWN_FILES) // _FILES_OF_EACH
        raise BadValue(
            f"{phones} phones want {wanted} open files, and this process may have {hard}:"
            f" raise that with `ulimit -Hn {wanted}` as root, or simulate at most {most} phones"
        )
    if soft != resource.RLIM_INFINITY and wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
