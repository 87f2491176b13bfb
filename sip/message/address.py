"""name-addr and addr-spec with parameters: From, To, Contact, Route and their like (RFC 3261 §20, §25.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Self

from sip.message import lexer
from sip.message.errors import BadHeader
from sip.message.parameters import NONE, Parameters
from sip.message.uri import Uri, parse_uri

_QVALUE = re.compile(r"(?:0(?:\.[0-9]{0,3}+)?|1(?:\.0{0,3}+)?)")
_DEFAULT_EXPIRES_S = 3600
_NAME_ADDR = re.compile(
    rf'(?:({lexer.QUOTED})[ \t]*+|([^"<;]*+))<([^>]*+)>[ \t]*+(?:;(.*+))?', re.DOTALL
)


@dataclass(frozen=True, slots=True)
class NameAddress:
    """A URI, perhaps with a name to show, and the header's parameters. Written with `<>`, always."""

    uri: Uri
    display_name: str | None = None
    "Without quotes."
    parameters: Parameters = field(default=NONE)
    "Of the header, not of the URI."

    @classmethod
    def parse(cls, text: str) -> Self:
        """One value. Raises `BadHeader` or `BadUri`.

        Without `<>` what follows the first semicolon is the header's, and a URI with headers or commas
        can't be told from what follows it (§20): refused (RFC 4475 §3.1.2.13).
        """
        match = _NAME_ADDR.fullmatch(text)
        if match is None:
            if "<" in text or '"' in text[:1]:
                raise BadHeader("", "an address in <> stands after a name, quoted if need be, or parameters")
            spec, _, parameters = text.partition(";")
            spec = spec.strip(lexer.BLANKS)
            if "?" in spec or "," in spec:
                raise BadHeader("", "a URI with a question mark or comma stands in <>")
            return cls(parse_uri(spec), None, _parameters(parameters))
        quoted, unquoted, spec, parameters = match.groups()
        # Dots and commas belong in quotes; without, it still reads in one way only (RFC 4475 §3.1.2.15).
        name = (unquoted.strip(lexer.BLANKS) or None) if quoted is None else lexer.unquoted(quoted)
        uri = parse_uri(spec.strip(lexer.BLANKS))
        return cls(uri, name, NONE if parameters is None else Parameters.of_header(parameters))

    @property
    def tag(self) -> str | None:
        """What says which side of which dialog (§19.3)."""
        return self.parameters.get("tag")

    def with_tag(self, tag: str) -> Self:
        """The same with this tag."""
        return type(self)(self.uri, self.display_name, self.parameters.with_("tag", tag))

    def __str__(self) -> str:
        name = "" if self.display_name is None else f"{lexer.quoted(self.display_name)} "
        return f"{name}<{self.uri}>{self.parameters}"


@dataclass(frozen=True, slots=True)
class Contact(NameAddress):
    """Where a peer is (§20.10); in a REGISTER, a binding (§10.2)."""

    @property
    def expires_s(self) -> int | None:
        """What is asked or granted for this Contact alone. What is malformed counts as 3600 (§20.10)."""
        value = self.parameters.get("expires")
        if value is None:
            return None
        asked_s = lexer.seconds(lexer.unquoted(value))
        return _DEFAULT_EXPIRES_S if asked_s is None else asked_s

    @property
    def q(self) -> float | None:
        """How much this Contact is preferred, 0 to 1; None also where it is malformed."""
        value = self.parameters.get("q")
        return float(value) if value is not None and _QVALUE.fullmatch(value) else None

    @property
    def instance(self) -> str | None:
        """Which device this is, whatever its address: `<urn:uuid:…>` (RFC 5626 §4.1)."""
        return self.parameters.text("+sip.instance")

    @property
    def reg_id(self) -> int | None:
        """Which of the device's flows this is, from 1 (RFC 5626 §4.2). Raises `BadHeader`."""
        value = self.parameters.get("reg-id")
        return None if value is None else lexer.number(value, 2**31 - 1)


@dataclass(frozen=True, slots=True)
class InfoReference:
    """What Alert-Info and Call-Info refer to (§20.4, §20.9). Phones take, and send, words that are no URI."""

    reference: str
    "What stands in the <>."
    parameters: Parameters = NONE

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `BadHeader`."""
        if text[:1] != "<":
            reference, _, parameters = text.partition(";")
            return cls(reference.strip(lexer.BLANKS), _parameters(parameters))
        reference, bracket, tail = text[1:].partition(">")
        tail = tail.strip(lexer.BLANKS)
        if not bracket or (tail and tail[0] != ";"):
            raise BadHeader("", "a reference ends with >, and parameters may follow")
        return cls(reference, _parameters(tail[1:]))

    def __str__(self) -> str:
        return f"<{self.reference}>{self.parameters}"


def _parameters(text: str) -> Parameters:
    return Parameters.of_header(text) if text else NONE
