"""Secrets at rest: sealed with a key that lies beside the database, not in it.

The key file holds keys of 256 bits in base64, one a line. The first seals; each of them opens. Rotation
(`db.rotation`) puts a new one first, and later drops the others.

A secret is sealed with AES-256 in Galois/Counter mode (NIST SP 800-38D) under a key that is derived from the
one in the file: a phone's file holds half a dozen of them, and they are opened whenever it is read anew.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from db.errors import VaultError

_KEY = 32
_NONCE = 12
_SEALED = b"\x01"
"Begins what is sealed, so that another way can follow one day."


class Vault:
    """Seals and opens secrets. Notices when another process has changed the key file.

    Seal inside the change that stores the secret: a rotation waits for that change and seals it anew.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._keys: list[str] = []
        self._seen: tuple[int, int] | None = None
        self._refresh()

    @classmethod
    def create(cls, file: Path) -> Self:
        """Make the key file with a first key, readable by its owner alone.

        Raises `VaultError` where there is one: overwriting it would lose every secret.
        """
        draft = _write_draft(file, [_fresh_key()])
        try:
            # Unlike a rename, a link never replaces what is there.
            os.link(draft, file)
        except FileExistsError:
            raise VaultError(f"the key file {file} is already there; it was left as it is") from None
        finally:
            draft.unlink()
        _sync_directory(file.parent)
        return cls(file)

    @classmethod
    def load(cls, file: Path) -> Self:
        """The vault of an existing key file. Raises `VaultError` where it is missing or spoilt."""
        return cls(file)

    def seal(self, text: str) -> bytes:
        """`text` encrypted with the first key; never twice the same. Raises `VaultError` without keys."""
        self._refresh()
        nonce = os.urandom(_NONCE)
        return _SEALED + nonce + self._ciphers[0].encrypt(nonce, text.encode(), None)

    def open(self, sealed: bytes) -> str:
        """The text that `seal` was given. Raises `VaultError` where no key at hand fits."""
        text = self._opened(sealed)
        if text is None:
            # Another process may have sealed it with a key that is newer than what we read.
            self._refresh()
            text = self._opened(sealed)
        if text is None:
            raise VaultError(
                f"a secret was sealed with a key that is not in {self._file}:"
                " put the key file back that belongs to this database"
            )
        return text

    def reseal(self, sealed: bytes) -> bytes:
        """The same secret sealed with the first key. Raises `VaultError` as `open` does."""
        return self.seal(self.open(sealed))

    def opens_with_first_key(self, sealed: bytes) -> bool:
        """Whether `sealed` would survive the loss of all keys but the first."""
        return _opened_by(self._ciphers[0], sealed) is not None

    def derived(self, purpose: str) -> bytes:
        """32 bytes that hold for every process with the key file, until it has a new first key (RFC 5869).

        Raises `VaultError`.
        """
        self._refresh()
        return _derived(self._keys[0], purpose)

    def add_key(self) -> None:
        """Put a new key before the others. Nothing that was sealed before is lost."""
        self._replace([_fresh_key(), *_read(self._file)])

    def drop_old_keys(self) -> None:
        """Keep the first key alone. What others sealed is lost: ask `db.rotation`, which looks first."""
        self._replace(_read(self._file)[:1])

    def _replace(self, keys: list[str]) -> None:
        draft = _write_draft(self._file, keys)
        draft.replace(self._file)
        _sync_directory(self._file.parent)
        self._refresh()

    def _opened(self, sealed: bytes) -> str | None:
        for cipher in self._ciphers:
            text = _opened_by(cipher, sealed)
            if text is not None:
                return text
        return None

    def _refresh(self) -> None:
        """Read the key file again if it is another one than last time."""
        try:
            found = self._file.stat()
        except OSError as error:
            raise VaultError(_missing(self._file, error)) from error
        if (found.st_ino, found.st_mtime_ns) == self._seen:
            return
        keys = _read(self._file)
        # Dropped keys stay in memory: a reader may hold what it read before the rotation.
        self._keys = keys + [key for key in self._keys if key not in keys]
        self._ciphers = [AESGCM(_derived(key, "sealing")) for key in self._keys]
        self._seen = (found.st_ino, found.st_mtime_ns)


def _opened_by(cipher: AESGCM, sealed: bytes) -> str | None:
    if not sealed.startswith(_SEALED):
        return None
    try:
        return cipher.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], None).decode()
    except InvalidTag:
        return None


def _derived(key: str, purpose: str) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(base64.urlsafe_b64decode(key))


def _fresh_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(_KEY)).decode()


def _read(file: Path) -> list[str]:
    try:
        keys = file.read_text(encoding="ascii").split()
        if any(len(base64.urlsafe_b64decode(key)) != _KEY for key in keys):
            raise ValueError("a key has another length")
    except OSError as error:
        raise VaultError(_missing(file, error)) from error
    except ValueError:
        # Whatever is in there, it may be a key: the message doesn't repeat it.
        raise VaultError(
            f"the key file {file} holds something that is not a key: bring back the file of its day"
        ) from None
    if not keys:
        raise VaultError(f"the key file {file} is empty: put it back from a backup")
    return keys


def _missing(file: Path, error: OSError) -> str:
    return f"can't read the key file {file} ({error.strerror}): without it no secret can be opened"


def _write_draft(file: Path, keys: list[str]) -> Path:
    """The keys in a file of their own beside `file`, on the disk for sure, mode 0600."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    # One that a killed process with our number left behind may be half written.
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write("".join(f"{key}\n" for key in keys))
        stream.flush()
        os.fsync(stream.fileno())
    return draft


def _sync_directory(directory: Path) -> None:
    """Make a new name in `directory` survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
