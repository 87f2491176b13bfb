"""What phones are told to reach: configured, else what `serve` listened on; never what somebody asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from provisioner.app import serving
from provisioner.operations import device_files
from provisioner.operations.addresses import listened_on
from provisioner.operations.installation import Installation
from provisioner.operations.publishing import announce, publish
from provisioner.settings import read_settings
from tests.provisioner.operations.small import DESK, HALL, audits, exact, just

URL = "static.auto_provision.server.url"
HOST = "account.1.sip_server.1.address"
SIP = "127.0.0.1:5060"


def configured(installation: Installation, tmp_path: Path, text: str) -> Installation:
    """The same installation with another configuration file."""
    file = tmp_path / "centralka.toml"
    file.write_text(text)
    return replace(installation, settings=read_settings(file))


async def listens(installation: Installation, provisioning: str) -> None:
    """As a server that starts there."""
    await announce(installation, provisioning, SIP)
    await publish(installation)


async def test_stored_addresses_win_over_defaults_and_configured_ones_over_stored(
    firma: Installation, tmp_path: Path
):
    defaults = listened_on("127.0.0.1:0", "127.0.0.1:5060")
    assert (await exact(firma))[URL].startswith(f"{defaults.provisioning_url}/")
    await listens(firma, "127.0.0.1:8099")
    assert (await exact(firma))[URL].startswith("http://127.0.0.1:8099/")
    public = configured(
        firma,
        tmp_path,
        '[public]\nprovisioning_url = "https://pbx.example.com/p/"\n'
        'sip_host = "sip.example.com"\nsip_port = 5080\n',
    )
    await just(public, name="Firma 2")
    settings = await exact(public)
    assert settings[URL].startswith("https://pbx.example.com/p/")
    assert (settings[HOST], settings["account.1.sip_server.1.port"]) == ("sip.example.com", "5080")
    # What is not configured stays what was stored.
    await listens(firma, "127.0.0.1:8099")
    half = configured(firma, tmp_path, '[public]\nsip_host = "sip.example.com"\n')
    await just(half, name="Firma 3")
    settings = await exact(half)
    assert settings[URL].startswith("http://127.0.0.1:8099/")
    assert settings[HOST] == "sip.example.com"


async def test_listening_elsewhere_writes_new_revisions_that_say_so(firma: Installation):
    await listens(firma, "127.0.0.1:8099")
    count = len(await audits(firma))
    first = (await device_files.history_of(firma, DESK))[0].number
    await listens(firma, "127.0.0.1:8099")
    assert len(await audits(firma)) == count
    assert (await device_files.history_of(firma, DESK))[0].number == first
    await listens(firma, "127.0.0.1:9099")
    for mac in (DESK, HALL):
        newest = (await device_files.history_of(firma, mac))[0]
        assert (newest.actor, newest.cause) == ("system", "serve listens elsewhere")
    entry = (await audits(firma))[-1]
    assert (entry.actor, entry.verb) == ("system", "serve")


async def test_listening_elsewhere_changes_nothing_for_phones_that_are_told_a_configured_address(
    firma: Installation, tmp_path: Path
):
    public = configured(
        firma,
        tmp_path,
        '[public]\nprovisioning_url = "https://pbx.example.com"\nsip_host = "a.example"\nsip_port = 5060\n',
    )
    await listens(public, "127.0.0.1:8099")
    before = await device_files.history_of(public, DESK)
    await listens(public, "127.0.0.1:9099")
    assert await device_files.history_of(public, DESK) == before


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        ("127.0.0.1:8081", "http://127.0.0.1:8081"),
        ("[::1]:8081", "http://[::1]:8081"),
        ("pbx.example.com:80", "http://pbx.example.com:80"),
    ],
)
def test_an_address_that_is_listened_on_is_the_one_that_phones_are_told(listen: str, url: str):
    assert listened_on(listen, "127.0.0.1:5060").provisioning_url == url


def test_phones_are_never_told_a_wildcard():
    for wildcard in ("0.0.0.0", "[::]"):  # noqa: S104
        addresses = listened_on(f"{wildcard}:8081", f"{wildcard}:5060")
        assert wildcard not in addresses.provisioning_url + addresses.sip_host


async def test_the_host_that_a_request_names_is_in_no_answer(firma: Installation):
    async with serving(firma, lambda _: None) as server:
        settings = await exact(firma)
        assert settings[URL].startswith(server.provisioning_url)
        assert settings[HOST] == "127.0.0.1"
        token = settings[URL].removeprefix(server.provisioning_url).strip("/")
        service = settings["remote_phonebook.data.1.url"].removesuffix("phonebook.xml")
        # The phone that asks by that name has the token already.
        evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
        async with aiohttp.ClientSession() as client:
            for path in (
                f"{server.provisioning_url}/{token}/{DESK.hex}.cfg",
                f"{server.provisioning_url}/{token}/y000000000066.cfg",
                f"{server.provisioning_url}/y000000000066.cfg",
                f"{service}phonebook.xml",
                f"{service}browser/menu.xml",
            ):
                async with client.get(path, headers=evil) as response:
                    body = await response.text()
                    assert response.status == 200, path
                    assert "evil" not in body + str(response.headers)
