"""The listeners for phones that show their own certificate, and for old TLS, asked by curl and openssl."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from provisioner.app import serving
from provisioner.centrex.errors import BadValue
from provisioner.operations.installation import Installation
from provisioner.settings import read_settings
from provisioner.web.certificates import proven_mac
from provisioner.web.tls import Certificate, Speaks
from tests.provisioner.web.asking import T46G, T54W, UNLISTED, VP530P, claim, release
from tests.provisioner.web.authorities import OLD_KEY, Authority, Shown
from tests.provisioner.web.test_tls import make_certificate, program, run

OLD_LEVEL = """
openssl_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = level
[level]
MinProtocol = TLSv1
CipherString = DEFAULT@SECLEVEL=0
"""
"Or the OpenSSL of our clients would speak no old TLS and show no old phone's certificate."


@dataclass(frozen=True)
class Secured:
    """A running server with every listener."""

    installation: Installation
    urls: dict[str, str]
    "By the listener's option."
    ca: Path
    "Of the server."
    vendor: Authority

    async def fetch(
        self, path: str, shown: Shown | None, *more: str, at: str = "certificates"
    ) -> tuple[int, str]:
        """curl's exit code, and what it got: the response with its head."""
        url = f"{self.urls[f'provisioning-{at}']}{path}"
        own = shown.curl if shown else []
        return await run(program("curl"), "-sSi", "--cacert", str(self.ca), *own, *more, url)

    async def handshake(self, at: str, *options: str) -> str:
        """What openssl says of a handshake."""
        host = self.urls[f"provisioning-{at}"].removeprefix("https://").rstrip("/")
        return (await run(program("openssl"), "s_client", "-connect", host, "-brief", *options))[1]


@pytest.fixture
def old_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """curl is as lenient as an old phone."""
    (tmp_path / "old.cnf").write_text(OLD_LEVEL)
    monkeypatch.setenv("OPENSSL_CONF", str(tmp_path / "old.cnf"))


@pytest.fixture(scope="session")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("vendor") / "ca")


@pytest.fixture
async def secured(sample: Installation, tmp_path: Path, vendor: Authority) -> AsyncIterator[Secured]:
    server = Authority.make(tmp_path / "server")
    shown = server.issue("pbx.example.com", alternative="IP:127.0.0.1", key=("rsa:2048",))
    listen = {f"provisioning_{name}": "127.0.0.1:0" for name in ("tls", "certificates", "legacy_tls")}
    tls = {"certificate": shown.chain, "private_key": shown.key, "device_ca": vendor.chain}
    settings = sample.settings.model_copy(
        update={
            "listen": sample.settings.listen.model_copy(update=listen),
            "tls": sample.settings.tls.model_copy(update=tls),
        }
    )
    said: list[str] = []
    async with serving(replace(sample, settings=settings), said.append):
        urls = dict(line.split(": ", 1) for line in said if line.startswith("provisioning"))
        yield Secured(sample, urls, server.chain, vendor)


async def test_there_is_one_line_for_each_listener(secured: Secured):
    assert [url.partition(":")[0] for url in secured.urls.values()] == ["http", "https", "https", "https"]
    assert list(secured.urls) == [
        "provisioning",
        "provisioning-tls",
        "provisioning-certificates",
        "provisioning-legacy-tls",
    ]


async def test_a_phone_with_its_certificate_gets_its_own_file_without_window_or_token(secured: Secured):
    shown = secured.vendor.issue(T54W)
    code, output = await secured.fetch(f"{T54W}.cfg", shown)
    assert code == 0, output
    assert " 200 OK" in output
    assert "account.1.password = " in output


async def test_another_phones_file_is_closed_to_it_as_if_there_were_none(secured: Secured):
    shown = secured.vendor.issue(T54W)
    await claim(secured.installation, T46G)
    answers = [await secured.fetch(f"{mac}.cfg", shown) for mac in (VP530P, T46G, UNLISTED)]
    assert {code for code, _ in answers} == {0}
    assert len({_looks(output) for _, output in answers}) == 1
    assert " 404 Not Found" in answers[0][1]


async def test_after_a_release_the_certificate_opens_nothing_until_the_next_claim(secured: Secured):
    shown = secured.vendor.issue(T54W)
    await release(secured.installation, T54W)
    _, closed = await secured.fetch(f"{T54W}.cfg", shown)
    assert " 404 Not Found" in closed
    await claim(secured.installation, T54W)
    _, opened = await secured.fetch(f"{T54W}.cfg", shown)
    assert " 200 OK" in opened


async def test_the_vendors_generic_certificate_proves_nothing(secured: Secured):
    shown = secured.vendor.issue("Vendor Phone")
    _, own = await secured.fetch(f"{T54W}.cfg", shown)
    _, unlisted = await secured.fetch(f"{UNLISTED}.cfg", shown)
    assert " 404 Not Found" in own
    assert _looks(own) == _looks(unlisted)


async def test_certificates_that_nobody_vouches_for_are_turned_away_in_the_handshake(
    secured: Secured, tmp_path: Path
):
    stranger = Authority.make(tmp_path / "stranger").issue(T54W)
    over = secured.vendor.issue(T54W, days=-1)
    for shown in (None, stranger, over):
        code, output = await secured.fetch(f"{T54W}.cfg", shown)
        assert code != 0
        assert "HTTP/" not in output


@pytest.mark.usefixtures("old_client")
async def test_certificates_of_old_phones_are_good_enough(secured: Secured):
    old = Authority(secured.vendor.folder, "sha1").issue(T54W, key=OLD_KEY)
    code, output = await secured.fetch(f"{T54W}.cfg", old, "--tls-max", "1.2")
    assert code == 0, output
    assert "account.1.password = " in output


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
async def test_old_tls_is_spoken_at_its_own_listener_alone(secured: Secured, version: str):
    old = (version, "-cipher", "ALL:@SECLEVEL=0")
    assert "CONNECTION ESTABLISHED" in await secured.handshake("legacy-tls", *old)
    assert "CONNECTION ESTABLISHED" in await secured.handshake("legacy-tls", "-tls1_2")
    shown = secured.vendor.issue(T54W)
    for at in ("tls", "certificates"):
        assert "CONNECTION ESTABLISHED" not in await secured.handshake(at, *old, *shown.s_client)


@pytest.mark.usefixtures("old_client")
@pytest.mark.parametrize("version", ["1.0", "1.2"])
async def test_old_tls_counts_as_clear_text_whatever_a_phone_speaks_there(
    sample: Installation, tmp_path: Path, version: str
):
    chain, key = make_certificate(tmp_path, "server")
    settings = sample.settings.model_copy(
        update={
            "listen": sample.settings.listen.model_copy(
                update={"provisioning_tls": "127.0.0.1:0", "provisioning_legacy_tls": "127.0.0.1:0"}
            ),
            "tls": sample.settings.tls.model_copy(update={"certificate": chain, "private_key": key}),
            "security": sample.settings.security.model_copy(update={"clear_text_networks": ("10.0.0.0/8",)}),
        }
    )
    await claim(sample, T54W)
    said: list[str] = []
    async with serving(replace(sample, settings=settings), said.append):
        urls = dict(line.split(": ", 1) for line in said)
        curl = (program("curl"), "-sSi", "--cacert", str(chain))
        old = ("--tlsv1.0", "--tls-max", version)
        _, closed = await run(*curl, *old, f"{urls['provisioning-legacy-tls']}{T54W}.cfg")
        assert " 404 Not Found" in closed
        _, opened = await run(*curl, f"{urls['provisioning-tls']}{T54W}.cfg")
        assert " 200 OK" in opened


def test_a_changed_ca_is_taken_without_a_restart_and_the_old_one_is_forgotten(
    tmp_path: Path, vendor: Authority
):
    chain, key = make_certificate(tmp_path, "server")
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(vendor.chain.read_bytes())
    certificate = Certificate(chain, key, Speaks.CERTIFICATES, bundle)
    before = certificate.context
    other = Authority.make(tmp_path / "other")
    _replace(bundle, b"nonsense", 1)
    assert not certificate.reload_if_changed()
    assert certificate.context is before
    _replace(bundle, other.chain.read_bytes(), 2)
    assert certificate.reload_if_changed()
    (known,) = certificate.context.get_ca_certs(binary_form=True)
    assert known == Shown(other.chain, other.key).der


@pytest.mark.parametrize("name", ["provisioning_certificates", "provisioning_legacy_tls"])
async def test_a_listener_without_its_files_is_refused(sample: Installation, tmp_path: Path, name: str):
    settings = read_settings(None, provisioning="127.0.0.1:0", portal="127.0.0.1:0", **{name: "127.0.0.1:0"})
    with pytest.raises(BadValue, match="private_key"):
        async with serving(replace(sample, settings=settings), lambda _: None):
            pass
    chain, key = make_certificate(tmp_path, "server")
    settings = settings.model_copy(
        update={"tls": settings.tls.model_copy(update={"certificate": chain, "private_key": key})}
    )
    if name == "provisioning_certificates":
        with pytest.raises(BadValue, match="device_ca"):
            async with serving(replace(sample, settings=settings), lambda _: None):
                pass


@pytest.mark.parametrize(
    ("name", "alternative", "proven"),
    [
        (T54W, "", T54W),
        (T54W.upper(), "", T54W),
        ("24:9A:D8:00:00:54", "", T54W),
        ("24-9a-d8-00-00-54", "", T54W),
        ("Vendor Phone", f"DNS:{T54W}", T54W),
        ("", "URI:24-9A-D8-00-00-54", T54W),
        ("", f"otherName:1.2.3.4;UTF8:{T54W}", T54W),
        (T54W, f"DNS:{T54W},DNS:pbx.example.com", T54W),
        (T54W, f"DNS:{T46G}", None),
        ("Vendor Phone", "", None),
        ("", "", None),
        (f"{T54W}.vendor.example", "", None),
        (f"phone {T54W}", "", None),
        (T54W + "00", "", None),
        ("000000000000", "", None),
        ("ffffffffffff", "", None),
        ("Vendor Phone", f"DNS:{T54W}.vendor.example", None),
        ("", f"email:{T54W}@vendor.example", None),
        ("", "otherName:1.2.3.4;BOOL:TRUE", None),
    ],
)
def test_only_a_name_that_is_a_mac_from_end_to_end_proves_it(
    vendor: Authority, name: str, alternative: str, proven: str | None
):
    assert proven_mac(vendor.issue(name, alternative=alternative).der) == proven


def test_md5_and_keys_that_anybody_can_factor_prove_nothing(vendor: Authority):
    assert proven_mac(Authority(vendor.folder, "md5").issue(T54W).der) is None
    assert proven_mac(vendor.issue(T54W, key=("rsa:512",)).der) is None
    assert proven_mac(Authority(vendor.folder, "sha1").issue(T54W, key=OLD_KEY).der) == T54W


def test_what_is_no_certificate_proves_nothing():
    assert proven_mac(b"") is None
    assert proven_mac(b"0\x03\x02\x01\x01") is None


def _looks(output: str) -> str:
    """All that a stranger sees of an answer but the clock."""
    return "\n".join(line for line in output.splitlines() if not line.startswith("Date:"))


def _replace(file: Path, data: bytes, later_s: int) -> None:
    before = file.stat().st_mtime_ns
    file.write_bytes(data)
    os.utime(file, ns=(before, before + later_s * 10**9))
