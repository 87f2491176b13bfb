"""The small company, written once for each database and copied for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from provisioner.operations.installation import Installation
from tests.provisioner.operations.small import put, small
from tests.provisioner.written import Written


@pytest.fixture(scope="session")
def written_firma(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """What is copied."""
    return Written(tmp_path_factory.mktemp("firma"), lambda made: put(made, small()))


@pytest.fixture(params=["sqlite", "postgresql"])
def firma_url(request: pytest.FixtureRequest, tmp_path: Path, written_firma: Written) -> Iterator[str]:
    """A copy of the test's own, once on each engine."""
    with written_firma.copied(request, tmp_path) as url:
        yield url


@pytest.fixture
async def firma(firma_url: str, written_firma: Written, tmp_path: Path) -> AsyncIterator[Installation]:
    """The installation with the small company in it."""
    async with written_firma.opened(firma_url, tmp_path) as installation:
        yield installation
