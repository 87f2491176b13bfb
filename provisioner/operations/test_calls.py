"""Test calls."""

from __future__ import annotations

from provisioner.centrex.errors import CentralkaError


class TooManyTestCalls(CentralkaError):
    """As many test calls go on as there may be."""

    code = "too-many-test-calls"

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} test calls go on already: wait until one of them is over, then repeat this")
