"""Bans over SIP, as the command lists and lifts them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from provisioner.control.client import ask
from provisioner.control.server import control_socket
from provisioner.pbx.ban_verbs import sip_bans_verb
from sip.bans import Bans, Verdict
from sip.transport.proven import Proven
from tests.sip.test_bans import NOW, SCANNER, way


async def heard(data_dir: Path, **question: Any) -> list[Any]:
    return [each async for each in ask(data_dir, "sip-bans", question)]


async def test_bans_are_listed_and_lifted(tmp_path):
    bans = Bans(Proven())
    async with control_socket(tmp_path) as control:
        control.on("sip-bans", sip_bans_verb(bans, lambda: NOW))
        assert await heard(tmp_path) == []
        for number in range(50):
            bans.failed(way(), str(number), NOW, has_nonce=True)
        (said,) = await heard(tmp_path)
        assert (said["source"], said["times"]) == (SCANNER, 1)
        assert said["since"] < said["until"]
        assert await heard(tmp_path, lift=SCANNER) == [{"lifted": True}]
        assert await heard(tmp_path, lift=SCANNER) == [{"lifted": False}]
        assert bans.of(way(), NOW) is Verdict.FREE
