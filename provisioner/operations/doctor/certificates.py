"""The certificate that the TLS listeners show, and those who issue the phones' own."""

from __future__ import annotations

import ssl
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import NameOID

from provisioner.operations.doctor.check import Check, failure, ok, warning
from provisioner.operations.doctor.listeners import over_tls
from provisioner.settings import Settings

_SOON = timedelta(days=21)
_SOON_FOR_ISSUERS = timedelta(days=90)
"New ones come from the vendor, which takes its time."


def check_certificate(settings: Settings, now: datetime) -> Iterator[Check]:
    """The certificate of the TLS listeners, where there are any."""
    tls = settings.tls
    listeners = over_tls(settings)
    if not listeners:
        yield ok("certificate", "no TLS listener is configured, so none is needed")
        return
    if tls.certificate is None or tls.private_key is None:
        yield failure(
            "certificate",
            f"there are TLS listeners ({', '.join(listeners)}), and no certificate is set",
            "set [tls] certificate and private_key",
        )
        return
    try:
        chain = x509.load_pem_x509_certificates(tls.certificate.read_bytes())
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls.certificate, tls.private_key)
        mode = stat.S_IMODE(tls.private_key.stat().st_mode)
    except (OSError, ValueError) as error:
        yield failure(
            "certificate",
            f"{tls.certificate} with {tls.private_key} can't be used: {error}",
            "give a PEM chain and the key that belongs to it, without a pass phrase, readable by this user",
        )
        return
    if mode & 0o077:
        yield warning(
            "certificate", f"other users may open {tls.private_key}", f"chmod go= {tls.private_key}"
        )
    yield _validity(f"{tls.certificate}", chain, now)
    if settings.listen.provisioning_legacy_tls and not isinstance(chain[0].public_key(), RSAPublicKey):
        yield warning(
            "legacy-tls",
            f"{tls.certificate} has no RSA key, and phones of TLS 1.0 know nothing else",
            "get a certificate for an RSA key",
        )


def check_certificate_names(settings: Settings, provisioning_url: str) -> Iterator[Check]:
    """Whether the certificate is that of the host in the URL which phones are told."""
    url = urlsplit(provisioning_url)
    file = settings.tls.certificate
    if url.scheme != "https" or url.hostname is None or file is None or not over_tls(settings):
        return
    try:
        names = _names(x509.load_pem_x509_certificates(file.read_bytes())[0])
    except (OSError, ValueError):
        return  # said of the certificate itself
    if any(_fits(url.hostname, name) for name in names):
        yield ok("certificate-name", f"{file} is for {url.hostname}")
    else:
        yield warning(
            "certificate-name",
            f"phones are told {provisioning_url}, and {file} is for {', '.join(names) or 'no name'}",
            f"get a certificate for {url.hostname}, or tell phones a name that it is for: those that compare"
            " names refuse to connect",
        )


def check_device_ca(settings: Settings, now: datetime) -> Iterator[Check]:
    """Who issues the phones' own certificates, where they are asked for them."""
    if settings.listen.provisioning_certificates is None:
        return
    file = settings.tls.device_ca
    if file is None:
        yield failure(
            "device-ca",
            "[listen] provisioning_certificates is set, and nobody is who issues phones' certificates",
            "set [tls] device_ca to the vendor's CA certificates",
        )
        return
    try:
        issuers = x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as error:
        yield failure("device-ca", f"{file} can't be used: {error}", "give the vendor's CA certificates, PEM")
        return
    over = [each for each in issuers if each.not_valid_after_utc <= now]
    ending = [each for each in issuers if now < each.not_valid_after_utc <= now + _SOON_FOR_ISSUERS]
    of_all = f"of {len(issuers)} certificates in {file}"
    newer = "ask the vendor for newer ones"
    if len(over) == len(issuers):
        yield failure("device-ca", f"all {of_all} have ended: no phone can connect with its own", newer)
    elif over:
        named = ", ".join(each.subject.rfc4514_string() for each in over)
        yield warning(
            "device-ca", f"{len(over)} {of_all} have ended ({named}): their phones can't connect", newer
        )
    if ending:
        first = min(each.not_valid_after_utc for each in ending)
        yield warning("device-ca", f"{len(ending)} {of_all} end soon, the first on {first:%Y-%m-%d}", newer)
    if not over and not ending:
        yield ok("device-ca", f"{file} has {len(issuers)} issuers of phones' certificates")


def _validity(file: str, chain: list[x509.Certificate], now: datetime) -> Check:
    """Of the whole chain: a phone needs every certificate up to the root that it knows."""
    first = min(chain, key=lambda each: each.not_valid_after_utc)
    called = file if first is chain[0] else f"an issuer's certificate in {file}"
    begins, ends = max(each.not_valid_before_utc for each in chain), first.not_valid_after_utc
    if now < begins:
        return failure(
            "certificate", f"{file} is not valid before {begins:%Y-%m-%d %H:%M} UTC", "check the clock"
        )
    if now >= ends:
        return failure(
            "certificate",
            f"{called} ended on {ends:%Y-%m-%d}: phones refuse it",
            "renew it: the server takes the new one without a restart",
        )
    if ends - now < _SOON:
        return warning("certificate", f"{called} ends on {ends:%Y-%m-%d}", "renew it")
    return ok("certificate", f"{file} is good until {ends:%Y-%m-%d}")


def _names(certificate: x509.Certificate) -> list[str]:
    """The hosts that it is for; the common name counts where there is no other (RFC 6125 §6.4.4)."""
    try:
        said = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    hosts = said.get_values_for_type(x509.DNSName)
    return [*hosts, *map(str, said.get_values_for_type(x509.IPAddress))]


def _fits(host: str, name: str) -> bool:
    """Whether a name of a certificate is the host's; a star is one label, the first (RFC 6125 §6.4.3)."""
    try:
        return ip_address(host) == ip_address(name)
    except ValueError:
        pass
    host, name = host.lower().rstrip("."), name.lower().rstrip(".")
    if name.startswith("*."):
        return host.partition(".")[2] == name[2:]
    return host == name
