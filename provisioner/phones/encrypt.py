"""Which of a phone's files go out encrypted."""

from __future__ import annotations

from phone_templates.yealink.encryption import encrypted
from provisioner.phones.render import DeviceFile


def as_fetched(text: str, file: DeviceFile, key: str | None) -> bytes:
    """What a phone gets that fetches the file `text` and has `key`; None: it has none.

    A boot file names files and holds no secret; phones read it plain.
    """
    content = text.encode("utf-8")
    return content if key is None or file is DeviceFile.BOOT else encrypted(content, key)
