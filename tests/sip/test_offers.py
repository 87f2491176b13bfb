"""Which algorithms of Digest who is offered."""

from __future__ import annotations

import pytest

from sip.digest import STRONGEST_FIRST, Algorithm
from sip.offers import offered


@pytest.mark.parametrize(
    "user_agent",
    [
        "Yealink SIP-T46G 28.82.0.20",
        "VP530P 23.70.0.40",
        "baresip v1.0.0 (x86_64/linux)",
        "baresip v0.6.1 (arm/linux)",
        "sipsak 0.9.8.1",
        "sipp",
    ],
)
def test_who_stumbles_over_a_second_challenge_gets_md5_alone(user_agent: str) -> None:
    assert offered(user_agent) == (Algorithm.MD5,)


@pytest.mark.parametrize(
    "user_agent", [None, "", "Unknown", "baresip v3.1.0 (x86_64/linux)", "x" * 300 + "sipsak"]
)
def test_who_is_not_known_for_it_gets_all_the_strongest_first(user_agent: str | None) -> None:
    assert offered(user_agent) == STRONGEST_FIRST
