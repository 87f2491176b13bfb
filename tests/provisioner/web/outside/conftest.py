"""What all who look from outside share."""

from __future__ import annotations

import pytest

from tests.provisioner.web.asking import T54W
from tests.provisioner.web.outside.doors import Papers


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """Certificates; the other phone is the sample company's T54W."""
    return Papers.make(tmp_path_factory.mktemp("papers"), T54W)
