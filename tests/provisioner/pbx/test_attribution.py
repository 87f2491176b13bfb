"""Which phone a REGISTER comes from; which have a line is looked up, and again when that may have changed."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

import pytest

from db.engine import Database
from db.queries.registrations import PhoneOfLine
from provisioner.pbx import attribution
from provisioner.pbx.attribution import Attribution
from provisioner.pbx.news import News
from sip.binding import Binding
from sip.message.message import Request
from sip.transport.flow import Address, Transport

LINE = 1
BEFORE, NOW = 7, 8
"Devices: the line was the first one's, and is given to the other."
PHONE = Address("192.0.2.20", 5062)
HELD = Binding(
    "sip:1@192.0.2.20:5062", "a@phone", 1, Transport.UDP, PHONE, Address("192.0.2.1", 5060), 0, 0, 3600,
    device_id=BEFORE,
)  # fmt: skip


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


@pytest.mark.parametrize(
    ("macs", "call_id", "mac", "device"),
    [
        (["001565000002"], "a@phone", "", BEFORE),
        ([], "a@phone", "", BEFORE),
        (["001565000002", "001565000003"], "a@phone", "", BEFORE),
        (["001565000002"], "b@phone", "", NOW),
        (["001565000002"], "a@phone", "00:15:65:00:00:02", NOW),
    ],
    ids=[
        "whose line is another's now",
        "whose line is nobody's now",
        "whose line is others' now",
        "another phone",
        "a phone that says who it is",
    ],
)
async def test_a_phone_that_refreshes_is_the_one_that_it_was(
    monkeypatch: pytest.MonkeyPatch, macs: list[str], call_id: str, mac: str, device: int
):
    async def read(database: Database, line_ids: Collection[int]) -> list[PhoneOfLine]:
        return [PhoneOfLine(LINE, NOW + number, each, None) for number, each in enumerate(macs)]

    monkeypatch.setattr(attribution, "phones_of_lines", read)
    known = Attribution(cast(Database, None), News(Said()))  # type: ignore[arg-type]
    await known.look_up([LINE])
    refresh = Request("REGISTER", "sip:x")
    refresh.headers.set("Call-ID", call_id)
    refresh.headers.set("Mac", mac)
    assert known.device_of(LINE, refresh, PHONE.host, (HELD,)) == device
