"""What all tests share."""

import os

from hypothesis import settings

pytest_plugins = ["tests.databases", "tests.golden_files"]

# `make test` tries the same examples each time; `make prove` tries many more, and other ones each time.
settings.register_profile("test", derandomize=True, deadline=None)
settings.register_profile("prove", max_examples=5_000, deadline=None)
settings.load_profile("prove" if os.environ.get("CENTRALKA_PROVE") else "test")
