"""Several processes serve phones as one: each alone, after another has died, never without their parent."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path

import aiohttp
import pytest
import uvloop
from sqlalchemy import select

from db.schema import ProvisioningRequestRow
from phone_templates.yealink.backups import Backup
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.mac import MacAddress
from provisioner.operations import claims
from provisioner.operations.installation import Installation
from provisioner.operations.uploads import list_uploads, show_upload
from provisioner.settings import Settings
from provisioner.workers import wait_s, working
from tests.copies import run_command
from tests.provisioner.conftest import SAMPLE
from tests.provisioner.processes import Server, connections, is_alive, served, wait_until
from tests.provisioner.web.asking import T46S, ask, service_of
from tests.provisioner.web.test_tls import make_certificate, program, run

TWO = ("--workers", "2")
MODEL_FILE = "/y000000000066.cfg"
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"For what is of processes alone: each test starts three, and on PostgreSQL they would do the same."
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
ROUNDS = 50 if os.environ.get("CENTRALKA_PROVE") else 2


def fetch(connection: HTTPConnection, path: str) -> tuple[int, bytes]:
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.read()


def one_of_each(server: Server) -> dict[int, HTTPConnection]:
    """A connection with each worker."""
    return {pid: each for pid, (each,) in connections(server.address, server.workers()).items()}


async def healthz(server: Server) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{server.portal_url}/healthz") as response,
    ):
        return response.status, await response.text()


async def until_healthz(server: Server, status: int) -> str:
    """What it says then; a server that never does is for the test's own deadline."""
    while (said := await healthz(server))[0] != status:
        pass
    return said[1]


def kill(pid: int) -> None:
    """Kills a process, if it does not die already."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def test_a_worker_that_ends_before_it_has_its_orders_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    made = asyncio.create_subprocess_exec

    async def runs() -> None:
        begun = asyncio.Semaphore(0)

        async def over(*_: object, **__: object) -> Process:
            begun.release()
            process = await made("true", stdin=PIPE, stdout=PIPE)
            await process.wait()
            return process

        async def serve() -> None:
            async with working(1, tmp_path, Settings(), {}, set()):
                raise AssertionError("none was ever up")

        async def twice() -> None:
            for _ in range(2):
                await begun.acquire()

        monkeypatch.setattr(asyncio, "create_subprocess_exec", over)
        serving, again = asyncio.create_task(serve()), asyncio.create_task(twice())
        await asyncio.wait((serving, again), return_when=asyncio.FIRST_COMPLETED)
        assert again.done()
        assert serving.cancel()
        await asyncio.wait((serving,))

    uvloop.run(runs())


async def until_missed(server: Server, *lives: int) -> str:
    """What `healthz` says when it misses a worker.

    The others than `lives` are killed, again if they are back before anybody has asked.
    """
    said = 200, ""
    while said[0] == 200:
        for pid in set(server.workers()) - set(lives):
            kill(pid)
        said = await healthz(server)
    return said[1]


@ON_SQLITE
async def test_a_dead_worker_leaves_the_phones_to_the_others_until_it_is_back(
    sample: Installation, database_url: str
):
    async with served(sample.data_dir, database_url, *TWO, errors=asyncio.subprocess.PIPE) as server:
        (dies, _), (lives, goes_on) = one_of_each(server).items()
        assert await healthz(server) == (
            200,
            "ok: portal, provisioning, sip, worker 1, worker 2, database\n",
        )
        assert "worker" in await until_missed(server, lives)
        assert fetch(goes_on, MODEL_FILE)[0] == 200
        assert (await ask(server, MODEL_FILE)).status == 200
        await until_healthz(server, 200)
        again = one_of_each(server)
        assert len(again) == 2
        assert lives in again
        assert dies not in again
        assert {fetch(each, MODEL_FILE)[0] for each in again.values()} == {200}
        errors = server.process.stderr
        assert errors is not None
        said = (await errors.readline()).decode()
        assert "killed by signal 9; started again in 0.25 s" in said


@ON_SQLITE
async def test_connections_wait_while_no_worker_is_alive(sample: Installation, database_url: str):
    async with served(sample.data_dir, database_url, *TWO) as server:
        await until_missed(server)
        assert (await ask(server, MODEL_FILE)).status == 200


@ON_SQLITE
async def test_workers_end_when_their_parent_is_killed(sample: Installation, database_url: str):
    async with served(sample.data_dir, database_url, *TWO) as server:
        workers = server.workers()
        assert len(workers) == 2
        server.process.kill()
        await server.process.wait()
        wait_until(lambda: not any(map(is_alive, workers)))


@ON_SQLITE
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_all_end_in_order_and_what_they_remember_is_stored(
    sample: Installation, database_url: str, number: signal.Signals
):
    async with served(sample.data_dir, database_url, *TWO, errors=asyncio.subprocess.PIPE) as server:
        both = one_of_each(server)
        for turn, each in enumerate(both.values()):
            assert fetch(each, f"/00156500000{turn}.cfg")[0] == 404
        server.process.send_signal(number)
        _, errors = await server.process.communicate()
        assert server.process.returncode == 0
        assert b"Traceback" not in errors
        assert b"worker" not in errors
        assert not any(map(is_alive, both))
    async with sample.database.read() as session:
        kept = set(await session.scalars(select(ProvisioningRequestRow.mac)))
    assert {"001565000000", "001565000001"} <= kept


async def test_nothing_that_a_worker_has_acknowledged_is_lost_when_it_is_killed(
    sample: Installation, database_url: str
):
    path = f"/{await service_of(sample, T46S)}/{T46S}-local.cfg"
    brought = 0

    async def bring(server: Server) -> None:
        nonlocal brought
        while True:
            # The worker that has the phone may die: the phone comes back with what it could not bring.
            with suppress(aiohttp.ClientError, OSError):
                content = f"linekey.1.label = {brought + 1}\n".encode()
                assert (await ask(server, path, method="PUT", data=content)).status == 200
                brought += 1

    async with served(sample.data_dir, database_url, *TWO) as server:
        bringing = asyncio.create_task(bring(server))
        for turn in range(ROUNDS):
            goal = brought + 2 + turn % 5
            while brought < goal and not bringing.done():
                await healthz(server)
            assert not bringing.done(), bringing.exception()
            # The parent may not have noticed the last death yet when it says that all are up.
            while len(alive := server.workers()) < 2:
                await healthz(server)
            kill(alive[turn % 2])
            acknowledged = brought
            # The phone goes on meanwhile: the newest is what it brought last, or later.
            newest = await show_upload(sample, MacAddress(T46S), Backup.LOCAL)
            assert int(newest.split(" = ")[1]) >= acknowledged
            await until_healthz(server, 200)
        bringing.cancel()
        with suppress(asyncio.CancelledError):
            await bringing
    kept = await list_uploads(sample, MacAddress(T46S), Backup.LOCAL)
    assert kept[0].version >= brought
    for each in kept:
        shown = await show_upload(sample, MacAddress(T46S), Backup.LOCAL, each.version)
        assert shown == f"linekey.1.label = {each.version}\n"


async def test_what_the_command_changes_every_worker_serves_at_once(
    sample: Installation, database_url: str, tmp_path: Path
):
    config = tmp_path / "centralka.toml"
    async with served(sample.data_dir, database_url, *TWO) as server:
        both = list(one_of_each(server).values())
        assert [fetch(each, f"/{T46S}.cfg")[0] for each in both] == [404, 404]
        await claims.claim(sample, MacAddress(T46S), COMMAND_LINE)
        assert [fetch(each, f"/{T46S}.cfg")[0] for each in both] == [200, 200]
        changed = tmp_path / "changed.yaml"
        text = SAMPLE.read_text(encoding="utf-8").replace("Dział sprzedaży", "Handel")
        changed.write_text(text, encoding="utf-8")
        done = run_command("apply", changed, "--data-dir", sample.data_dir, "--config", config)
        assert done.status == 0, done.err
        for each in both:
            assert b"Handel" in fetch(each, f"/{T46S}.cfg")[1]
        done = run_command("devices", "release", T46S, "--data-dir", sample.data_dir, "--config", config)
        assert done.status == 0, done.err
        assert [fetch(each, f"/{T46S}.cfg")[0] for each in both] == [404, 404]


@ON_SQLITE
async def test_workers_serve_phones_over_tls_too(sample: Installation, database_url: str, tmp_path: Path):
    chain, key = make_certificate(tmp_path, "first")
    tables = f'[tls]\ncertificate = "{chain}"\nprivate_key = "{key}"\n'
    options = (*TWO, "--provisioning-tls", "127.0.0.1:0")
    async with served(sample.data_dir, database_url, *options, tables=tables) as server:
        url = f"{server.provisioning_tls_url}{MODEL_FILE}"
        code, output = await run(program("curl"), "-sS", "--cacert", str(chain), url)
        assert code == 0, output
        assert "lang.gui = Polish" in output


@ON_POSTGRESQL
async def test_what_a_worker_is_told_stands_neither_in_its_arguments_nor_in_its_environment(
    sample: Installation, database_url: str
):
    secret = database_url.encode()
    async with served(sample.data_dir, database_url, *TWO) as server:
        for pid in server.workers():
            told = [Path(f"/proc/{pid}/{name}") for name in ("cmdline", "environ")]
            assert [secret in each.read_bytes() for each in told] == [False, False]


def test_a_worker_that_keeps_dying_is_started_ever_later_and_one_that_lasted_soon():
    waits = [0.0]
    for _ in range(9):
        waits.append(wait_s(waits[-1], up_s=0.1))
    assert waits[1:] == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]
    assert wait_s(waits[-1], up_s=31) == 0.25
