"""Whatever phones send, whatever fails and in whatever order: memory says what the rows say."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable
from random import Random
from typing import Any

import pytest

from db.engine import Database
from db.errors import DatabaseBusy, DatabaseUnavailable
from db.writing import Work, Writer
from provisioner.operations.installation import Installation
from provisioner.pbx import registrations
from sip.message.message import Response
from sip.registrar_contact import Limits
from sip.transport.flow import Address, Transport
from tests.provisioner.pbx.registering import Server, Wire, eventually, registering

SEEDS = 100 if os.environ.get("CENTRALKA_PROVE") else 4
STEPS = 80
SHORT_S, LONG_S = 60, 3600
ONE_IN = 6
"So often nothing can be stored."
Fact = tuple[str, str, str, int, int, str, str, int, bool | None]
"Line, Contact, instance, reg-id, CSeq, Call-ID, source, refreshes, and whether the phone is reachable."


class Phones:
    """Three lines, and phones that do anything."""

    def __init__(self, server: Server, chance: Random) -> None:
        self._server, self._chance = server, chance
        self._lines = sorted(server.line_ids)[:3]
        self._cseq = 0

    def act(self) -> Awaitable[Response]:
        """Somebody sends a REGISTER."""
        line, choice = self._chance.choice(self._lines), self._chance.choice
        contact: str | None = f"<sip:{choice('wxyz')}@192.0.2.9>"
        expires = choice((0, SHORT_S, LONG_S))
        match self._chance.randrange(10):
            case 0:
                contact, expires = "*", 0
            case 1:
                contact = None
            case 2 | 3:
                contact = f'{contact};+sip.instance="<urn:uuid:{choice("12")}>"'
            case 4:
                contact = f'{contact};+sip.instance="<urn:uuid:1>";reg-id={choice("12")}'
        self._cseq += 1
        flow = Wire(Address("192.0.2.20", choice((5060, 5061))), choice((Transport.UDP, Transport.TCP)))
        said = {"call_id": choice("ab") + line, "agent": choice(("A", "B")), "flow": flow}
        return self._server.begin(line, contact=contact, expires=expires, cseq=self._cseq, **said)

    def happen(self) -> None:
        """Bindings lapse, phones answer, or don't."""
        location, note, now = self._server.location, self._server.registrations.note, self._server.sip.now()
        if not self._chance.randrange(STEPS // 4):
            note(location.expire(now + SHORT_S + 1))
        for each in location.snapshot(now):
            match self._chance.randrange(20):
                case 0:
                    note(location.heard(each.aor, each.binding.key, now, 0.1))
                case 1:
                    note(location.unanswered(each.aor, each.binding.key, now, is_lost=True))


def in_memory(server: Server) -> list[Fact]:
    return sorted(
        (
            each.aor,
            each.binding.contact,
            each.binding.instance or "",
            each.binding.reg_id or 0,
            each.binding.cseq,
            each.binding.call_id,
            str(each.binding.remote),
            each.binding.refreshes,
            each.reachability.is_reachable,
        )
        for each in server.location.snapshot(server.sip.now())
    )


async def stored(installation: Installation) -> list[Fact]:
    rows = await installation.database.rows(
        "SELECT l.number, r.contact, r.instance_id, r.reg_id, r.cseq, r.call_id, r.source, r.refreshes,"
        " r.reachable FROM registrations r JOIN lines l ON l.id = r.line_id"
    )
    return sorted((*row[:-1], None if row[-1] is None else bool(row[-1])) for row in rows)


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_memory_says_what_the_rows_say(
    sample: Installation, monkeypatch: pytest.MonkeyPatch, seed: int
):
    chance = Random(seed)  # noqa: S311 - to be the same again
    appended = Database.appended
    may_fail = True

    async def flaky(database: Database, work: Work[Any]) -> Any:
        async def failing(writer: Writer) -> Any:
            done = await work(writer)
            if may_fail and not chance.randrange(ONE_IN):
                raise chance.choice((DatabaseUnavailable("away"), DatabaseBusy("held")))
            return done

        return await appended(database, failing)

    monkeypatch.setattr(registrations, "_FLUSH_S", 0.0)
    monkeypatch.setattr(registrations, "_AGAIN_S", 0.0)
    monkeypatch.setattr(registrations, "_BATCH", chance.choice((3, 1000)))
    async with registering(sample, Limits(jitter=0.0)) as server:
        phones = Phones(server, chance)
        monkeypatch.setattr(Database, "appended", flaky)
        answers = []
        for _ in range(STEPS):
            answers.append(phones.act())
            phones.happen()
            if chance.randrange(3):
                await asyncio.sleep(0)
            else:
                async with asyncio.timeout(60):
                    await chance.choice(answers)
        async with asyncio.timeout(60):
            statuses = {(await each).status for each in answers}
        assert statuses <= {200, 403, 500, 503}
        may_fail = False

        async def is_the_same() -> bool:
            return in_memory(server) == await stored(sample)

        await eventually(is_the_same)
