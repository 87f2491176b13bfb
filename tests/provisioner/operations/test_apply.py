"""Company files become what phones get: all of it or nothing, and a second time nothing."""

from __future__ import annotations

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.files.company import read_company_file
from provisioner.operations.companies import apply
from provisioner.operations.installation import Installation
from tests.provisioner.conftest import SAMPLE


async def test_applying_the_same_file_again_changes_nothing(sample: Installation):
    plan = await apply(sample, read_company_file(SAMPLE.read_bytes()), COMMAND_LINE)
    assert plan.changes == ()
    assert plan.files == ()
