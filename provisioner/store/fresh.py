"""New secrets, and the hashes that tokens are looked up by."""

from __future__ import annotations

import hashlib
import secrets

# What can be told apart in print and typed on a phone's keypad.
_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def fresh_password(length: int = 20) -> str:
    """A random password that every phone takes: 20 characters are 115 bits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def fresh_token() -> str:
    """A random token of 128 bits as 32 hex digits, fit for a URL."""
    return secrets.token_hex(16)


def token_hash(token: str) -> str:
    """SHA-256 of a token, hex. A token is random enough to need no salt."""
    return hashlib.sha256(token.encode("ascii")).hexdigest()
