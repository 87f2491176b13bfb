"""The tokens that a phone may prove itself with by name and password: the name is its MAC."""

from __future__ import annotations

import re
import secrets

from db.queries.logins import live_tokens, some_device_ids
from provisioner.operations.installation import Installation
from provisioner.store.fresh import fresh_token

TRIED = 4
"""How many tokens are tried for any name. A phone has one, and another one after each claim until it uses it.

The number is fixed, for it is what an answer takes its time by. Who claims a phone four times without letting
it fetch anything leaves out the oldest of the tokens that it has never used.
"""
_MAC = re.compile("[0-9a-f]{12}")
_STAND_INS = 1000
"Devices that stand in for MACs that are not listed, so that refusing one takes as long."


class DeviceTokens:
    """Looks tokens up so that nobody can tell by the work whether a MAC is listed."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._decoys = [installation.vault.seal(fresh_token()) for _ in range(TRIED)]
        self._nobodys = fresh_token()
        self._stand_ins: list[int] = []
        "Devices that are looked up in the place of those that are not there."

    async def of(self, user_name: str) -> list[str]:
        """`TRIED` tokens: the live ones of the phone of that name, and decoys that nobody knows.

        Raises `StorageError`.
        """
        mac = user_name.lower()
        # What can't be a MAC is looked for as well.
        mac = mac if _MAC.fullmatch(mac) else ""
        database, vault = self._installation.database, self._installation.vault
        if not self._stand_ins:
            self._stand_ins = await some_device_ids(database, _STAND_INS)
        stand_in = secrets.choice(self._stand_ins or [0])
        found = await live_tokens(database, mac, stand_in, TRIED)
        found += [(mac, decoy) for decoy in self._decoys[len(found) :]]
        opened = [(of, vault.open(sealed)) for of, sealed in found]
        return [token if of == mac else self._nobodys for of, token in opened]
