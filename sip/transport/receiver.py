"""Who is told what comes."""

from __future__ import annotations

from typing import Protocol

from sip.message.errors import MessageError
from sip.message.parser import AnyMessage
from sip.transport.flow import Flow


class Receiver(Protocol):
    """The layer above. Each call is over before the next message of the flow is looked at; none may wait."""

    def received(self, message: AnyMessage, flow: Flow) -> None:
        """A message is whole. The top Via of a request says where it came from (RFC 3261 §18.2.1)."""

    def refused(self, error: MessageError, flow: Flow) -> None:
        """Something can't be used; `error.request` is what can be answered, before this returns."""

    def closed(self, flow: Flow) -> None:
        """A connection has ended."""
