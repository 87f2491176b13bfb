"""The TLS listener, asked by curl and openssl as independent clients."""

from __future__ import annotations

import asyncio
import os
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from provisioner.app import serving
from provisioner.centrex.errors import BadValue
from provisioner.operations.installation import Installation
from provisioner.settings import read_settings
from provisioner.web.tls import Certificate


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate of 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain_file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    chain_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return chain_file, key_file


def program(name: str) -> str:
    """The path of an independent client; skipped, or failed in CI, where it is missing."""
    found = shutil.which(name)
    if found is None:
        missing = f"{name} is not installed: apt install {name}"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


async def run(*command: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode(errors="replace")


@pytest.fixture
async def secure(sample: Installation, tmp_path: Path) -> AsyncIterator[str]:
    """The base URL of the TLS listener of a running server."""
    chain, key = make_certificate(tmp_path, "first")
    settings = sample.settings.model_copy(
        update={
            "listen": sample.settings.listen.model_copy(update={"provisioning_tls": "127.0.0.1:0"}),
            "tls": sample.settings.tls.model_copy(update={"certificate": chain, "private_key": key}),
        }
    )
    said: list[str] = []
    async with serving(replace(sample, settings=settings), said.append):
        yield next(line.removeprefix("provisioning-tls: ") for line in said if "https" in line)


async def test_phones_get_their_files_over_tls(secure: str, tmp_path: Path):
    code, output = await run(
        program("curl"), "-sSi", "--cacert", str(tmp_path / "first.pem"), f"{secure}y000000000066.cfg"
    )
    assert code == 0, output
    assert "200 OK" in output
    assert "lang.gui = Polish" in output


async def test_what_is_older_than_tls_1_2_is_turned_away(secure: str):
    host = secure.removeprefix("https://").rstrip("/")
    code, output = await run(program("openssl"), "s_client", "-connect", host, "-tls1_1", "-brief")
    assert code != 0
    assert "CONNECTION ESTABLISHED" not in output
    code, output = await run(program("openssl"), "s_client", "-connect", host, "-tls1_2", "-brief")
    assert "CONNECTION ESTABLISHED" in output


def test_a_new_certificate_is_taken_without_a_restart_and_a_broken_one_is_not(tmp_path: Path):
    chain, key = make_certificate(tmp_path, "first")
    certificate = Certificate(chain, key)
    assert not certificate.reload_if_changed()

    other_chain, other_key = make_certificate(tmp_path, "second")
    _replace(chain, other_chain.read_bytes(), 1)
    assert not certificate.reload_if_changed(), "the new chain came without its key"
    _replace(key, other_key.read_bytes(), 2)
    assert certificate.reload_if_changed()
    assert _common_name(certificate) == "second"


def test_a_certificate_that_is_not_there_is_said_at_the_start(tmp_path: Path):
    with pytest.raises(BadValue, match=r"missing\.pem"):
        Certificate(tmp_path / "missing.pem", tmp_path / "missing.key")


async def test_a_tls_listener_without_a_certificate_is_refused(sample: Installation):
    settings = read_settings(
        None, provisioning="127.0.0.1:0", portal="127.0.0.1:0", provisioning_tls="127.0.0.1:0"
    )
    with pytest.raises(BadValue, match=r"\[tls\]"):
        async with serving(replace(sample, settings=settings), lambda _: None):
            pass


def _replace(file: Path, data: bytes, later_s: int) -> None:
    before = file.stat().st_mtime_ns
    file.write_bytes(data)
    os.utime(file, ns=(before, before + later_s * 10**9))


def _common_name(certificate: Certificate) -> str:
    """What a client sees, by a handshake in memory."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    ends = [(ssl.MemoryBIO(), ssl.MemoryBIO()) for _ in range(2)]
    asking = client.wrap_bio(*ends[0])
    answering = certificate.context.wrap_bio(*ends[1], server_side=True)
    for _ in range(4):
        for end, (own, other) in ((asking, ends), (answering, ends[::-1])):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
            other[0].write(own[1].read())
    der = asking.getpeercert(binary_form=True)
    assert der is not None
    name = x509.load_der_x509_certificate(der).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(name[0].value)
