"""What the fuzzer looks for, over damaged messages that are the same each time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fuzz.mutations import mutations
from tests.fuzz.targets import TARGETS

MAKEFILE = Path(__file__).parents[2] / "Makefile"
COUNT = 50_000 if os.environ.get("CENTRALKA_PROVE") else 500


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_comes_is_read_or_refused_and_what_was_read_is_written_the_same(name):
    target = TARGETS[name]
    for data in (*target.seeds, *mutations(target.seeds, COUNT, seed=4475)):
        try:
            target(data)
        except Exception as error:
            pytest.fail(f"{data!r}: {error!r}")


def test_make_fuzz_runs_all():
    (line,) = (line for line in MAKEFILE.read_text().splitlines() if line.startswith("FUZZED :="))
    assert line.split()[2:] == list(TARGETS)
