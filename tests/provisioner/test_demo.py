"""The demonstration is for this machine alone."""

from __future__ import annotations

import pytest
from rich.console import Console

from provisioner.centrex.errors import BadValue
from provisioner.demo.show import run_demo
from provisioner.settings import Listen, read_settings
from tests.provisioner.written import loopback_settings

ADDRESSES = [
    "portal",
    "provisioning",
    "provisioning_tls",
    "provisioning_certificates",
    "provisioning_legacy_tls",
    "sip",
    "sips",
]


@pytest.mark.parametrize("elsewhere", ["192.0.2.7:0", "0.0.0.0:0", "[::]:0", "localhost:0"])
@pytest.mark.parametrize("listener", ADDRESSES)
async def test_no_listener_of_it_can_be_reached_from_elsewhere(listener: str, elsewhere: str):
    loopback = loopback_settings().listen.model_dump(exclude_none=True)
    settings = read_settings(None, **loopback | {listener: elsewhere})
    with pytest.raises(BadValue, match="this machine alone"):
        await run_demo(settings, Console(quiet=True), None)


def test_no_address_is_forgotten():
    assert set(ADDRESSES) == set(Listen.model_fields) - {"rtp_ports", "pnp", "workers"}
