"""What all tests share."""

import gc
import os

from hypothesis import settings

pytest_plugins = ["tests.databases", "tests.golden_files", "tests.statements"]

# `make test` tries the same examples each time; `make prove` tries many more, and other ones each time.
settings.register_profile("test", derandomize=True, deadline=None)
settings.register_profile("prove", max_examples=5_000, deadline=None)
settings.load_profile("prove" if os.environ.get("CENTRALKA_PROVE") else "test")


def pytest_collection_finish() -> None:
    """All that is loaded by now stays: to look through it for garbage, again and again, takes long."""
    gc.collect()
    gc.freeze()
