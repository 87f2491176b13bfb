"""The messages of a test phone, as pyVoIP reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sip.testcall.pyvoip import SIP
from sip.testcall.reading import readable

_METHODS = ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "NOTIFY", "INFO", "UPDATE", "MESSAGE", "REFER"]


class Message(SIP.SIPMessage):
    """A message that is not dropped for how it is written."""

    def parse(self, data: bytes) -> None:
        """Base: knows no OPTIONS, which asks whether it is there, and drops it; takes every body for SDP, and
        drops a message where a line of it has no "=" or is empty; and where the audio has an address beside
        that of the session, the call has none.
        """
        self.text = data.decode(errors="replace")
        self.SIPCompatibleMethods = _METHODS
        head, end, body = data.partition(b"\r\n\r\n")
        super().parse(data if body.startswith(b"v=") else head + end)
        if len(addresses := self.body.get("c", ())) > 1 and len(self.body.get("m", ())) == 1:
            self.body["c"] = addresses[-1:]

    @staticmethod
    def parse_raw_header(headers_raw: list[bytes], handle: Callable[[str, Any], None]) -> None:
        """Base: an empty header drops the message, as does one without a blank after its colon; short names
        are other headers; a value ends at its second ": "; of several challenges it takes the first.
        """
        head = b"\r\n".join([b"", *headers_raw]).decode(errors="replace")
        for name, value in readable(head).items():
            handle(name, value)
