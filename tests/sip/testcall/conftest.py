"""What the tests of the test phones share."""

from __future__ import annotations

import pytest

from sip.testcall import resending


@pytest.fixture(autouse=True)
def _nothing_is_said_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a machine takes, a phone of this process says a thing once; other tests change that."""
    monkeypatch.setattr(resending, "_T1_S", 3600.0)
    monkeypatch.setattr(resending, "LONGEST_S", 7200.0)
