"""`centralka token` as people run it."""

from __future__ import annotations

import json
import re

from tests.e2e.conftest import Run


def test_a_token_is_made_listed_and_revoked(command: Run):
    run = command
    run("init")
    said = run("token", "create", "--name", "monitor", "--days", "30")
    (token,) = re.findall(r"^Token 1: ([0-9a-f]{32})$", said, re.MULTILINE)
    listed = run("token", "list")
    assert "monitor" in listed
    assert "everything" in listed
    assert token not in listed
    assert run("token", "revoke", "1") == "Token 1 (monitor) opens nothing any more.\n"
    [kept] = json.loads(run("token", "list", "--json"))
    assert kept["revoked_at"] is not None
    assert token not in str(kept)
    assert "there is no customer" in run("token", "create", "--name", "x", "--customer", "nobody", code=1)
    assert "there is no token 7" in run("token", "revoke", "7", code=1)
