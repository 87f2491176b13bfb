"""What a phone's own certificate proves: its MAC, or nothing."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, rsa
from cryptography.hazmat.primitives.hashes import MD5
from cryptography.x509.oid import NameOID

from provisioner.centrex.errors import BadValue
from provisioner.centrex.mac import MacAddress

_SHORTEST_RSA_BITS = 1024
_STRING_TAGS = (0x0C, 0x13, 0x16)
"UTF8String, PrintableString, IA5String (X.690 §8.1, X.680 §8)."


def proven_mac(der: bytes) -> str | None:
    """The MAC (twelve lower-case hex digits) that is a certificate's common name or alternative name.

    TLS has proven that the phone has the key, and that one of the configured issuers says so. A name proves
    a MAC only where all of it is one, in any usual spelling; the vendor's generic certificate is called
    otherwise. Two different MACs prove none.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        if not _can_prove(certificate):
            return None
        macs = {mac for name in _names(certificate) if (mac := _mac(name)) is not None}
    except (
        ValueError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    ):
        return None
    return macs.pop() if len(macs) == 1 else None


def _can_prove(certificate: x509.Certificate) -> bool:
    """MD5 proves nothing, nor do keys that anybody can factor.

    SHA-1 does, as long as strangers don't choose what the vendor signs.
    """
    key = certificate.public_key()
    if isinstance(key, dsa.DSAPublicKey) or isinstance(certificate.signature_hash_algorithm, MD5):
        return False
    return not isinstance(key, rsa.RSAPublicKey) or key.key_size >= _SHORTEST_RSA_BITS


def _names(certificate: x509.Certificate) -> list[str]:
    names = [str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    try:
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return names
    for name in alternative:
        match name:
            case x509.DNSName() | x509.UniformResourceIdentifier() | x509.RFC822Name():
                names.append(name.value)
            case x509.OtherName():
                names.append(_string(name.value))
    return names


def _string(der: bytes) -> str:
    """The text of a DER string, empty where it is something else."""
    if len(der) < 2 or der[0] not in _STRING_TAGS or der[1] != len(der) - 2:
        return ""
    return der[2:].decode("utf-8", "replace")


def _mac(name: str) -> str | None:
    try:
        return MacAddress.parse(name).hex
    except BadValue:
        return None
