"""Via: the way that a request came, and its response goes (RFC 3261 §18.2, §20.42; RFC 3581)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from sip.message import lexer
from sip.message.errors import BadHeader
from sip.message.parameters import NONE, Parameters
from sip.message.uri import parse_host_port

_SENT = re.compile(
    rf"({lexer.WORD})[ \t]*+/[ \t]*+({lexer.WORD})[ \t]*+/[ \t]*+({lexer.WORD})"
    r"[ \t]++([^;]++)(?:;(.*+))?+",
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
        match = _SENT.fullmatch(text)
        if match is None:
            raise BadHeader("", "a Via is a protocol, its version, a transport and a host")
        protocol, version, transport, sent_by, parameters = match.groups()
        if protocol.upper() != "SIP":
            raise BadHeader("", "a protocol other than SIP")
        host, port = parse_host_port(sent_by.strip(lexer.BLANKS))
        return cls(transport, host, port, Parameters.of_header(parameters) if parameters else NONE, version)

    @property
    def branch(self) -> str | None:
        """What names the transaction; None: by a peer of RFC 2543."""
        return self.parameters.get("branch")

    @property
    def is_branch_unique(self) -> bool:
        """Whether the branch alone names the transaction (§8.1.1.7, §17.2.3).

        The cookie with nothing after it names none (RFC 4475 §3.2.1).
        """
        branch = self.branch
        return branch is not None and branch[:7] == _COOKIE and len(branch) > 7

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
        """As a server keeps it (§18.2.1, RFC 3581 §4): from where it came, where that has to be said."""
        parameters = {name.lower() for name, _ in self.parameters}
        asks_rport = "rport" in parameters
        # A stranger's word about itself is no word (§18.2.1).
        says_host = asks_rport or self.host.strip("[]").lower() != host.lower()
        noted: list[tuple[str, str | None]] = []
        for each in self.parameters:
            name = each[0].lower()
            if name == "rport":
                each = (each[0], str(port))
            elif name == "received":
                each = (each[0], host)
                if not says_host:
                    continue
            noted.append(each)
        if says_host and "received" not in parameters:
            noted.append(("received", host))
        return type(self)(self.transport, self.host, self.port, Parameters(noted), self.version)

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/{self.version}/{self.transport} {self.host}{port}{self.parameters}"
