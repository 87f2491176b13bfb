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
        """Base: knows no OPTIONS, which asks whether it is there, and drops it; and where the audio has an
        address beside that of the session, the call has none.
        """
        self.text = data.decode(errors="replace")
        self.SIPCompatibleMethods = _METHODS
        super().parse(data)
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
