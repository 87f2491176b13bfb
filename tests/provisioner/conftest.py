"""An installation on each database, and a server that real clients ask."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from db.engine import Database
from db.vault import Vault
from provisioner.app import Running, serving
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.files.company import read_company_file
from provisioner.operations.companies import apply
from provisioner.operations.customer_step import Plan
from provisioner.operations.installation import FIRMWARE_DIR, KEY_FILE, MEDIA_DIR, Installation
from provisioner.settings import Settings
from tests.databases import migrated
from tests.provisioner.written import Written, loopback_settings, put_key

SAMPLE = Path(__file__).parents[2] / "provisioner" / "demo" / "company.yaml"


@pytest.fixture
def settings() -> Settings:
    """Listeners on free ports of this machine."""
    return loopback_settings()


@pytest.fixture(scope="session")
def written_sample(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The sample company, written once for each database and copied for each test."""
    file = read_company_file(SAMPLE.read_bytes(), SAMPLE.name)
    return Written(tmp_path_factory.mktemp("sample"), lambda made: apply(made, file, COMMAND_LINE))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database of the test's own, once on each engine; for `sample` the company is in it."""
    if "sample" in request.fixturenames:
        written: Written = request.getfixturevalue("written_sample")
        with written.copied(request, tmp_path) as url:
            yield url
    else:
        with migrated(request, tmp_path) as url:
            yield url


@pytest.fixture
def installation(database: Database, settings: Settings, tmp_path: Path) -> Installation:
    """An empty installation: schema and keys, no customer."""
    for folder in (FIRMWARE_DIR, MEDIA_DIR):
        (tmp_path / folder).mkdir()
    return Installation(tmp_path, settings, database, Vault.create(tmp_path / KEY_FILE))


RENAMED = """
customers:
  - login: nowyklienttestowy
    extensions:
      - {number: "101"}
      - {number: "102"}
      - {number: "103", name: Sprzedaz}
      - {number: "104"}
      - {number: "105"}
      - {number: "106"}
"""
"The sample company, of which one extension is called something else."


async def apply_text(
    installation: Installation, text: str, name: str = "test.yaml", *, staged: bool = False
) -> Plan:
    """Applies a company file that is written in the test."""
    file = read_company_file(text.encode("utf-8"), name)
    return await apply(installation, file, COMMAND_LINE, staged=staged)


@pytest.fixture
def sample(database: Database, settings: Settings, tmp_path: Path, written_sample: Written) -> Installation:
    """The installation with the sample company in it."""
    return Installation(tmp_path, settings, database, put_key(written_sample.key, tmp_path))


@pytest.fixture
async def running(sample: Installation) -> AsyncIterator[Running]:
    """The sample company's server, up."""
    async with serving(sample, lambda _: None) as server:
        yield server
