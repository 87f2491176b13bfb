"""What a process that serves phones knows without asking the database. All its doors share one memory."""

from __future__ import annotations

from dataclasses import dataclass

from db.freshness import Watcher
from provisioner.operations.firmware_heard import FirmwareHearing
from provisioner.operations.installation import Installation
from provisioner.operations.kept_answers import KeptAnswers
from provisioner.operations.scan_guard import ScanGuard
from provisioner.operations.windows import OpenWindows


@dataclass(frozen=True, slots=True)
class Memory:
    """A watcher tells each piece of news once: `files` hears it, and tells the others."""

    files: KeptAnswers
    windows: OpenWindows
    guard: ScanGuard
    firmware: FirmwareHearing


def fresh_memory(
    installation: Installation, watcher: Watcher, limit_bytes: int, guard: ScanGuard
) -> Memory:
    """A memory that knows nothing yet; `limit_bytes` is for files."""
    memory = Memory(
        KeptAnswers(watcher, limit_bytes),
        OpenWindows(installation.database),
        guard,
        FirmwareHearing(installation),
    )
    memory.files.on_news(memory.windows.hear)
    memory.files.on_news(guard.bans.hear)
    return memory
