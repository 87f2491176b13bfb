"""What the doctor sees; the first tests go through the command line."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import select, text, update

from db import migrations
from db.schema import AlarmRow, DeviceRow, DeviceTokenRow
from db.vault import Vault
from provisioner.app import serving
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.mac import MacAddress
from provisioner.operations import claims
from provisioner.operations.alarms import AlarmKind, acknowledge
from provisioner.operations.bans import add_ban
from provisioner.operations.doctor import Check, Health, diagnose
from provisioner.operations.doctor.capacity import check_backlog, check_open_files
from provisioner.operations.doctor.certificates import (
    check_certificate,
    check_certificate_names,
    check_device_ca,
)
from provisioner.operations.doctor.urls import check_legacy_tls, check_provisioning_url
from provisioner.operations.installation import (
    KEY_FILE,
    Installation,
    NotInitialised,
    OtherSchema,
    opened,
    utc_now,
)
from provisioner.operations.rollouts import Reach, release
from provisioner.settings import Limits, Listen, Settings, Tls, read_settings
from tests.copies import config_file, run_command
from tests.provisioner.conftest import apply_text
from tests.provisioner.firmware import put_firmware
from tests.provisioner.web.asking import T46S, VP530P

CODES = {
    "alarms",
    "backlog",
    "bans",
    "certificate",
    "certificate-name",
    "claims",
    "clear-text",
    "clock",
    "data-directory",
    "database",
    "device-ca",
    "disk",
    "encryption-keys",
    "firmware",
    "key",
    "legacy-tls",
    "lint",
    "open-files",
    "ports",
    "provisioning-url",
    "public",
    "reach",
    "rollouts",
    "secrets",
    "server",
    "silent-phones",
}
PUBLIC = 'provisioning_url = "http://192.0.2.10:8081"\nsip_host = "192.0.2.10"'


class Patient:
    """An installation with a configuration file of its own."""

    def __init__(self, installation: Installation, url: str, folder: Path) -> None:
        self.installation, self._url, self._folder = installation, url, folder
        self.tables = {
            "public": PUBLIC,
            # Whatever this machine allows.
            "limits": "connections = 100",
            "listen": 'portal = "127.0.0.1:0"\nprovisioning = "127.0.0.1:0"\nsip = "127.0.0.1:0"',
        }

    @property
    def config(self) -> Path:
        return config_file(self._folder, self._url, **self.tables)

    async def checks(self, now: datetime | None = None) -> list[Check]:
        settings = read_settings(self.config)
        return await diagnose(self.installation.data_dir, settings, now or utc_now())

    async def found(self, name: str, now: datetime | None = None) -> list[Check]:
        return [check for check in await self.checks(now) if check.name == name]

    async def check(self, name: str, now: datetime | None = None) -> Check:
        """The worst that is said of one thing."""
        order = list(Health)
        return max(await self.found(name, now), key=lambda check: order.index(check.health))

    async def command(self, *arguments: str) -> tuple[int, str]:
        options = ("--data-dir", self.installation.data_dir, "--config", self.config)
        done = await asyncio.to_thread(run_command, "doctor", *arguments, *options)
        return done.status, done.said


@pytest.fixture
def patient(sample: Installation, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Patient:
    sample.data_dir.chmod(0o700)
    return Patient(sample, database_url, tmp_path_factory.mktemp("config"))


@pytest.fixture
def taken() -> Iterator[str]:
    """An address that something else listens on."""
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield f"127.0.0.1:{other.getsockname()[1]}"


async def test_a_healthy_installation_gets_nothing_but_ok_and_exit_code_0(patient: Patient):
    code, said = await patient.command()
    assert code == 0, said
    lines = said.splitlines()
    assert all(line.startswith("ok ") for line in lines[:-1]), said
    assert lines[-1].endswith("0 warning, 0 failure.")


async def test_a_failure_says_what_to_do_and_ends_with_exit_code_1(patient: Patient):
    (patient.installation.data_dir / KEY_FILE).chmod(0o644)
    code, said = await patient.command("--json")
    assert code == 1
    failures = [check for check in json.loads(said) if check["health"] == "failure"]
    assert [check["name"] for check in failures] == ["data-directory"]
    assert failures[0]["advice"].startswith("chmod go= ")


async def test_a_warning_alone_is_no_failure(patient: Patient):
    await claims.claim(patient.installation, MacAddress.parse(T46S), COMMAND_LINE)
    code, said = await patient.command()
    assert code == 0
    assert "warning claims: 1 phones may fetch their first file by MAC now: 80:5e:c0:12:34:56" in said


async def test_no_installation_is_a_failure_and_none_is_made(patient: Patient, tmp_path: Path):
    nothing = tmp_path / "nothing"
    found = await diagnose(nothing, read_settings(None), utc_now())
    assert {check.name for check in found if check.health is Health.FAILURE} == {"data-directory", "database"}
    assert not nothing.exists()


async def test_the_key_of_another_database_is_found(patient: Patient):
    file = patient.installation.data_dir / KEY_FILE
    file.unlink()
    Vault.create(file)
    assert (await patient.check("secrets")).health is Health.FAILURE
    file.write_text("no key\n", encoding="ascii")
    assert (await patient.check("key")).health is Health.FAILURE


async def test_an_older_and_a_newer_schema_are_told_apart(
    patient: Patient, database_url: str, tmp_path: Path
):
    newest = migrations.head()
    async with patient.installation.database.change() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    older = await patient.check("database")
    assert older.health is Health.FAILURE
    assert "centralka migrate" in older.advice
    async with patient.installation.database.change() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert "newer version" in (await patient.check("database")).message
    with pytest.raises(OtherSchema, match="run that version, or restore a backup"):
        async with opened(patient.installation.data_dir, read_settings(config_file(tmp_path, database_url))):
            pass
    async with patient.installation.database.change() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": newest})
    assert (await patient.check("database")).health is Health.OK


async def test_a_database_that_does_not_answer_is_a_failure(patient: Patient, tmp_path: Path):
    settings = read_settings(config_file(tmp_path, "postgresql://nobody@127.0.0.1:1/none"))
    found = await diagnose(patient.installation.data_dir, settings, utc_now())
    assert Health.FAILURE in {check.health for check in found if check.name == "database"}


async def test_an_address_that_something_else_holds_is_a_failure(patient: Patient, taken: str):
    patient.tables["listen"] = f'portal = "{taken}"\nprovisioning = "127.0.0.1:0"'
    check = await patient.check("ports")
    assert check.health is Health.FAILURE
    assert taken in check.message


async def test_a_port_that_is_taken_for_udp_alone_is_a_failure(patient: Patient):
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as other:
        other.bind(("127.0.0.1", 0))
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        patient.tables["listen"] = f'portal = "127.0.0.1:0"\nprovisioning = "127.0.0.1:0"\nsip = "{taken}"'
        check = await patient.check("ports")
    assert check.health is Health.FAILURE
    assert taken in check.message


async def test_an_address_of_another_machine_is_a_failure(patient: Patient):
    patient.tables["listen"] = 'portal = "127.0.0.1:0"\nprovisioning = "192.0.2.77:8081"'
    check = await patient.check("ports")
    assert check.health is Health.FAILURE
    assert "address of this machine" in check.advice


async def test_the_addresses_of_our_own_server_are_fine(patient: Patient):
    async with serving(patient.installation, lambda _: None) as running:
        portal, provisioning = (
            url.removeprefix("http://") for url in (running.portal_url, running.provisioning_url)
        )
        sip = f'sip = "{running.sip}"'
        patient.tables["listen"] = f'portal = "{portal}"\nprovisioning = "{provisioning}"\n{sip}'
        checks = await patient.checks()
    assert {check.health for check in checks if check.name in ("ports", "server")} == {Health.OK}
    assert any("all of it is up" in check.message for check in checks)


async def test_a_clock_that_was_set_back_is_a_failure(patient: Patient):
    for now in (utc_now() - timedelta(days=1), datetime(1970, 1, 1, 0, 5, tzinfo=UTC)):
        assert (await patient.check("clock", now)).health is Health.FAILURE
    for path in patient.installation.data_dir.iterdir():
        os.utime(path, (0, 0))
    # What was stored tells it, too.
    assert (await patient.check("clock", utc_now() - timedelta(days=1))).health is Health.FAILURE
    assert (await patient.check("clock")).health is Health.OK


async def test_a_full_disk_is_a_failure(patient: Patient, monkeypatch: pytest.MonkeyPatch):
    usage = type("Usage", (), {"free": 10 << 20})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    assert (await patient.check("disk")).health is Health.FAILURE


@pytest.mark.parametrize(
    ("public", "health"),
    [
        ('provisioning_url = "http://127.0.0.1:8081"\nsip_host = "192.0.2.10"', Health.FAILURE),
        ('provisioning_url = "http://192.0.2.10"\nsip_host = "localhost"', Health.FAILURE),
        ('provisioning_url = "http://192.0.2.10"\nsip_host = "nowhere.invalid"', Health.FAILURE),
        ('provisioning_url = "http://192.0.2.10"\nsip_host = "[2001:db8::1]"', Health.WARNING),
        (
            'provisioning_url = "http://192.0.2.10"\nsip_host = "nowhere.invalid"\nsip_transport = "dns_srv"',
            Health.OK,
        ),
        (PUBLIC, Health.OK),
    ],
)
async def test_what_phones_are_told_must_lead_to_us(patient: Patient, public: str, health: Health):
    patient.tables["public"] = public
    assert (await patient.check("public")).health is health


@pytest.mark.parametrize(
    ("networks", "health"),
    [
        ('["10.0.0.0/8", "fd00::/8"]', Health.OK),
        ('["0.0.0.0/0"]', Health.WARNING),
        ('["::/0"]', Health.WARNING),
        ('["10.0.0.0/8", "203.0.113.0/24"]', Health.WARNING),
        ('["100.64.0.0/10"]', Health.OK),
    ],
)
async def test_passwords_over_the_internet_in_clear_text_are_seen(
    patient: Patient, networks: str, health: Health
):
    patient.tables["security"] = f"clear_text_networks = {networks}"
    assert (await patient.check("clear-text")).health is health


async def test_a_phone_that_asks_from_where_it_gets_nothing_is_named(patient: Patient):
    await set_device(patient, VP530P, contacted_from="203.0.113.9", contacted_at=utc_now())
    check = await patient.check("clear-text")
    assert check.health is Health.WARNING
    assert "00:15:65:31:4b:c0 (203.0.113.9)" in check.message


async def test_old_phones_told_to_speak_modern_tls_are_named(patient: Patient):
    patient.tables["public"] = PUBLIC.replace("http:", "https:")
    check = await patient.check("reach")
    assert check.health is Health.FAILURE
    assert "00:15:65:31:4b:c0" in check.message


async def test_phones_whose_firmware_may_be_that_old_are_told_apart_from_those_whose_is(patient: Patient):
    patient.tables["public"] = PUBLIC.replace("http:", "https:")
    await apply_text(
        patient.installation,
        "customers: [{login: nowyklienttestowy, devices: [{mac: '80:5e:c0:12:34:56', model: T48G},"
        " {mac: '00:15:65:31:4b:c0'}]}]",
    )
    found = {check.health: check for check in await patient.found("reach")}
    assert "00:15:65:31:4b:c0" in found[Health.FAILURE].message
    assert "80:5e:c0:12:34:56" in found[Health.WARNING].message
    patient.tables["listen"] += '\nprovisioning_legacy_tls = "127.0.0.1:8081"'
    assert (await patient.check("reach")).health is Health.OK


async def test_the_codes_of_all_that_is_looked_at_stay_as_they_are(patient: Patient, tmp_path: Path):
    chain, key = certificate(tmp_path, utc_now() + timedelta(days=400))
    patient.tables["public"] = PUBLIC.replace("http:", "https:")
    patient.tables["listen"] += "".join(
        f'\nprovisioning_{name} = "127.0.0.1:0"' for name in ("tls", "certificates", "legacy_tls")
    )
    patient.tables["tls"] = f'certificate = "{chain}"\nprivate_key = "{key}"\ndevice_ca = "{chain}"'
    _, said = await patient.command("--json")
    assert {check["name"] for check in json.loads(said)} == CODES
    assert all(check["advice"] for check in json.loads(said) if check["health"] != "ok")


async def test_phones_that_nobody_has_seen_for_long_are_named(patient: Patient):
    await set_device(patient, VP530P, contacted_at=utc_now() - timedelta(days=29))
    assert (await patient.check("silent-phones")).health is Health.OK
    await set_device(patient, VP530P, contacted_at=utc_now() - timedelta(days=31))
    await set_device(patient, T46S, created_at=utc_now() - timedelta(days=31))
    found = [check for check in await patient.checks() if check.name == "silent-phones"]
    assert [check.health for check in found] == [Health.WARNING, Health.WARNING]
    assert "00:15:65:31:4b:c0" in found[0].message
    assert "80:5e:c0:12:34:56" in found[1].message


async def test_a_window_that_is_over_is_not_open(patient: Patient):
    await claims.claim(patient.installation, MacAddress.parse(T46S), COMMAND_LINE)
    assert (await patient.check("claims")).health is Health.WARNING
    assert (await patient.check("claims", utc_now() + timedelta(hours=25))).health is Health.OK


async def test_who_is_banned_is_named(patient: Patient):
    assert (await patient.check("bans")).health is Health.OK
    await add_ban(patient.installation, "192.0.2.7", 60, COMMAND_LINE, utc_now())
    check = await patient.check("bans")
    assert (check.health, "192.0.2.7" in check.message) == (Health.WARNING, True)
    assert (await patient.check("bans", utc_now() + timedelta(hours=1))).health is Health.OK


async def test_alarms_wait_kind_by_kind_until_somebody_has_seen_them(patient: Patient):
    async with patient.installation.database.change() as session:
        for number, kind in enumerate((AlarmKind.RACED, AlarmKind.SCAN, AlarmKind.SCAN, "of the future")):
            session.add(AlarmRow(kind=kind, text=f"alarm {number}", at=utc_now()))
            await session.flush()
    raced, scans, future = await patient.found("alarms")
    assert {each.health for each in (raced, scans, future)} == {Health.WARNING}
    assert raced.message.startswith("1 alarms (claim-raced)")
    assert raced.advice.endswith("centralka alarms ack 1")
    assert scans.message.startswith("2 alarms (mac-scan)")
    assert scans.message.endswith("alarm 2")
    assert "centralka alarms list" in future.advice
    await acknowledge(patient.installation, None, COMMAND_LINE, utc_now())
    assert (await patient.check("alarms")).health is Health.OK


@pytest.mark.parametrize(
    ("days", "health"), [(90, Health.OK), (10, Health.WARNING), (-1, Health.FAILURE), (None, Health.FAILURE)]
)
async def test_a_certificate_is_renewed_in_time(
    patient: Patient, tmp_path: Path, days: int | None, health: Health
):
    patient.tables["listen"] += '\nprovisioning_tls = "127.0.0.1:0"'
    if days is not None:
        chain, key = certificate(tmp_path, utc_now() + timedelta(days=days))
        patient.tables["tls"] = f'certificate = "{chain}"\nprivate_key = "{key}"'
    assert (await patient.check("certificate")).health is health


async def test_a_certificate_with_the_key_of_another_is_a_failure(patient: Patient, tmp_path: Path):
    patient.tables["listen"] += '\nprovisioning_tls = "127.0.0.1:0"'
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    chain, _ = certificate(tmp_path / "one", utc_now() + timedelta(days=90))
    _, key = certificate(tmp_path / "two", utc_now() + timedelta(days=90))
    patient.tables["tls"] = f'certificate = "{chain}"\nprivate_key = "{key}"'
    assert (await patient.check("certificate")).health is Health.FAILURE


@pytest.mark.parametrize(
    ("days", "health"),
    [(120, Health.OK), (60, Health.WARNING), (-1, Health.FAILURE), (None, Health.FAILURE)],
)
async def test_who_issues_the_phones_certificates_is_looked_at(
    patient: Patient, tmp_path: Path, days: int | None, health: Health
):
    patient.tables["listen"] += '\nprovisioning_certificates = "127.0.0.1:0"'
    chain, key = certificate(tmp_path, utc_now() + timedelta(days=90))
    patient.tables["tls"] = f'certificate = "{chain}"\nprivate_key = "{key}"'
    if days is not None:
        (tmp_path / "issuers").mkdir()
        issuers, _ = certificate(tmp_path / "issuers", utc_now() + timedelta(days=days))
        patient.tables["tls"] += f'\ndevice_ca = "{issuers}"'
    assert (await patient.check("certificate")).health is Health.OK
    assert (await patient.check("device-ca")).health is health


@pytest.mark.parametrize(
    ("names", "url", "health"),
    [
        (["pbx.example.com"], "https://pbx.example.com:8443", Health.OK),
        (["other.example.com", "*.example.com"], "https://PBX.example.com", Health.OK),
        (["192.0.2.10"], "https://192.0.2.10", Health.OK),
        ([], "https://pbx.example.com", Health.OK),
        (["*.example.com"], "https://a.pbx.example.com", Health.WARNING),
        (["pbx.example.com"], "https://192.0.2.10", Health.WARNING),
        (["192.0.2.11"], "https://192.0.2.10", Health.WARNING),
        (["other.example.com"], "https://pbx.example.com", Health.WARNING),
    ],
)
def test_the_certificate_is_that_of_the_url_which_phones_are_told(
    tmp_path: Path, names: list[str], url: str, health: Health
):
    chain, key = certificate(tmp_path, utc_now() + timedelta(days=90), names=names)
    settings = secured(Tls(certificate=chain, private_key=key))
    (check,) = check_certificate_names(settings, url)
    assert (check.name, check.health) == ("certificate-name", health)
    assert list(check_certificate_names(settings, url.replace("https", "http"))) == []


def test_an_issuer_in_the_chain_ends_before_the_certificate_does(tmp_path: Path):
    for folder, days in (("ours", 90), ("issuer", -1)):
        (tmp_path / folder).mkdir()
        certificate(tmp_path / folder, utc_now() + timedelta(days=days))
    chain = tmp_path / "ours" / "chain.pem"
    chain.write_bytes(chain.read_bytes() + (tmp_path / "issuer" / "chain.pem").read_bytes())
    settings = secured(Tls(certificate=chain, private_key=tmp_path / "ours" / "key.pem"))
    (check,) = check_certificate(settings, utc_now())
    assert check.health is Health.FAILURE
    assert "an issuer's certificate" in check.message


def test_one_ended_issuer_of_several_is_named(tmp_path: Path):
    issuers = b""
    for folder, days in (("old", -1), ("new", 400)):
        (tmp_path / folder).mkdir()
        chain, _ = certificate(tmp_path / folder, utc_now() + timedelta(days=days), common=f"{folder} CA")
        issuers += chain.read_bytes()
    (tmp_path / "ca.pem").write_bytes(issuers)
    settings = Settings(
        listen=Listen(provisioning_certificates="127.0.0.1:8443"), tls=Tls(device_ca=tmp_path / "ca.pem")
    )
    (check,) = check_device_ca(settings, utc_now())
    assert check.health is Health.WARNING
    assert "1 of 2 " in check.message
    assert "CN=old CA" in check.message


@pytest.mark.parametrize(
    ("url", "listen", "health"),
    [
        ("http://192.0.2.1:8081", {}, Health.OK),
        ("http://192.0.2.1/phones", {"provisioning": "0.0.0.0:80"}, Health.OK),
        ("http://192.0.2.1:8081", {"provisioning": "0.0.0.0:0"}, Health.OK),
        ("https://192.0.2.1", {"provisioning_tls": "0.0.0.0:443"}, Health.OK),
        ("https://192.0.2.1:8443", {"provisioning_certificates": "0.0.0.0:8443"}, Health.OK),
        ("http://192.0.2.1:8082", {}, Health.WARNING),
        ("https://192.0.2.1", {}, Health.WARNING),
        ("https://192.0.2.1:8443", {"provisioning_tls": "0.0.0.0:443"}, Health.WARNING),
        ("https://192.0.2.1:8444", {"provisioning_legacy_tls": "10.0.0.1:8444"}, Health.WARNING),
        ("https://192.0.2.1:8081", {}, Health.FAILURE),
        ("http://192.0.2.1:443", {"provisioning_tls": "0.0.0.0:443"}, Health.FAILURE),
        ("http://192.0.2.1:99999", {}, Health.FAILURE),
    ],
)
def test_the_url_that_phones_are_told_leads_to_a_listener_that_speaks_it(
    url: str, listen: dict[str, str], health: Health
):
    check = check_provisioning_url(Settings(listen=Listen(**listen)), url)
    assert (check.name, check.health) == ("provisioning-url", health)
    assert bool(check.advice) is (health is not Health.OK)


@pytest.mark.parametrize(
    ("address", "health"),
    [
        ("10.20.0.1:8444", Health.OK),
        ("[fd00::1]:8444", Health.OK),
        ("203.0.113.9:8444", Health.WARNING),
        ("0.0.0.0:8444", Health.WARNING),
        ("[::]:8444", Health.WARNING),
        ("pbx.example.com:8444", Health.WARNING),
    ],
)
def test_old_tls_on_the_internet_is_seen(address: str, health: Health):
    (check,) = check_legacy_tls(Settings(listen=Listen(provisioning_legacy_tls=address)))
    assert (check.name, check.health) == ("legacy-tls", health)
    assert list(check_legacy_tls(Settings())) == []


def test_old_phones_get_an_rsa_certificate(tmp_path: Path):
    chain, key = certificate(tmp_path, utc_now() + timedelta(days=90))
    tls = Tls(certificate=chain, private_key=key)
    settings = Settings(listen=Listen(provisioning_legacy_tls="10.20.0.1:8444"), tls=tls)
    found = {check.name: check.health for check in check_certificate(settings, utc_now())}
    assert found == {"certificate": Health.OK, "legacy-tls": Health.WARNING}


@pytest.mark.parametrize(
    ("of_each", "of_all", "health"),
    [
        (None, None, Health.OK),
        (1256, 4 * 1256, Health.OK),
        (1255, None, Health.WARNING),
        (None, 4 * 1256 - 1, Health.WARNING),
    ],
)
def test_the_connections_of_all_workers_fit_into_the_open_files(
    of_each: int | None, of_all: int | None, health: Health
):
    settings = Settings(listen=Listen(workers=4), limits=Limits(connections=1000))
    assert check_open_files(settings, of_each, of_all).health is health


def test_a_short_queue_before_the_door_is_seen():
    assert check_backlog(4096).health is Health.OK
    assert check_backlog(128).health is Health.WARNING
    assert "somaxconn=4096" in check_backlog(128).advice


async def test_damaged_firmware_is_named_with_what_to_do(patient: Patient, database_url: str):
    assert (await patient.check("firmware")).health is Health.OK
    folder = patient.installation.firmware_dir
    for name in ("66.86.0.15.rom", "66.86.0.20.rom"):
        await put_firmware(patient.installation, name)
    (folder / "66.86.0.15.rom").unlink()
    (folder / "66.86.0.20.rom").write_bytes(b"x")
    (folder / "stray.rom").write_bytes(b"x")
    found = {check.message.partition(")")[0]: check for check in await patient.found("firmware")}
    missing, size = found["1 firmware files (missing"], found["1 firmware files (size"]
    assert {missing.health, size.health} == {Health.FAILURE}
    assert "66.86.0.15.rom" in missing.message
    assert "`firmware add`" in missing.advice
    assert ("several machines" in missing.advice) is database_url.startswith("postgresql")
    assert found["1 firmware files (not-added"].health is Health.WARNING


async def test_a_change_that_has_been_staged_for_long_is_named(patient: Patient):
    await apply_text(
        patient.installation,
        "customers: [{login: nowyklienttestowy, phone: {language: en}}]",
        staged=True,
    )
    assert (await patient.check("rollouts")).health is Health.OK
    check = await patient.check("rollouts", utc_now() + timedelta(days=8))
    assert check.health is Health.WARNING
    assert "5 phones keep" in check.message
    assert "centralka rollout release nowyklienttestowy" in check.advice
    await release(patient.installation, "nowyklienttestowy", Reach(), COMMAND_LINE)
    assert (await patient.check("rollouts", utc_now() + timedelta(days=8))).health is Health.OK


async def test_aes_keys_of_more_than_a_year_are_a_hint(patient: Patient):
    later = utc_now() + timedelta(days=366)
    assert "no customer" in (await patient.check("encryption-keys", later)).message
    await apply_text(
        patient.installation, "customers: [{login: nowyklienttestowy, phone: {encryption: true}}]"
    )
    assert (await patient.check("encryption-keys")).advice == ""
    check = await patient.check("encryption-keys", later)
    assert check.health is Health.OK
    assert "nowyklienttestowy" in check.message
    assert "centralka encryption rotate" in check.advice


async def test_an_encrypted_phone_may_ask_from_anywhere(patient: Patient):
    await apply_text(
        patient.installation, "customers: [{login: nowyklienttestowy, phone: {encryption: true}}]"
    )
    await set_device(patient, VP530P, contacted_from="203.0.113.9", contacted_at=utc_now())
    assert (await patient.check("clear-text")).health is Health.WARNING
    async with patient.installation.database.change() as session:
        mine = select(DeviceRow.id).where(DeviceRow.mac == VP530P).scalar_subquery()
        query = update(DeviceTokenRow).where(DeviceTokenRow.device_id == mine)
        await session.execute(query.values(first_used_at=utc_now()))
    assert (await patient.check("clear-text")).health is Health.OK


def secured(tls: Tls) -> Settings:
    return Settings(listen=Listen(provisioning_tls="127.0.0.1:8443"), tls=tls)


async def set_device(patient: Patient, mac: str, **columns: Any) -> None:
    async with patient.installation.database.change() as session:
        await session.execute(update(DeviceRow).where(DeviceRow.mac == mac).values(**columns))


def certificate(
    folder: Path, ends: datetime, *, common: str = "pbx.example.com", names: Sequence[str] = ()
) -> tuple[Path, Path]:
    """A certificate that signed itself, and its key; `names` are alternative ones."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(ends - timedelta(days=365))
        .not_valid_after(ends)
    )
    if names:
        alternative = x509.SubjectAlternativeName([_general_name(each) for each in names])
        builder = builder.add_extension(alternative, critical=False)
    signed = builder.sign(key, hashes.SHA256())
    chain, private = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    private.chmod(0o600)
    return chain, private


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


async def test_a_damaged_file_wants_a_backup_and_one_without_its_key_wants_that(tmp_path: Path):
    (tmp_path / "centralka.db").write_bytes(b"no database" * 1000)
    found = await diagnose(tmp_path, read_settings(None), utc_now())
    assert [check.advice for check in found if check.name == "database"] == ["restore a backup"]
    with pytest.raises(NotInitialised, match="that opens its secrets: bring that file back"):
        async with opened(tmp_path, read_settings(None)):
            pass
