"""New device tokens, and which of a change's tokens nobody can have heard of yet."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db.schema import DeviceTokenRow
from db.vault import Vault
from provisioner.store.fresh import fresh_token, token_hash

_NEW = "new_device_tokens"


def new_device_token(session: AsyncSession, vault: Vault, version: int, now: datetime) -> DeviceTokenRow:
    """A token that still belongs to no device. Its key is decided when the device's files are written."""
    token = fresh_token()
    hashed = token_hash(token)
    session.info.setdefault(_NEW, set()).add(hashed)
    return DeviceTokenRow(
        version=version, token_sealed=vault.seal(token), token_hash=hashed, created_at=now, revoked_at=None
    )


def is_unheard_of(session: AsyncSession, token: DeviceTokenRow) -> bool:
    """Whether the token was made in this very change, so that no file has handed it out."""
    return token.token_hash in session.info.get(_NEW, ())
