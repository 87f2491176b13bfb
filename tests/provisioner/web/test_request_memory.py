"""Every request of a phone is kept: what it was, what it got and why; bounded, and without a secret."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import update

from db.engine import Database
from db.schema import DeviceRow
from provisioner.app import Running, serving
from provisioner.operations.asking import Answer, Ask, Reason
from provisioner.operations.devices import Rung
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.requests import RequestLog, Trace
from provisioner.operations.scan_guard import ScanGuard
from provisioner.settings import Memory, Security
from tests.provisioner.conftest import apply_text
from tests.provisioner.web.asking import (
    NOON,
    PHONE,
    STRANGER,
    T23G,
    T46S,
    UNLISTED,
    VP530P,
    all_secrets,
    ask,
    ask_all,
    booted,
    claim,
    phone,
    release,
    requests,
    row_of,
    service_of,
    settled,
    shown,
    text_of,
    token_of,
)
from tests.provisioner.web.test_autoprovision import renamed


async def test_a_request_is_kept_with_all_that_a_technician_asks_for(sample: Installation, running: Running):
    agent = "VP530P 23.70.0.40 00:15:65:31:4b:c0"
    await claim(sample, VP530P)
    before = utc_now()
    reply = await ask(running, "/00-15-65-31-4B-C0.cfg?x=y", agent=agent)
    (kept,) = await requests(sample, running)
    assert before <= kept.at <= utc_now()
    assert (kept.source, kept.user_agent, kept.method) == (PHONE, agent, "GET")
    assert (kept.mac, kept.model_claimed, kept.firmware_claimed) == (VP530P, "VP530P", "23.70.0.40")
    assert (kept.path, kept.file_name) == ("/00-15-65-31-4B-C0.cfg", f"{VP530P}.cfg")
    assert (kept.status, kept.reason, kept.sent_bytes) == (200, "window-open", len(reply.body))
    details = await shown(sample, running, VP530P)
    (seen,), newest = details.requests, details.files[0]
    assert newest.name == f"{VP530P}.cfg"
    assert (seen.source, seen.status, seen.reason) == (PHONE, 200, "window-open")
    assert seen.revision == newest.revision


async def test_each_answer_is_kept_with_its_reason(sample: Installation, running: Running):
    await settled(sample, running, T23G)
    token, service = await token_of(sample, T23G), await service_of(sample, T23G)
    etag = (await ask(running, f"/{token}/{T23G}.cfg")).header("ETag") or ""
    await requests(sample, running)
    asked = [
        ("GET", f"/{UNLISTED}.cfg", "unlisted", 404),
        ("GET", f"/{UNLISTED}.boot", "no-such-file", 404),
        ("GET", f"/{UNLISTED}-contact.xml", "no-such-file", 404),
        ("GET", f"/{'0' * 32}/{UNLISTED}.cfg", "unknown-token", 404),
        ("GET", f"/{VP530P}.cfg", "no-window", 404),
        ("GET", f"/{T23G}.cfg", "factory-reset-or-stranger", 404),
        ("GET", f"/{token}/{VP530P}.cfg", "other-device", 404),
        ("GET", f"/{token}/y000000000066.cfg", "other-model", 404),
        ("GET", f"/{token}/{T23G}.boot", "no-such-file", 404),
        ("GET", f"/{token}/phonebook.xml", "no-such-file", 404),
        ("GET", f"/{service}/{T23G}.cfg", "no-such-file", 404),
        ("PUT", f"/{token}/{T23G}.cfg", "method", 405),
        ("HEAD", f"/{token}/{T23G}.cfg", "current", 200),
        ("GET", f"/{token}/{T23G}.cfg", "current", 200),
        ("GET", f"/{service}/phonebook.xml", "service", 200),
        ("GET", "/y000000000066.cfg", "first-contact-file", 200),
    ]
    count = len(await requests(sample))
    await ask_all(running, [(method, path) for method, path, _, _ in asked], source=PHONE)
    kept = (await requests(sample, running))[count:]
    assert [(row.method, row.reason, row.status) for row in kept] == [(m, r, s) for m, _, r, s in asked]
    assert [bool(row.sent_bytes) for row in kept] == [s == 200 and m == "GET" for m, _, _, s in asked]
    await ask(running, f"/{token}/{T23G}.cfg", headers={"If-None-Match": etag})
    newest = (await requests(sample, running))[-1]
    assert (newest.status, newest.reason, newest.sent_bytes) == (304, "current", 0)


async def test_no_secret_is_kept(sample: Installation, running: Running):
    await settled(sample, running, T46S)
    token, service = await token_of(sample, T46S), await service_of(sample, T46S)
    await ask(running, f"/{service}/phonebook.xml")
    for path in (
        f"/{token}",
        f"/{token}{T46S}.cfg",
        f"/{token.upper()}/{T46S}.cfg",
        f"//{token}//{T46S}.cfg",
        f"/x/{token}/{T46S}.cfg",
        f"/{'0' * 32}/{token}/{T46S}.cfg",
        f"/{token}/{service}/{T46S}.cfg",
        f"/{'a/' * 140}{token}/{T46S}.cfg",
        f"/%{ord(token[0]):x}{token[1:]}x",
        f"/?token={token}",
    ):
        await ask(running, path)
        await ask(running, path, method="POST")
    await release(sample, T46S)
    await ask(running, f"/{token}/{T46S}.cfg")
    kept = [text_of(row).lower() for row in await requests(sample, running)]
    secrets = {secret.lower() for secret in (await all_secrets(sample)).values()}
    assert len(kept) > 20
    assert [row for row in kept if any(secret in row or secret[:20] in row for secret in secrets)] == []


async def test_a_phone_with_a_dead_token_is_shown_as_itself(sample: Installation, running: Running):
    machine = await settled(sample, running, VP530P)
    await release(sample, VP530P)
    await booted(machine)
    newest = (await shown(sample, running, VP530P)).requests[0]
    assert (newest.status, newest.reason, newest.path) == (404, "unknown-token", f"/…/{VP530P}.cfg")


@pytest.fixture
async def forgetful(sample: Installation) -> AsyncIterator[Running]:
    """A server that keeps few requests."""
    memory = Memory(requests_per_device=10, requests_of_strangers=100)
    # A ban would slow the flood.
    security = Security(scan_misses=0)
    settings = sample.settings.model_copy(update={"memory": memory, "security": security})
    async with serving(replace(sample, settings=settings), lambda _: None) as server:
        yield server


async def test_a_flood_of_strangers_fills_a_bounded_memory_and_displaces_no_phone(
    sample: Installation, forgetful: Running
):
    await settled(sample, forgetful, T23G)
    own = [row.id for row in await requests(sample, forgetful) if row.device_id is not None]
    wanted = [("GET", f"/0015651{number:05x}.cfg") for number in range(700)]
    await asyncio.gather(
        *(ask_all(forgetful, wanted[start::4], source=f"127.0.0.{90 + start}") for start in range(4))
    )
    kept = await requests(sample, forgetful)
    strangers = [row for row in kept if row.device_id is None]
    assert 100 <= len(strangers) <= 100 + 256
    assert set(own) <= {row.id for row in kept}
    newest = {row.mac for row in strangers[-50:]}
    assert newest <= {f"0015651{number:05x}" for number in range(500, 700)}, "the oldest go first"


async def test_a_phone_that_asks_for_ever_fills_a_bounded_memory(sample: Installation):
    settings = sample.settings.model_copy(update={"memory": Memory(requests_per_device=10)})
    log = RequestLog(replace(sample, settings=settings), ScanGuard(sample))
    device = (await row_of(sample, T23G)).id
    for number in range(600):
        log.note(trace(Answer(Reason.NO_SUCH_FILE, device_id=device), path=str(number)))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(log.run())
        await log.close()
    kept = [row.path for row in await requests(sample)]
    assert 10 <= len(kept) <= 10 + 256
    assert kept == [f"/{number}" for number in range(600 - len(kept), 600)], "the oldest go first"


# SQLite has one writer.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_what_a_phone_reports_waits_for_a_change_that_holds_the_phone(sample: Installation):
    async def waiting() -> bool:
        """Whether somebody waits for a lock."""
        found = await sample.database.rows("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(found[0][0])

    log = RequestLog(sample, ScanGuard(sample))
    device = (await row_of(sample, T23G)).id
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(log.run())
        async with sample.database.change() as session:
            held = update(DeviceRow).where(DeviceRow.id == device)
            await session.execute(held.values(service_token_hash="x"))
            reported = tasks.create_task(log.stored(trace(Answer(Reason.NO_SUCH_FILE, device_id=device))))
            for is_waiting in (True, False, True):
                while await waiting() != is_waiting:
                    pass
        assert await reported
        await log.close()
    assert [row.device_id for row in await requests(sample)] == [device]


async def test_devices_show_climbs_with_the_phone(sample: Installation, running: Running):
    async def rung() -> Rung:
        return (await shown(sample, running, T23G)).summary.rung

    machine = phone(running, T23G)
    assert await rung() is Rung.LISTED
    await booted(machine)
    assert await rung() is Rung.CONTACTED
    await claim(sample, T23G)
    await ask(running, f"/{T23G}.cfg", method="HEAD")
    assert await rung() is Rung.CONTACTED
    await booted(machine)
    assert await rung() is Rung.CURRENT
    await apply_text(sample, renamed("105", "Inny magazyn"))
    assert await rung() is Rung.FETCHED
    await booted(machine)
    details = await shown(sample, running, T23G)
    assert details.summary.rung is Rung.CURRENT
    assert details.summary.contacted_from == PHONE
    assert details.summary.firmware == "44.80.0.60"
    assert details.fetched_revision == next(file.revision for file in details.files if T23G in file.name)


async def test_hearing_that_it_has_the_file_is_having_it(sample: Installation, running: Running):
    await settled(sample, running, T23G)
    path = f"/{await token_of(sample, T23G)}/{T23G}.cfg"
    etag = (await ask(running, path)).header("ETag") or ""
    await running.settled()
    before = (await row_of(sample, T23G)).fetched_at
    assert (await ask(running, path, headers={"If-None-Match": etag})).status == 304
    await running.settled()
    after = (await row_of(sample, T23G)).fetched_at
    assert before is not None
    assert after is not None
    assert before < after


def trace(answer: Answer, path: str = "x", agent: str = "") -> Trace:
    return Trace(NOON, Ask(None, path, STRANGER, agent, clear_text=True), answer, "GET", 200, 0)


async def test_a_trace_outlives_the_phone_that_it_is_about(sample: Installation):
    log = RequestLog(sample, ScanGuard(sample))
    content = b"something was given"
    gone = Answer("current", content=content, device_id=10**6, mac=T46S, revision_id=10**6, is_own_file=True)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(log.run())
        log.note(trace(gone))
        await log.close()
    (kept,) = await requests(sample)
    assert (kept.device_id, kept.revision_id, kept.mac) == (None, None, T46S)


async def test_what_can_not_be_stored_costs_itself_alone(
    sample: Installation, caplog: pytest.LogCaptureFixture
):
    log = RequestLog(sample, ScanGuard(sample))
    closed = Answer(Reason.NO_SUCH_FILE)
    for answer in (closed, replace(closed, file_name="\ud800"), replace(closed, mac="x\ud800"), closed):
        log.note(trace(answer))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(log.run())
        await log.close()
    assert len(await requests(sample)) == 2
    assert caplog.text.count("traces lost") == 2


async def test_what_came_in_is_written_before_the_server_ends(sample: Installation):
    async with serving(sample, lambda _: None) as server:
        await ask_all(server, [("GET", "/")] * 50, source=STRANGER)
    assert len(await requests(sample)) == 50


async def test_a_database_that_is_busy_costs_a_trace_and_no_file(sample: Installation, database_url: str):
    impatient = await Database.open(database_url, busy_s=0.1)
    try:
        async with serving(replace(sample, database=impatient), lambda _: None) as server:
            await settled(sample, server, T23G)
            await claim(sample, VP530P)
            path = f"/{await token_of(sample, T23G)}/{T23G}.cfg"
            async with sample.database.change():
                assert (await ask(server, path)).status == 200
                decision = await ask(server, f"/{VP530P}.cfg")
                assert (decision.status, decision.header("Retry-After")) == (503, "60")
            assert (await ask(server, f"/{VP530P}.cfg")).status == 200
    finally:
        await impatient.close()
