"""The tokens that a phone may prove itself with by name and password: the name is its MAC."""

from __future__ import annotations

import re

from db.queries.logins import live_tokens
from provisioner.operations.installation import Installation
from provisioner.store.fresh import fresh_token

TRIED = 4
"""How many tokens are tried for any name. A phone has one, and another one after each claim until it uses it.

The number is fixed, for it is what an answer takes its time by. Who claims a phone four times without letting
it fetch anything leaves out the oldest of the tokens that it has never used.
"""
_MAC = re.compile("[0-9a-f]{12}")


class DeviceTokens:
    """Looks tokens up so that nobody can tell by the work whether a MAC is listed."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._decoys = [installation.vault.seal(fresh_token()) for _ in range(TRIED)]

    async def of(self, user_name: str) -> list[str]:
        """`TRIED` tokens: the live ones of the phone of that name, and decoys that nobody knows.

        Raises `StorageError`.
        """
        mac = user_name.lower()
        # What can't be a MAC is looked for as well.
        mac = mac if _MAC.fullmatch(mac) else ""
        sealed = await live_tokens(self._installation.database, mac, TRIED)
        sealed += self._decoys[len(sealed) :]
        return [self._installation.vault.open(each) for each in sealed]
