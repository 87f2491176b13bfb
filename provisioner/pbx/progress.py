"""How telling one phone goes, as a person who waits for it is told."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from provisioner.pbx.telling import Outcome, Why


class Step(StrEnum):
    """What has happened."""

    ASKED = "asked"
    WAITS = "waits"
    TOLD = "told"
    ANSWERED = "answered"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Progress:
    """One step; what is None does not belong to it."""

    step: Step
    may_reboot: bool | None = None
    "Whether the phone may start anew, whatever it is told."
    why: Why | None = None
    "What it waits for."
    attempt: int | None = None
    "From 1."
    contact: str | None = None
    "Where it was told."
    status: int | None = None
    "Of the phone's answer."
    outcome: Outcome | None = None
    revision: int | None = None
    "The number of the revision of its own file that it has fetched last."

    def plain(self) -> dict[str, Any]:
        """As JSON says it."""
        return {name: value for name, value in asdict(self).items() if value is not None}
