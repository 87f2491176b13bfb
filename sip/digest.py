"""What clients and servers say to each other in Digest authentication (RFC 7616, RFC 3261 §22, RFC 8760).

For HTTP and SIP alike: MD5 and SHA-256, qop `auth` or none (RFC 2069). What a password is compared by is HA1,
so that a caller may keep that instead. Not here: the -sess algorithms, `auth-int` and `userhash`; they are
never offered, and refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from sip.auth_header import AuthValue, parse_auth, quoted
from sip.errors import BadAuthHeader

_COUNT = re.compile("[0-9A-Fa-f]{1,8}")


class Algorithm(StrEnum):
    """What hashes."""

    MD5 = "MD5"
    SHA256 = "SHA-256"

    def hash(self, *parts: str) -> str:
        """The parts joined by colons, hashed; lower-case hex."""
        # A header's bytes that are no UTF-8 come as surrogates, and are hashed as they came.
        data = ":".join(parts).encode("utf-8", "surrogateescape")
        if self is Algorithm.MD5:
            return hashlib.md5(data, usedforsecurity=False).hexdigest()
        return hashlib.sha256(data).hexdigest()


_ALGORITHMS = {algorithm.lower(): algorithm for algorithm in Algorithm}

STRONGEST_FIRST = (Algorithm.SHA256, Algorithm.MD5)
"The order that RFC 7616 §3.7 and RFC 8760 §2.4 ask for: a client takes the first that it knows."


def ha1(algorithm: Algorithm, username: str, realm: str, password: str) -> str:
    """What stands for the password in every response: as good as the password within its realm."""
    return algorithm.hash(username, realm, password)


@dataclass(frozen=True, slots=True)
class Count:
    """What a client of qop `auth` adds to a response."""

    nc: str
    "How many requests it has sent with the nonce, this one included: hex digits, hashed as written."
    cnonce: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """An Authorization header."""

    username: str
    realm: str
    nonce: str
    uri: str
    "Whether it is the request's own is for the caller to say (`sip.digest_uri` for SIP)."
    response: str
    algorithm: Algorithm = Algorithm.MD5
    count: Count | None = None
    "None: without qop, as RFC 2069 has it."
    opaque: str | None = None

    @property
    def use(self) -> int:
        """Which use of the nonce this claims to be; without qop there is but one."""
        return int(self.count.nc, 16) if self.count else 1

    def expected(self, key: str, method: str) -> str:
        """The response of whoever has `key`, an HA1 (RFC 7616 §3.4.1)."""
        ha2 = self.algorithm.hash(method, self.uri)
        if self.count is None:
            return self.algorithm.hash(key, self.nonce, ha2)
        return self.algorithm.hash(key, self.nonce, self.count.nc, self.count.cnonce, "auth", ha2)

    def __str__(self) -> str:
        """The header's value."""
        parts = [
            f"username={quoted(self.username)}",
            f"realm={quoted(self.realm)}",
            f"nonce={quoted(self.nonce)}",
            f"uri={quoted(self.uri)}",
            f"response={quoted(self.response)}",
            f"algorithm={self.algorithm}",
        ]
        if self.count is not None:
            parts += ["qop=auth", f"nc={self.count.nc}", f"cnonce={quoted(self.count.cnonce)}"]
        if self.opaque is not None:
            parts.append(f"opaque={quoted(self.opaque)}")
        return "Digest " + ", ".join(parts)


def parse_credentials(text: str) -> Credentials:
    """An Authorization header's value. Quotes where none belong, or none where they do, are no matter.

    Raises `BadAuthHeader` for another scheme, for what is missing, and for what isn't done here.
    """
    values = parse_auth(text)
    if len(values) != 1 or values[0].scheme != "digest":
        raise BadAuthHeader("not the credentials of Digest")
    said = values[0].parameters
    try:
        username, realm, nonce = said["username"], said["realm"], said["nonce"]
        uri, response = said["uri"], said["response"]
    except KeyError as missing:
        raise BadAuthHeader(f"the credentials lack {missing}") from None
    algorithm = _ALGORITHMS.get(said.get("algorithm", "MD5").lower())
    if algorithm is None:
        raise BadAuthHeader("the credentials are of an algorithm that was not offered")
    if said.get("userhash", "false").lower() != "false":
        raise BadAuthHeader("the user's name is hashed, which was not offered")
    return Credentials(
        username, realm, nonce, uri, response.lower(), algorithm, _count(said), said.get("opaque")
    )


def _count(said: Mapping[str, str]) -> Count | None:
    qop = said.get("qop")
    if qop is None:
        return None
    if qop.lower() != "auth":
        raise BadAuthHeader("the credentials are of a qop that was not offered")
    nc, cnonce = said.get("nc", ""), said.get("cnonce")
    if cnonce is None or _COUNT.fullmatch(nc) is None:
        raise BadAuthHeader("with qop there have to be nc, of hex digits, and cnonce (RFC 7616 §3.4)")
    return Count(nc, cnonce)


@dataclass(frozen=True, slots=True)
class Challenge:
    """A WWW-Authenticate header."""

    realm: str
    nonce: str
    algorithm: Algorithm = Algorithm.MD5
    has_qop: bool = True
    "False: of RFC 2069, by servers older than qop."
    stale: bool = False
    "The password was right, the nonce was not: try again without asking anybody."
    opaque: str | None = None
    "To be sent back."

    def __str__(self) -> str:
        """The header's value."""
        parts = [f"realm={quoted(self.realm)}", f"nonce={quoted(self.nonce)}", f"algorithm={self.algorithm}"]
        if self.has_qop:
            parts.append('qop="auth"')
        if self.stale:
            parts.append("stale=true")
        if self.opaque is not None:
            parts.append(f"opaque={quoted(self.opaque)}")
        return "Digest " + ", ".join(parts)

    def answered(
        self, username: str, key: str, method: str, uri: str, *, cnonce: str, count: int = 1
    ) -> Credentials:
        """What a client sends that has `key`, the HA1 of `algorithm`; `count` is its uses of the nonce."""
        credentials = Credentials(
            username=username,
            realm=self.realm,
            nonce=self.nonce,
            uri=uri,
            response="",
            algorithm=self.algorithm,
            count=Count(f"{count:08x}", cnonce) if self.has_qop else None,
            opaque=self.opaque,
        )
        return replace(credentials, response=credentials.expected(key, method))


def parse_challenges(lines: Iterable[str]) -> tuple[Challenge, ...]:
    """The challenges that can be answered here, in the order of the header lines; others are passed over."""
    found = []
    for line in lines:
        try:
            values = parse_auth(line)
        except BadAuthHeader:
            continue
        found += [challenge for value in values if (challenge := _challenge(value)) is not None]
    return tuple(found)


def _challenge(value: AuthValue) -> Challenge | None:
    said = value.parameters
    algorithm = _ALGORITHMS.get(said.get("algorithm", "MD5").lower())
    qops = [each.strip().lower() for each in said.get("qop", "").split(",") if each.strip()]
    is_digest = value.scheme == "digest" and "realm" in said and "nonce" in said
    if not is_digest or algorithm is None or (qops and "auth" not in qops):
        return None
    return Challenge(
        said["realm"],
        said["nonce"],
        algorithm,
        has_qop=bool(qops),
        stale=said.get("stale", "").lower() == "true",
        opaque=said.get("opaque"),
    )
