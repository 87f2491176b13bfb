"""The small company, applied."""

from __future__ import annotations

import pytest

from provisioner.operations.installation import Installation
from tests.provisioner.operations.small import put, small


@pytest.fixture
async def firma(installation: Installation) -> Installation:
    """The installation with the small company in it."""
    await put(installation, small())
    return installation
