"""URIs (RFC 3261 §19.1; tel: RFC 3966). Others are kept as they came."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from ipaddress import AddressValueError, IPv6Address
from typing import TypeAlias

from sip.message import limits
from sip.message.errors import BadUri
from sip.message.parameters import NONE, Parameters
from sip.message.remembered import remembered

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*+")
# Nothing in a URI may be a blank, a control character, or what puts a URI into a header.
_NONE = r'\x00-\x20\x7f<>"'
_NO_URI = re.compile(f"[{_NONE}]")
_HOST = r"\[[0-9A-Fa-f:.]++\]|[A-Za-z0-9._-]++"
# Where there is an @ there is a user.
_SIP_URI = re.compile(
    rf"([Ss][Ii][Pp][Ss]?+):(?:([^@:{_NONE}]++)(?::([^@{_NONE}]*+))?@|(?![^@]*+@))"
    rf"({_HOST})(?::([0-9]{{1,5}}+))?(?:;([^?{_NONE}]*+))?(?:\?([^{_NONE}]*+))?"
)
HOST_PORT = rf"({_HOST})(?:[ \t]*+:[ \t]*+([0-9]{{1,5}}+))?"
"As Via has them: see `checked_host`, `checked_port`."
_ESCAPE = re.compile(r"((?:%[0-9A-Fa-f]{2})+)")
_VISUAL_SEPARATORS = str.maketrans("", "", "-.()")

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()")
_IN_USER = _UNRESERVED | frozenset(b"&=+$,;?/")
"What a user part holds without an escape (§25.1)."

ALWAYS_COMPARED = frozenset({"user", "ttl", "method", "maddr", "transport"})
"Parameters that make two URIs differ where only one has them (§19.1.4)."


@dataclass(frozen=True, slots=True)
class SipUri:
    """A sip or sips URI. `==` compares what is written; `equivalent` what is meant."""

    host: str
    "A name, an IPv4 address, or an IPv6 reference with its brackets."
    user: str | None = None
    "With its escapes."
    password: str | None = None
    "With its escapes; deprecated (§19.1.1)."
    port: int | None = None
    scheme: str = "sip"
    "`sip` or `sips`."
    parameters: Parameters = NONE
    "Values with their escapes."
    headers: tuple[tuple[str, str], ...] = ()
    "What a request made from this URI is to hold; names and values with their escapes."

    @property
    def is_secure(self) -> bool:
        """Whether every hop is to be TLS (§26.2.2)."""
        return self.scheme == "sips"

    @property
    def is_loose_router(self) -> bool:
        """Whether the proxy there keeps the Request-URI (§16.12)."""
        return self.parameters.has("lr")

    @property
    def transport(self) -> str | None:
        """The transport parameter, lower case."""
        value = self.parameters.get("transport")
        return None if value is None else value.lower()

    def address_of_record(self) -> SipUri:
        """The canonical form of §10.3 step 5: no parameters, nothing escaped that needn't be.

        Two URIs name the same AOR if these are equal.
        """
        user = self.user
        if user is not None and not (user.isascii() and user.isalnum()):
            user = _escaped(_unescaped(user), _IN_USER)
        return SipUri(canonical_host(self.host), user, port=self.port, scheme=self.scheme)

    def without_headers(self) -> SipUri:
        """As a Request-URI has it (§19.1.1, table 1)."""
        return replace(self, headers=()) if self.headers else self

    def __str__(self) -> str:
        password = "" if self.password is None else f":{self.password}"
        user = "" if self.user is None else f"{self.user}{password}@"
        port = "" if self.port is None else f":{self.port}"
        headers = "?" + "&".join(f"{name}={value}" for name, value in self.headers) if self.headers else ""
        return f"{self.scheme}:{user}{self.host}{port}{self.parameters}{headers}"


@dataclass(frozen=True, slots=True)
class TelUri:
    """A telephone number (RFC 3966)."""

    number: str
    "As written, visual separators included; global if it begins with `+`."
    parameters: Parameters = NONE

    scheme = "tel"

    @property
    def digits(self) -> str:
        """The number without visual separators."""
        return self.number.translate(_VISUAL_SEPARATORS)

    def __str__(self) -> str:
        return f"tel:{self.number}{self.parameters}"


@dataclass(frozen=True, slots=True)
class OtherUri:
    """A URI of a scheme that is not spoken here."""

    scheme: str
    "As written."
    rest: str
    "What follows the colon."

    def __str__(self) -> str:
        return f"{self.scheme}:{self.rest}"


Uri: TypeAlias = SipUri | TelUri | OtherUri


@remembered
def parse_uri(text: str) -> Uri:
    """A URI of any scheme. Raises `BadUri`."""
    match = _SIP_URI.fullmatch(text)
    if match is None:
        return _of_another_scheme(text)
    # Semicolons and question marks before the @ belong to the user (RFC 4475 §3.1.1.9).
    scheme, user, password, host, port, parameters, headers = match.groups()
    return SipUri(
        checked_host(host),
        user,
        password,
        None if port is None else checked_port(port),
        scheme.lower(),
        _parameters(parameters) if parameters else NONE,
        _headers(headers) if headers else (),
    )


def _of_another_scheme(text: str) -> Uri:
    scheme, colon, rest = text.partition(":")
    if not colon or not rest or _SCHEME.fullmatch(scheme) is None:
        raise BadUri("a URI begins with a scheme and a colon")
    if _NO_URI.search(rest) is not None:
        raise BadUri("a URI holds no blanks, quotes or brackets; they are escaped")
    match scheme.lower():
        case "sip" | "sips":
            raise BadUri("a host, or a user before an @, is missing or has characters that it can't have")
        case "tel":
            number, _, parameters = rest.partition(";")
            if not number:
                raise BadUri("a tel URI without a number")
            return TelUri(number, _parameters(parameters) if parameters else NONE)
        case _:
            return OtherUri(scheme, rest)


def _parameters(text: str) -> Parameters:
    if text.count(";") >= limits.PARAMETERS:
        raise BadUri(f"more than {limits.PARAMETERS} parameters")
    return Parameters.of_uri(text)


def _headers(text: str) -> tuple[tuple[str, str], ...]:
    pairs = (each.partition("=") for each in text.split("&"))
    return tuple((name, value) for name, _, value in pairs if name)


def checked_host(host: str) -> str:
    """What a host's pattern has matched, if it is one. Raises `BadUri`."""
    if host[0] == "[":
        try:
            IPv6Address(host[1:-1])
        except AddressValueError as error:
            raise BadUri(f"no IPv6 address: {error}") from None
    return host


def checked_port(digits: str) -> int:
    """The port. Raises `BadUri`."""
    port = int(digits)
    if port > 65535:
        raise BadUri("a port is at most 65535")
    return port


def canonical_host(host: str) -> str:
    """One spelling for every spelling of a host."""
    if host[0] == "[":
        return f"[{IPv6Address(host[1:-1]).compressed}]"
    return host.lower()


def equivalent(one: Uri, other: Uri) -> bool:
    """Whether two URIs mean the same (§19.1.4, RFC 3966 §5). Not transitive, hence not `==`."""
    if isinstance(one, SipUri) and isinstance(other, SipUri):
        return (
            one.scheme == other.scheme
            and canonical_host(one.host) == canonical_host(other.host)
            and one.port == other.port
            and _canonical(one.user) == _canonical(other.user)
            and _canonical(one.password) == _canonical(other.password)
            and _parameters_match(one.parameters, other.parameters, ALWAYS_COMPARED)
            and _canonical_headers(one) == _canonical_headers(other)
        )
    if isinstance(one, TelUri) and isinstance(other, TelUri):
        names = {name.lower() for name, _ in (*one.parameters, *other.parameters)}
        return one.digits.lower() == other.digits.lower() and _parameters_match(
            one.parameters, other.parameters, names
        )
    if isinstance(one, OtherUri) and isinstance(other, OtherUri):
        return one.scheme.lower() == other.scheme.lower() and one.rest == other.rest
    return False


def _parameters_match(one: Parameters, other: Parameters, always: frozenset[str] | set[str]) -> bool:
    first, second = _by_name(one), _by_name(other)
    if any((name in first) != (name in second) for name in always):
        return False
    return all(first[name] == second[name] for name in first.keys() & second.keys())


def _by_name(parameters: Parameters) -> dict[str, str | None]:
    return {
        canonical_escapes(name).lower(): None if value is None else canonical_escapes(value).lower()
        for name, value in reversed(parameters)
    }


def _canonical_headers(uri: SipUri) -> list[tuple[str, str]]:
    return sorted((canonical_escapes(name).lower(), canonical_escapes(value)) for name, value in uri.headers)


def _canonical(text: str | None) -> str | None:
    return None if text is None else canonical_escapes(text)


def canonical_escapes(text: str) -> str:
    """Escaped only what has to be: reserved characters mean something else when escaped (§19.1.4)."""
    if "%" not in text:
        return text
    return _ESCAPE.sub(lambda match: _escaped(bytes.fromhex(match[0].replace("%", "")), _UNRESERVED), text)


def unescape(text: str) -> str:
    """What is said when the escapes are read, once (RFC 4475 §3.1.1.3)."""
    if "%" not in text:
        return text
    return _unescaped(text).decode("utf-8", "surrogateescape")


def escape_user(text: str) -> str:
    """`text` as the user part of a URI holds it."""
    return _escaped(text.encode("utf-8", "surrogateescape"), _IN_USER)


def _unescaped(text: str) -> bytes:
    parts = _ESCAPE.split(text)
    return b"".join(
        bytes.fromhex(part.replace("%", "")) if i % 2 else part.encode("utf-8", "surrogateescape")
        for i, part in enumerate(parts)
    )


def _escaped(data: bytes, plain: frozenset[int]) -> str:
    return "".join(chr(byte) if byte in plain else f"%{byte:02X}" for byte in data)
