"""Requests as text: what RFC 3261 says of them and pyVoIP leaves out, without a parser of ours.

The test phones are a witness of their own: nothing here is taken from the rest of `sip`.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sip.testcall.observed import Display

COMPACT = {
    "c": "content-type", "e": "content-encoding", "f": "from", "i": "call-id", "k": "supported",
    "l": "content-length", "m": "contact", "s": "subject", "t": "to", "v": "via",
}  # fmt: skip
"Short names of headers (RFC 3261 §7.3.3)."

_QUOTED = re.compile(r'\s*"((?:[^"\\]|\\.)*)"')
_DISPLAYS = {
    "from": "From",
    "p-asserted-identity": "P-Asserted-Identity",
    "remote-party-id": "Remote-Party-ID",
}


def headers(text: str) -> list[tuple[str, str]]:
    """Each header of a message: its name in lower case and in full, and its value."""
    lines = text.partition("\r\n\r\n")[0].split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines if ":" in line)
    names = ((name.strip().lower(), value.strip()) for name, _, value in pairs)
    return [(COMPACT.get(name, name), value) for name, value in names]


def values(text: str, name: str) -> list[str]:
    """All values of a header, as they are written."""
    return [value for found, value in headers(text) if found == name.lower()]


def displays(invite: str) -> tuple[Display, ...]:
    """Who calls, by each header that a phone may show."""
    return tuple(
        Display(_DISPLAYS[name], user_of(value), name_of(value))
        for name, value in headers(invite)
        if name in _DISPLAYS
    )


def uri_of(address: str) -> str:
    """The URI of a name-addr or addr-spec (RFC 3261 §20.10)."""
    quoted = _QUOTED.match(address)
    rest = address[quoted.end() :] if quoted else address
    found = re.search(r"<([^<>]*)>", rest)
    return found.group(1) if found else rest.partition(";")[0].strip()


def name_of(address: str) -> str:
    """The display name of a name-addr, without its quotes; empty: it has none."""
    if quoted := _QUOTED.match(address):
        return re.sub(r"\\(.)", r"\1", quoted.group(1))
    name, bracket, _ = address.partition("<")
    return name.strip() if bracket else ""


def user_of(address: str) -> str:
    """The user part of the URI of an address; empty: it has none."""
    user, at, _ = uri_of(address).rpartition("@")
    return user.partition(":")[2] if at else ""


def _routes(text: str) -> tuple[str, ...]:
    """All Record-Routes of a message, in its order."""
    written = ",".join(values(text, "Record-Route"))
    return tuple(route.strip() for route in re.findall(r"<[^<>]*>[^,]*", written))


def via_of(text: str) -> str:
    """The topmost Via."""
    return values(text, "Via")[0].partition(",")[0]


def branch_of(text: str) -> str:
    """What tells a transaction from others (RFC 3261 §17.1.3)."""
    found = re.search(r";\s*branch=([^;,\s]*)", via_of(text))
    return found.group(1) if found else ""


def new_branch(via: str) -> str:
    """The same Via for another transaction."""
    return re.sub(r"branch=[^;,\s]*", f"branch=z9hG4bK{secrets.token_hex(12)}", via, count=1)


@dataclass(frozen=True, slots=True)
class Dialog:
    """What a request within a dialog repeats (RFC 3261 §12)."""

    call_id: str
    target: str
    "The Contact of the other side."
    routes: tuple[str, ...]
    "In the order of a request of ours."
    local: str
    "Our From, with its tag."
    remote: str
    "Our To, with its tag."

    @classmethod
    def of_caller(cls, answer: str) -> Dialog:
        """Of who has asked, by a response to INVITE (RFC 3261 §12.1.2)."""
        (local,), (remote,) = values(answer, "From"), values(answer, "To")
        return cls._of(answer, _routes(answer)[::-1], local, remote)

    @classmethod
    def of_callee(cls, invite: str, tag: str) -> Dialog:
        """Of who has answered, with `tag`, by the INVITE (RFC 3261 §12.1.1)."""
        (remote,), (local,) = values(invite, "From"), values(invite, "To")
        return cls._of(invite, _routes(invite), f"{local};tag={tag}", remote)

    @classmethod
    def _of(cls, text: str, routes: tuple[str, ...], local: str, remote: str) -> Dialog:
        (contact,), (call_id,) = values(text, "Contact"), values(text, "Call-ID")
        return cls(call_id, uri_of(contact), routes, local, remote)

    def request(self, method: str, cseq: int, via: str) -> str:
        """A request without a body."""
        return "\r\n".join(
            (
                f"{method} {self.target} SIP/2.0",
                f"Via: {via}",
                *(f"Route: {route}" for route in self.routes),
                "Max-Forwards: 70",
                f"From: {self.local}",
                f"To: {self.remote}",
                f"Call-ID: {self.call_id}",
                f"CSeq: {cseq} {method}",
                "Content-Length: 0\r\n\r\n",
            )
        )


def with_credentials(
    request: str, status: int, challenge: Mapping[str, str], user: str, password: str
) -> str:
    """The same request once more, as a new transaction (RFC 3261 §22.2): a new branch, and the next CSeq."""
    head, _, body = request.partition("\r\n\r\n")
    method, uri, _ = head.split(" ", 2)
    via = via_of(request)
    head = head.replace(via, new_branch(via), 1)
    head = re.sub(r"(?m)^CSeq: (\d+)", lambda cseq: f"CSeq: {int(cseq.group(1)) + 1}", head, count=1)
    header = "Proxy-Authorization" if status == 407 else "Authorization"
    return f"{head}\r\n{header}: Digest {_credentials(challenge, user, password, method, uri)}\r\n\r\n{body}"


_KEPT = {
    "via": "Via",
    "route": "Route",
    "max-forwards": "Max-Forwards",
    "from": "From",
    "call-id": "Call-ID",
}
"Of a request, by what belongs to the same transaction."
_COPIED = {
    "via": "Via",
    "record-route": "Record-Route",
    "from": "From",
    "call-id": "Call-ID",
    "cseq": "CSeq",
}
"Of a request, by its response."


def of_same_transaction(method: str, request: str, to: str) -> str:
    """The ACK of a refusal of `request` (RFC 3261 §17.1.1.3), or its CANCEL (§9.1); `to` as it is to say."""
    _, uri, _ = request.split(" ", 2)
    (cseq,) = values(request, "CSeq")
    return "\r\n".join(
        (
            f"{method} {uri} SIP/2.0",
            *(f"{_KEPT[name]}: {value}" for name, value in headers(request) if name in _KEPT),
            f"To: {to}",
            f"CSeq: {cseq.split()[0]} {method}",
            "Content-Length: 0\r\n\r\n",
        )
    )


def response(request: str, status: str, tag: str, more: Iterable[str] = ()) -> str:
    """A response without a body to a request (RFC 3261 §8.2.6); its To gets `tag`, unless it has one."""
    (to,) = values(request, "To")
    return "\r\n".join(
        (
            f"SIP/2.0 {status}",
            *(f"{_COPIED[name]}: {value}" for name, value in headers(request) if name in _COPIED),
            f"To: {to}" if ";tag=" in to else f"To: {to};tag={tag}",
            *more,
            "Content-Length: 0\r\n\r\n",
        )
    )


def _credentials(challenge: Mapping[str, str], user: str, password: str, method: str, uri: str) -> str:
    """An answer to a challenge by MD5, the first one to its nonce (RFC 7616 §3.4)."""
    realm, nonce = challenge["realm"], challenge["nonce"]
    ha1, ha2 = _md5(f"{user}:{realm}:{password}"), _md5(f"{method}:{uri}")
    said = f'username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", algorithm=MD5'
    if "opaque" in challenge:
        said += f', opaque="{challenge["opaque"]}"'
    if "auth" not in re.split(r"[\s,]+", challenge.get("qop", "")):
        return f'{said}, response="{_md5(f"{ha1}:{nonce}:{ha2}")}"'
    cnonce = secrets.token_hex(8)
    response = _md5(f"{ha1}:{nonce}:00000001:{cnonce}:auth:{ha2}")
    return f'{said}, qop=auth, nc=00000001, cnonce="{cnonce}", response="{response}"'


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
