"""Message waiting: package `message-summary` (RFC 3842)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MessageContext(StrEnum):
    """What kind of messages wait (RFC 3842 §5.2, RFC 3458 §3)."""

    VOICE = "Voice-Message"
    FAX = "Fax-Message"
    TEXT = "Text-Message"


@dataclass(frozen=True, slots=True)
class Messages:
    """How many of one kind there are."""

    context: MessageContext
    new: int
    old: int = 0
    urgent_new: int = 0
    "Of `new`."
    urgent_old: int = 0
    "Of `old`."

    def __str__(self) -> str:
        return f"{self.context}: {self.new}/{self.old} ({self.urgent_new}/{self.urgent_old})"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """What waits in a mailbox."""

    account: str
    "The URI at which the messages are heard."
    messages: tuple[Messages, ...] = ()

    @property
    def is_waiting(self) -> bool:
        """Whether the lamp is on."""
        return any(each.new for each in self.messages)


class MessageSummaryPackage:
    """Each notification says everything."""

    name = "message-summary"
    content_type = "application/simple-message-summary"
    default_s = 3600
    interval_s = 1.0

    def body(self, state: Mailbox, before: Mailbox | None, version: int) -> bytes:
        """The summary (§5.2)."""
        lines = [
            f"Messages-Waiting: {'yes' if state.is_waiting else 'no'}",
            f"Message-Account: {state.account}",
            *map(str, state.messages),
        ]
        return "".join(f"{line}\r\n" for line in lines).encode()
