"""Firmware files for tests: bytes that nobody could mistake for a text."""

from __future__ import annotations

from pathlib import Path

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.operations.firmware import Added, add_firmware
from provisioner.operations.installation import Installation


def rom(name: str, size: int = 100_000) -> bytes:
    """The content of the file of that name, always the same."""
    return (b"\x00ROM " + name.encode() + b"\x00").ljust(size, b"\xa5")


async def put_firmware(
    installation: Installation, name: str, content: bytes | None = None, folder: Path | None = None
) -> Added:
    """Adds a file that was downloaded somewhere."""
    downloaded = (folder or installation.data_dir) / "downloaded"
    downloaded.mkdir(exist_ok=True)
    file = downloaded / name
    file.write_bytes(rom(name) if content is None else content)
    return await add_firmware(installation, file, COMMAND_LINE)
