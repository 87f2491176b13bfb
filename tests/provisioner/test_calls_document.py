"""docs/calls.md says the codes as they are, and its company can be applied."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from provisioner.centrex.company import check_whole
from provisioner.centrex.customer import FeatureCodes, Forwarding
from provisioner.centrex.merge import merge
from provisioner.files.company import read_company_file

DOCUMENT = (Path(__file__).parents[2] / "docs" / "calls.md").read_text(encoding="utf-8")


def test_its_table_of_codes_is_all_codes_as_they_come():
    found = dict(re.findall(r"^\| `(\w+)` \| `([0-9*#]+)`", DOCUMENT, re.MULTILINE))
    assert found == {field.name: field.default for field in fields(FeatureCodes)}


def test_its_example_fits_together():
    (example,) = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
    (patch,) = read_company_file(example.encode()).customers
    customer = merge(None, patch)
    check_whole(customer, {}, {})
    assert customer.lines[0].forwarding.no_answer == Forwarding("600", after=20)
