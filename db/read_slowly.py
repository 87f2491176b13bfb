"""Reads a file once, and leaves most of the disk to others: `FILE PROCESS` (a program).

To read straight on would have megabytes asked for ahead. Each place of the file that somebody else needs
meanwhile would come behind them, and a phone's file is put together from some sixteen places.

`PROCESS` is the number of the one that starts it; when that is gone, nobody wants the rest.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress

_SLICE = 128 << 10
"Bytes that are asked for at a time: whoever comes meanwhile waits for no more."
_SHARE = 0.25
"Of the disk's time."


def read_slowly(
    file: int,
    is_wanted: Callable[[], bool],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Reads an open file from where it stands to its end, for as long as that is wanted."""
    # A pipe takes no advice.
    with suppress(OSError):
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)
    slice_ = bytearray(_SLICE)
    while is_wanted():
        began = clock()
        if not os.readv(file, [slice_]):
            return
        sleep((clock() - began) * (1 / _SHARE - 1))


def main() -> None:
    """See above."""
    path, started_by = sys.argv[1], int(sys.argv[2])
    # The processor, too, is for others.
    os.nice(19)
    read_slowly(os.open(path, os.O_RDONLY), lambda: os.getppid() == started_by)


if __name__ == "__main__":
    main()
