"""Which phone has a line is looked up once, and again when that may have changed."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

import pytest

from db.engine import Database
from db.queries.registrations import PhoneOfLine
from provisioner.pbx import attribution
from provisioner.pbx.attribution import Attribution
from provisioner.pbx.news import News
from sip.message.message import Request

LINE = 1


class Said:
    """A watcher that tells what a test says."""

    trusts = True

    def __init__(self) -> None:
        self.scopes: list[str] = []

    def news(self) -> list[str]:
        told, self.scopes = self.scopes, []
        return told


async def test_a_change_while_phones_are_looked_up_is_not_missed(monkeypatch: pytest.MonkeyPatch):
    watcher = Said()
    news = News(watcher)  # type: ignore[arg-type]
    device = 7

    async def read(database: Database, line_ids: Collection[int]) -> list[PhoneOfLine]:
        nonlocal device
        found = [PhoneOfLine(line_id, device, "001565000001", None) for line_id in line_ids]
        if device == 7:
            # Somebody gives the line to another phone, and that is heard before this look is over.
            device = 8
            watcher.scopes = ["customer:1"]
            news.hear()
        return found

    monkeypatch.setattr(attribution, "phones_of_lines", read)
    known = Attribution(cast(Database, None), news)
    told = []
    for _ in range(2):
        await known.look_up([LINE])
        told.append(known.device_of(LINE, Request("REGISTER", "sip:x"), "192.0.2.1", ()))
    assert told == [7, 8]
