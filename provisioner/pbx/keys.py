"""What REGISTERs are judged by: the HA1s of a line, kept in memory and never stale (rule 2).

In the database they are sealed, together with the realm that they are for, so that nobody opens a password
for a registration. They are made at the first use of a password, and written a little later, many at once.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from db.changes import ALL
from db.errors import StorageError, VaultError
from db.queries.line_keys import LineSecrets, secrets_of_line, some_line_ids, store_ha1s
from provisioner.operations.installation import Installation
from provisioner.pbx.news import News
from sip.digest import Algorithm, ha1

logger = logging.getLogger(__name__)

LINE = "line:"
"What a change's scope begins with that is about one line; its number follows."

_MOST_KEPT = 250_000
_MOST_UNWRITTEN = 50_000
"More are made again when they are asked for next."
_BATCH = 500
"HA1s that one change writes, so that it is short."
_AGAIN_S = 1.0
_STAND_INS = 1000
"Lines that are looked up in the place of those that are not there, so that refusing one takes as long."
_NUMBER = re.compile("[0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class LineKey:
    """A line, and what its password became."""

    line_id: int | None
    "None: there is no such line, and nobody knows a password that fits."
    md5: str
    sha256: str
    password_version: int = 1
    "Of which of the line's passwords, counted from 1."

    def ha1(self, algorithm: Algorithm) -> str:
        """Of one algorithm, as hex digits."""
        return self.md5 if algorithm is Algorithm.MD5 else self.sha256

    def __repr__(self) -> str:
        """Without the HA1s: they are as good as the password, and this may get into a log."""
        return f"LineKey(line_id={self.line_id})"


@dataclass(frozen=True, slots=True)
class _Made:
    """HA1s that are not written yet."""

    line_id: int
    password_version: int
    text: str


class LineKeys:
    """The HA1s of lines by number: those of memory at once, those of the database for a look.

    Whoever is refused with what `known` gave is judged once more with what `of` gives: a refusal always costs
    both, so that the time tells nobody which lines there are, or were here lately.
    """

    def __init__(self, installation: Installation, news: News) -> None:
        self._installation = installation
        self._realm = installation.settings.sip.realm
        self._news = news
        self._kept: OrderedDict[str, LineKey] = OrderedDict()
        self._decoy = LineKey(None, secrets.token_hex(16), secrets.token_hex(32))
        self._sealed_decoy = installation.vault.seal(self._written(self._decoy))
        self._stand_ins: list[int] = []
        self._made: dict[int, _Made] = {}
        self._filled = asyncio.Event()
        news.on_news(self._hear)

    def known(self, number: str) -> LineKey:
        """What memory has of the line, or a decoy."""
        if not self._news.hear():
            return self._decoy
        key = self._kept.get(number)
        if key is None:
            return self._decoy
        self._kept.move_to_end(number)
        return key

    async def of(self, number: str) -> LineKey:
        """What the database has of the line, or a decoy for as much work; memory has it from then on.

        Raises `StorageError`.
        """
        trusts = self._news.hear()
        moment = self._news.moment
        found = await self._looked_up(number)
        key = self._opened(found) if found is not None else self._decoys_work()
        if found is None or found.number != number:
            return self._decoy
        if trusts and self._news.hear() and moment == self._news.moment:
            self._keep(number, key)
        return key

    async def run(self) -> None:
        """Writes what was made anew, until it is cancelled."""
        while True:
            await self._filled.wait()
            batch = [self._made.pop(line_id) for line_id in list(self._made)[:_BATCH]]
            if not self._made:
                self._filled.clear()
            try:
                await self._write(batch)
            except StorageError as error:
                # Until then each is made again wherever memory has lost it.
                logger.info("line keys wait count=%d error=%s", len(batch), error)
                for made in batch:
                    self._put(made)
                await asyncio.sleep(_AGAIN_S)

    async def _looked_up(self, number: str) -> LineSecrets | None:
        database = self._installation.database
        if not self._stand_ins:
            self._stand_ins = await some_line_ids(database, _STAND_INS)
        stand_in = secrets.choice(self._stand_ins or [0])
        # What can't be a number is looked for as well.
        asked = number if _NUMBER.fullmatch(number) else ""
        found = await secrets_of_line(database, asked, stand_in)
        if found is None:
            # The stand-in has gone; perhaps others have, too.
            self._stand_ins.clear()
        return found

    def _opened(self, found: LineSecrets) -> LineKey:
        """Raises `VaultError`."""
        vault = self._installation.vault
        if found.ha1_sealed is not None:
            try:
                md5, sha256, realm = vault.open(found.ha1_sealed).split(" ", 2)
            except VaultError:
                # A key that was dropped sealed it. The password is there still, or this is raised again.
                realm = ""
            if realm == self._realm:
                return LineKey(found.line_id, md5, sha256, found.password_version)
        password = vault.open(found.password_sealed)
        md5, sha256 = (ha1(each, found.number, self._realm, password) for each in Algorithm)
        key = LineKey(found.line_id, md5, sha256, found.password_version)
        self._put(_Made(found.line_id, found.password_version, self._written(key)))
        return key

    def _decoys_work(self) -> LineKey:
        self._installation.vault.open(self._sealed_decoy)
        return self._decoy

    def _written(self, key: LineKey) -> str:
        return f"{key.md5} {key.sha256} {self._realm}"

    def _keep(self, number: str, key: LineKey) -> None:
        self._kept[number] = key
        self._kept.move_to_end(number)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)

    def _put(self, made: _Made) -> None:
        if len(self._made) < _MOST_UNWRITTEN:
            self._made[made.line_id] = made
            self._filled.set()

    async def _write(self, batch: Sequence[_Made]) -> None:
        # A change, for no rotation of the keys runs beside one: what is sealed with an old key would be lost.
        async with self._installation.database.change() as session:
            seal = self._installation.vault.seal
            rows = [(seal(made.text), made.line_id, made.password_version) for made in batch]
            await store_ha1s(await session.connection(), rows)

    def _hear(self, scopes: Sequence[str]) -> None:
        for scope in scopes:
            if scope == ALL:
                self._kept.clear()
            elif scope.startswith(LINE):
                self._kept.pop(scope.removeprefix(LINE), None)
