"""What can't be done by the control socket."""

from __future__ import annotations

from pathlib import Path

from provisioner.centrex.errors import CentralkaError


class NoServer(CentralkaError):
    """A verb needs the living server, and none runs on this data directory."""

    code = "no-server"

    def __init__(self, data_dir: Path) -> None:
        super().__init__(
            f"no server runs on {data_dir}: start it with `centralka serve --data-dir {data_dir}`,"
            " then repeat this"
        )


class ServerGone(CentralkaError):
    """The server ended, or broke off, before it had said all."""

    code = "server-gone"

    def __init__(self) -> None:
        super().__init__("the server ended before it was done: look whether it runs, then ask again")


class AlreadyServing(CentralkaError):
    """Two servers on one data directory would both hold its phones."""

    code = "already-serving"

    def __init__(self, data_dir: Path) -> None:
        super().__init__(
            f"a server runs on {data_dir} already: stop it first, or use another --data-dir"
            " (several machines may share one PostgreSQL database, each with a data directory of its own)"
        )


class Refused(CentralkaError):
    """What the server answered: its words, its code."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
