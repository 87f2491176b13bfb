"""The sample company, written once for each database and copied for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.engine import Database
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.files.company import read_company_file
from provisioner.operations.companies import apply
from provisioner.operations.installation import Installation
from provisioner.settings import Settings
from tests.provisioner.conftest import SAMPLE
from tests.provisioner.written import Written, put_key


@pytest.fixture(scope="session")
def written_sample(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """What is copied."""
    file = read_company_file(SAMPLE.read_bytes(), SAMPLE.name)
    return Written(tmp_path_factory.mktemp("sample"), lambda made: apply(made, file, COMMAND_LINE))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, written_sample: Written) -> Iterator[str]:
    """A copy of the test's own, once on each engine."""
    with written_sample.copied(request, tmp_path) as url:
        yield url


@pytest.fixture
def sample(database: Database, settings: Settings, tmp_path: Path, written_sample: Written) -> Installation:
    """The installation with the sample company in it."""
    return Installation(tmp_path, settings, database, put_key(written_sample.key, tmp_path))
