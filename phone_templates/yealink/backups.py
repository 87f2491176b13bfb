"""What a phone brings to be kept: its user's changes, contacts, call log and logs.

A phone fetches the first three again, from where it brought them, when it is provisioned.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from lxml import etree

from phone_templates import cfg
from phone_templates.catalogue import Sensitivity
from phone_templates.errors import PhoneTemplatesError
from phone_templates.yealink.files import FileName
from phone_templates.yealink.parameters import sensitivity_of

HIDDEN: Final = "(hidden)"
"Stands for a secret where a person reads the file."

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


class BadBackup(PhoneTemplatesError):
    """A file that is not what its name says."""

    code = "bad-backup"


class Backup(StrEnum):
    """One of the files, in people's words."""

    LOCAL = "local"
    "What users changed on the phone, as .cfg."
    CONTACTS = "contacts"
    CALL_LOG = "call-log"
    SYSTEM_LOG = "sys-log"
    BOOT_LOG = "boot-log"

    @property
    def ending(self) -> str:
        """What the file's name has behind the MAC address."""
        return _ENDINGS[self]

    @property
    def is_log(self) -> bool:
        """Plain text for people; all others are read by phones again."""
        return self in (Backup.SYSTEM_LOG, Backup.BOOT_LOG)

    @property
    def longest(self) -> int:
        """The most bytes that are taken."""
        return 1024 * 1024 if self.is_log else 256 * 1024

    @property
    def may_hold_secrets(self) -> bool:
        """Passwords that somebody typed in stand among the changes."""
        return self is Backup.LOCAL


_ENDINGS: Final = {
    Backup.LOCAL: "-local.cfg",
    Backup.CONTACTS: "-contact.xml",
    Backup.CALL_LOG: "-calllog.xml",
    Backup.SYSTEM_LOG: "-sys.log",
    Backup.BOOT_LOG: "-boot.log",
}


def backup_called(named: FileName) -> Backup | None:
    """Which of them the file name means, if any."""
    if named.mac is None:
        return None
    rest = named.name.removeprefix(named.mac)
    return next((backup for backup, ending in _ENDINGS.items() if ending == rest), None)


def read_backup(backup: Backup, content: bytes) -> str:
    """The text of a file that a phone brought. Raises `BadBackup` for what is not what it should be.

    Logs are for people alone: whatever can't be shown in them is replaced.
    """
    if backup.is_log:
        return printable(content.decode("utf-8", "replace"))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadBackup(f"the {backup} file is not UTF-8 at byte {error.start}") from error
    if backup is Backup.LOCAL:
        try:
            cfg.parse(text)
        except cfg.BadCfg as error:
            raise BadBackup(f"the {backup} file can't be read: {error}") from error
        if "\x00" in text:
            raise BadBackup(f"the {backup} file holds a NUL")
    else:
        _read_xml(backup, content)
    return text


def shown(backup: Backup, text: str) -> str:
    """The file for people: secrets hidden, nothing that a terminal obeys."""
    if not backup.may_hold_secrets:
        return printable(text)
    return "".join(
        f"{name} = {HIDDEN if value and _is_secret(name) else printable(value)}\n"
        for name, value in cfg.parse(text)
    )


def printable(text: str) -> str:
    """`text` with a question mark for each control character but tab and line end; CRLF becomes LF."""
    return _UNPRINTABLE.sub("?", text.replace("\r\n", "\n"))


def _is_secret(name: str) -> bool:
    return sensitivity_of(name) is Sensitivity.SECRET


def _read_xml(backup: Backup, content: bytes) -> None:
    """Raises `BadBackup` unless it is XML by itself: nothing is fetched and nothing is expanded for it."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadBackup(f"the {backup} file is not XML: {error}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise BadBackup(f"the {backup} file has a document type, which no phone writes")
