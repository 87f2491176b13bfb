"""Phones that fetch one file without an end, in a process of their own; what they saw comes out as JSON.

Standard input holds one line of JSON: the server's `address`, its `processes`, the `path` of the file, and
the `floor`, a file that is shared with whoever makes changes (`Floor`). They go on until it ends.
"""

from __future__ import annotations

import json
import mmap
import re
import sys
import threading
import time
from collections import Counter
from http.client import HTTPConnection
from pathlib import Path

from tests.provisioner.processes import connections

_OF_EACH = 2
_PAUSE_S = 0.01
_NUMBER = re.compile(rb"Nr (\d+)")


class Floor:
    """What the one who makes changes and the readers tell each other, in memory that processes share."""

    SIZE = 16
    "Bytes of its file."

    def __init__(self, file: Path) -> None:
        with file.open("r+b") as opened:
            self._memory = mmap.mmap(opened.fileno(), self.SIZE)

    @property
    def number(self) -> int:
        """Of the newest change that was answered with success."""
        return int.from_bytes(self._memory[:8], "little")

    @number.setter
    def number(self, number: int) -> None:
        self._memory[:8] = number.to_bytes(8, "little")

    @property
    def reads(self) -> int:
        """So often each process of the server was asked, or more often."""
        return int.from_bytes(self._memory[8:], "little")

    @reads.setter
    def reads(self, reads: int) -> None:
        self._memory[8:] = reads.to_bytes(8, "little")


def fetch(connection: HTTPConnection, path: str) -> int:
    """The number that stands in the file."""
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    found = _NUMBER.search(body)
    assert response.status == 200, response.status
    assert found is not None
    return int(found[1])


def main() -> None:
    said = json.loads(sys.stdin.readline())
    floor = Floor(Path(said["floor"]))
    over = threading.Event()
    reads: Counter[int] = Counter()
    stale: list[tuple[int, int, int]] = []
    failed: list[str] = []

    def read(pid: int, connection: HTTPConnection) -> None:
        try:
            while not over.is_set():
                before = floor.number
                got = fetch(connection, said["path"])
                reads[pid] += 1
                floor.reads = min(reads[each] for each in said["processes"])
                if got < before:
                    stale.append((pid, before, got))
                time.sleep(_PAUSE_S)
        except Exception as error:
            failed.append(repr(error))

    address = (said["address"][0], said["address"][1])
    threads = [
        threading.Thread(target=read, args=(pid, connection))
        for pid, each in connections(address, said["processes"], _OF_EACH).items()
        for connection in each
    ]
    for thread in threads:
        thread.start()
    sys.stdout.write("reading\n")
    sys.stdout.flush()
    sys.stdin.read()
    over.set()
    for thread in threads:
        thread.join()
    sys.stdout.write(json.dumps({"reads": list(reads.values()), "stale": stale, "failed": failed}) + "\n")


if __name__ == "__main__":
    main()
