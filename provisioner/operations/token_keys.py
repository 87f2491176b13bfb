"""Which key goes with which device token: the rule that locks no phone out.

A phone learns its next address, which holds the token, and its next key from one and the same file, and uses
both from its next request on. So a token goes with the key that the file tells which hands it out, or with no
key where that file tells none, and keeps it for as long as it lives. Where a file begins to tell another key,
or none, for whatever reason (encryption turned on or off, a rotation, another generation of firmware, a
roll-back, a release), it hands out a new token. What is asked for under a token is encrypted with the token's
key, whatever has happened since: a phone that was off during two rotations comes with its old token and its
old key, and is told the newest of both.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db.changes import touch
from db.schema import DeviceRow, DeviceTokenRow
from provisioner.phones.describe import Surroundings
from provisioner.phones.fetching import bound_to, key_said
from provisioner.store.customers import Stored
from provisioner.store.device_tokens import is_unheard_of, new_device_token


class TokenKeys:
    """Binds the newest tokens of a customer's phones to what their files tell, inside a change."""

    def __init__(self, session: AsyncSession, stored: Stored, around: Surroundings, now: datetime) -> None:
        self._session = session
        self._vault = stored.vault
        self._keys = around.encryption_keys
        self._now = now
        self._tokens = {row.mac: row.tokens[-1] for row in stored.row.devices}
        self._ids = {row.mac: row.id for row in stored.row.devices}

    def bound(self, mac_hex: str, text: str, newest: str, *, is_first: bool) -> tuple[str, str]:
        """The phone's own file as it goes out from now on, and as it will be when the phone is released.

        Where `text` tells another key than goes with the newest token, it hands out a new token, unless it
        is the phone's first file, so that no other has handed out the newest one.
        """
        characters = key_said(text, mac_hex)
        key = self._keys[characters] if characters is not None else None
        token = self._tokens[mac_hex]
        if token.encryption_key_id != key:
            if not is_first and not is_unheard_of(self._session, token):
                token = self._next(mac_hex, token)
            token.encryption_key_id = key
        return bound_to(text, mac_hex, token.version, key), bound_to(newest, mac_hex, token.version, None)

    def _next(self, mac_hex: str, token: DeviceTokenRow) -> DeviceTokenRow:
        row = new_device_token(self._session, self._vault, token.version + 1, self._now)
        row.device_id = self._ids[mac_hex]
        self._session.add(row)
        touch(self._session, f"device:{row.device_id}")
        self._tokens[mac_hex] = row
        return row


def was_told_a_key(device: DeviceRow) -> bool:
    """Whether a file of the device may have told it a key; its tokens are loaded."""
    return any(token.encryption_key_id is not None for token in device.tokens)
