"""`/healthz` names all that is up, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from provisioner.app import serving
from provisioner.operations.installation import Installation
from provisioner.settings import read_settings
from provisioner.web.portal.health import Health, portal_app
from tests.copies import config_file
from tests.provisioner.web.authorities import Authority
from tests.provisioner.web.test_tls import make_certificate, run

PARTS = ("portal", "provisioning", "provisioning-tls", "worker 1")


async def asked(health: Health) -> tuple[int, str]:
    async with TestClient(TestServer(portal_app(health, web.Application()))) as client:
        response = await client.get("/healthz")
        return response.status, await response.text()


@pytest.mark.parametrize("missing", PARTS)
async def test_each_part_that_is_not_up_is_named_and_the_others_are_not(missing: str):
    async def none() -> None:
        return None

    assert await asked(Health(none, PARTS, {missing})) == (503, f"{missing} is not listening\n")


async def test_what_is_wrong_with_the_database_is_named_beside_the_rest():
    async def fault() -> str:
        return "the database does not answer"

    said = (503, "portal is not listening\nthe database does not answer\n")
    assert await asked(Health(fault, PARTS, {"portal"})) == said


async def test_every_configured_listener_is_named_once_all_are_up(
    sample: Installation, database_url: str, tmp_path: Path
):
    chain, key = make_certificate(tmp_path, "server")
    issuers = Authority.make(tmp_path / "phones")
    everywhere = "".join(
        f'{name} = "127.0.0.1:0"\n'
        for name in (
            "portal",
            "provisioning",
            "provisioning_tls",
            "provisioning_certificates",
            "provisioning_legacy_tls",
            "sip",
            "sips",
        )
    )
    tls = f'certificate = "{chain}"\nprivate_key = "{key}"\ndevice_ca = "{issuers.chain}"'
    settings = read_settings(config_file(tmp_path, database_url, listen=everywhere, tls=tls))
    here = Installation(sample.data_dir, settings, sample.database, sample.vault)
    async with serving(here, lambda _: None) as running:
        code, said = await run("curl", "--silent", "--fail", f"{running.portal_url}/healthz")
    assert (code, said) == (
        0,
        "ok: portal, provisioning, provisioning-tls, provisioning-certificates, provisioning-legacy-tls,"
        " sip, sips, database\n",
    )
