"""Via: the way that a request came, and its response goes (RFC 3261 §18.2, §20.42; RFC 3581)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from sip.message import lexer
from sip.message.errors import BadHeader
from sip.message.parameters import NONE, Parameters
from sip.message.uri import HOST_PORT, checked_host, checked_port

_VIA = re.compile(
    rf"({lexer.WORD})[ \t]*+/[ \t]*+({lexer.WORD})[ \t]*+/[ \t]*+({lexer.WORD})"
    rf"[ \t]++{HOST_PORT}[ \t]*+(?:;(.*+))?",
    re.DOTALL,
)
_COOKIE = "z9hG4bK"


@dataclass(frozen=True, slots=True)
class Via:
    """One hop."""

    transport: str
    "As written: `UDP`, `TCP`, `TLS`, or one that nobody knows."
    host: str
    "Of sent-by: where the hop says that it is."
    port: int | None = None
    parameters: Parameters = NONE
    version: str = "2.0"

    @classmethod
    def parse(cls, text: str) -> Self:
        """One value. Raises `BadHeader` or `BadUri`."""
        match = _VIA.fullmatch(text)
        if match is None:
            raise BadHeader("", "a Via is a protocol, its version, a transport, a host and perhaps a port")
        protocol, version, transport, host, port, parameters = match.groups()
        if protocol != "SIP" and protocol.upper() != "SIP":
            raise BadHeader("", "a protocol other than SIP")
        return cls(
            transport,
            checked_host(host),
            None if port is None else checked_port(port),
            Parameters.of_header(parameters) if parameters else NONE,
            version,
        )

    @property
    def branch(self) -> str | None:
        """What names the transaction; None: by a peer of RFC 2543."""
        return self.parameters.get("branch")

    @property
    def is_branch_unique(self) -> bool:
        """Whether the branch alone names the transaction."""
        return self.unique_branch is not None

    @property
    def unique_branch(self) -> str | None:
        """The branch, if it alone names the transaction (§8.1.1.7, §17.2.3).

        The cookie with nothing after it names none (RFC 4475 §3.2.1).
        """
        branch = self.parameters.get("branch")
        return branch if branch is not None and branch[:7] == _COOKIE and len(branch) > 7 else None

    @property
    def received(self) -> str | None:
        """The address from which the request came; IPv6 may come with brackets or without (RFC 5118 §4.5)."""
        value = self.parameters.get("received")
        return None if value is None else value.strip("[]")

    @property
    def asks_rport(self) -> bool:
        """Whether the response is to go to the port that the request came from (RFC 3581 §4)."""
        return self.parameters.has("rport")

    @property
    def rport(self) -> int | None:
        """The port from which the request came. Raises `BadHeader`."""
        value = self.parameters.get("rport")
        return lexer.number(value, 65535) if value else None

    @property
    def maddr(self) -> str | None:
        """Where else responses are to go, by multicast mostly (§18.2.2)."""
        return self.parameters.get("maddr")

    def received_from(self, host: str, port: int) -> Self:
        """As a server keeps it (§18.2.1, RFC 3581 §4): from where it came, where that has to be said.

        It is the same object where that is not to be said, or is said already.
        """
        says_host = self.asks_rport or self.host.strip("[]").lower() != host.lower()
        noted: list[tuple[str, str | None]] = []
        has_received = False
        for each in self.parameters:
            name = each[0].lower()
            if name == "rport":
                each = (each[0], str(port))
            elif name == "received":
                # A stranger's word about itself is no word (§18.2.1).
                if not says_host:
                    continue
                each = (each[0], host)
                has_received = True
            noted.append(each)
        if says_host and not has_received:
            noted.append(("received", host))
        parameters = Parameters(noted)
        if parameters == self.parameters:
            return self
        return type(self)(self.transport, self.host, self.port, parameters, self.version)

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/{self.version}/{self.transport} {self.host}{port}{self.parameters}"
