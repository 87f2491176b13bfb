"""`python -m tests.fuzz TARGET [options of libFuzzer]`: looks for what breaks one target, until told to stop.

Wants atheris (`make fuzz` sets it up). What it finds is written to a file of which the name is printed:
`python -m tests.fuzz TARGET FILE` runs that alone.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

with atheris.instrument_imports(include=["sip"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    name, *options = sys.argv[1:] or [""]
    if name not in TARGETS:
        sys.exit(f"name one of {', '.join(TARGETS)}")
    with TemporaryDirectory() as folder:
        for number, seed in enumerate(TARGETS[name].seeds):
            (Path(folder) / str(number)).write_bytes(seed)
        # Where a file is given, that alone is run.
        corpus = [] if any(Path(option).is_file() for option in options) else [folder]
        atheris.Setup([sys.argv[0], *options, "-max_len=65536", *corpus], TARGETS[name])
        atheris.Fuzz()


main()
