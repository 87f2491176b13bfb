"""Whether the system lets the server have what a boot storm takes: open files, and room before the door."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

from provisioner.operations.doctor.check import Check, ok, warning
from provisioner.settings import BACKLOG, OWN_FILES, Settings

_FILE_MAX = Path("/proc/sys/fs/file-max")
_SOMAXCONN = Path("/proc/sys/net/core/somaxconn")


def check_capacity(settings: Settings) -> Iterator[Check]:
    """Of this machine, for a process that is started as this one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield check_open_files(
        settings, None if hard == resource.RLIM_INFINITY else hard, _number_in(_FILE_MAX)
    )
    queue = _number_in(_SOMAXCONN)
    if queue is not None:
        yield check_backlog(queue)


def check_open_files(settings: Settings, of_each: int | None, of_all: int | None) -> Check:
    """Whether all connections may be open at once; a process may open `of_each` files, the system `of_all`.

    None: as many as it likes. The server raises its own limit as far as it may.
    """
    connections, workers = settings.limits.connections, settings.listen.workers
    wanted = connections + OWN_FILES
    if of_each is not None and of_each < wanted:
        return warning(
            "open-files",
            f"a process may open {of_each} files, and [limits] connections = {connections} takes {wanted}:"
            " the server holds fewer connections",
            f"raise it (LimitNOFILE={wanted} of the service; ulimit -Hn), or lower [limits] connections",
        )
    if of_all is not None and of_all < wanted * workers:
        return warning(
            "open-files",
            f"all processes together may open {of_all} files, and {workers} workers with {connections}"
            f" connections each take {wanted * workers}",
            f"raise it (sysctl fs.file-max={wanted * workers}), or lower [limits] connections",
        )
    each = " in each of the workers" if workers > 1 else ""
    return ok("open-files", f"{connections} connections may be open{each}")


def check_backlog(somaxconn: int) -> Check:
    """Whether as many connections may wait to be accepted as the server asks for."""
    if somaxconn < BACKLOG:
        return warning(
            "backlog",
            f"at most {somaxconn} connections may wait to be accepted, and the server asks for {BACKLOG}:"
            " when all phones boot at once, some have to try again",
            f"raise it, and start the server again: sysctl net.core.somaxconn={BACKLOG}",
        )
    return ok("backlog", f"{BACKLOG} connections may wait to be accepted")


def _number_in(file: Path) -> int | None:
    """None where the system doesn't say."""
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
