"""What tells dialogs apart, and can't be guessed (RFC 3261 §19.3, §8.1.1.4)."""

from __future__ import annotations

import secrets


def new_tag() -> str:
    """A tag that nobody else has chosen or can guess."""
    return secrets.token_hex(8)


def new_call_id() -> str:
    """A Call-ID of ours; it says nothing of where it was made."""
    return secrets.token_hex(16)
