"""PostgreSQL stops or hangs while phones are served, and comes back."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

import pytest
from sqlalchemy import func, select

from db import migrations
from db.schema import NodeRow, ProvisioningRequestRow
from provisioner.app import serving
from provisioner.operations.asking import Reason
from provisioner.operations.installation import Installation
from sip.digest import parse_challenges
from tests.databases import PostgresServer, running_postgres
from tests.provisioner.conftest import SAMPLE, apply_text
from tests.provisioner.processes import Server, connections, served, wait_until
from tests.provisioner.web.asking import T23G, T46S, T54W, UNLISTED, claim, service_of, settled, token_of
from tests.provisioner.web.test_digest import answered

Told = tuple[int, str | None, bytes]
"Status, Retry-After and body."
MANY = 200
AT_ONCE_S = MANY * 0.2
"For all of them: if they waited for the database, it would be for two seconds each."
AWAY_S, AWAY = (60, ("crashed", "hangs")) if os.environ.get("CENTRALKA_PROVE") else (0, ("crashed",))
"How long phones go on asking, once in any case; and what PostgreSQL does meanwhile."
PATIENCE_S = 30
"Whoever waits longer for an answer waits for ever."
UNAVAILABLE: Told = (503, "60", b"Try again later.\n")
CHANGES = b"linekey.1.label = 1\n"
TIME = "customers: [{login: nowyklienttestowy, phone: {ntp_servers: [ntp.example.com]}}]"


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgresServer]:
    """A server that no other test needs."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def database_url(cluster: PostgresServer) -> Iterator[str]:
    name = cluster.create()
    migrations.upgrade(cluster.url(name))
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture
async def sample(installation: Installation) -> Installation:
    """The sample company with two phones that have their own addresses, and one in its window."""
    await apply_text(installation, SAMPLE.read_text(encoding="utf-8"), SAMPLE.name)
    async with serving(installation, lambda _: None) as server:
        for mac in (T46S, T23G):
            await settled(installation, server, mac)
    await claim(installation, T54W)
    return installation


@contextmanager
def stopped(cluster: PostgresServer, mode: str = "fast") -> Iterator[None]:
    """The server lets everybody go, and is started again at the end."""
    cluster.stop(mode)
    try:
        yield
    finally:
        cluster.start()


def asked(
    connection: HTTPConnection, path: str, method: str = "GET", body: bytes | None = None, login: str = ""
) -> Told:
    connection.request(method, path, body, {"Authorization": login} if login else {})
    response = connection.getresponse()
    return response.status, response.getheader("Retry-After"), response.read()


def logged_in(connection: HTTPConnection, mac: str, token: str) -> Told:
    """The phone's own file by HTTP Digest, after a challenge."""
    path = f"/auth/{mac}.cfg"
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    assert response.status == 401
    challenge = parse_challenges([response.getheader("WWW-Authenticate", "")])[0]
    return asked(connection, path, login=answered(challenge, mac, token, path))


def health(url: str) -> tuple[int, str]:
    host, _, port = url.removeprefix("http://").partition(":")
    status, _, said = asked(HTTPConnection(host, int(port)), "/healthz")
    return status, said.decode()


def fetched_at_once(connection: HTTPConnection, path: str) -> list[Told]:
    """The same file many times."""
    began = time.monotonic()
    told = [asked(connection, path) for _ in range(MANY)]
    assert time.monotonic() - began < AT_ONCE_S
    return told


@pytest.mark.parametrize("workers", [1, 2])
async def test_files_that_are_kept_go_out_while_postgresql_is_stopped(
    sample: Installation, database_url: str, cluster: PostgresServer, tmp_path: Path, workers: int
):
    token = await token_of(sample, T46S)
    own, other = f"/{token}/{T46S}.cfg", f"/{await token_of(sample, T23G)}/{T23G}.cfg"
    service = f"/{await service_of(sample, T46S)}"
    with (tmp_path / "errors").open("wb") as errors:
        options = ("--workers", str(workers))
        async with served(sample.data_dir, database_url, *options, errors=errors.fileno()) as server:
            pids = server.workers() or [server.pid]
            await leases_are(sample, server)
            doors = [each for (each,) in connections(server.address, pids).values()]
            before = [asked(each, own) for each in doors]
            assert [logged_in(each, T46S, token) for each in doors] == before
            with stopped(cluster):
                for each, kept in zip(doors, before, strict=True):
                    assert kept[0] == 200
                    assert fetched_at_once(each, own) == [kept] * MANY
                    assert logged_in(each, T46S, token) == kept
                    # What was never asked, and what has to be kept; listed and unlisted look alike.
                    for path in (other, f"/{T54W}.cfg", f"/{UNLISTED}.cfg", f"{service}/action/hold"):
                        assert asked(each, path) == UNAVAILABLE
                    assert asked(each, f"{service}/{T46S}-local.cfg", "PUT", CHANGES) == UNAVAILABLE
                assert health(server.portal_url) == (503, "the database does not answer\n")
            await leases_are(sample, server)
            wait_until(lambda: health(server.portal_url)[0] == 200)
            for each in doors:
                wait_until(partial(answers, each, other))
            await apply_text(sample, TIME)
            for each in doors:
                assert b"ntp.example.com" in asked(each, own)[2]
                assert asked(each, f"{service}/action/hold")[0] == 200
                assert asked(each, f"{service}/{T46S}-local.cfg", "PUT", CHANGES)[0] == 200
            assert asked(doors[0], f"/{T54W}.cfg")[0] == 200
        assert server.process.returncode == 0
    # What was asked without a database is written down when it is back.
    said, reasons = (tmp_path / "errors").read_text(), await counted_reasons(sample)
    assert reasons[Reason.KEPT] >= MANY / 2, (reasons, said)
    assert "Traceback" not in said


async def test_files_that_are_kept_go_out_while_postgresql_hangs(
    sample: Installation, database_url: str, cluster: PostgresServer
):
    own, other = [f"/{await token_of(sample, mac)}/{mac}.cfg" for mac in (T46S, T23G)]
    async with served(sample.data_dir, database_url) as server:
        (door,) = connections(server.address, [server.pid])[server.pid]
        await leases_are(sample, server)
        kept = asked(door, own)
        assert kept[0] == 200
        with cluster.hanging():
            # It is waited for once; by then the lease has lapsed, too.
            assert asked(door, other) == UNAVAILABLE
            assert fetched_at_once(door, own) == [kept] * MANY
            assert health(server.portal_url) == (503, "the database does not answer\n")
        wait_until(lambda: health(server.portal_url)[0] == 200)
        await leases_are(sample, server)
        await apply_text(sample, TIME)
        assert b"ntp.example.com" in asked(door, own)[2]
    assert server.process.returncode == 0
    assert (await counted_reasons(sample))[Reason.KEPT] >= MANY / 2


@pytest.mark.parametrize("how", AWAY)
async def test_for_as_long_as_postgresql_is_away_each_request_is_answered_and_then_all_heals(
    sample: Installation, database_url: str, cluster: PostgresServer, tmp_path: Path, how: str
):
    own, service = f"/{await token_of(sample, T46S)}/{T46S}.cfg", f"/{await service_of(sample, T46S)}"
    brought = f"{service}/{T46S}-local.cfg"
    with (tmp_path / "errors").open("wb") as errors:
        async with served(sample.data_dir, database_url, errors=errors.fileno()) as server:
            door = HTTPConnection(*server.address, timeout=PATIENCE_S)
            await leases_are(sample, server)
            kept, closed = asked(door, own), asked(door, f"/{UNLISTED}.boot")
            assert (kept[0], closed[0]) == (200, 404)
            with stopped(cluster, "immediate") if how == "crashed" else cluster.hanging():
                until = time.monotonic() + AWAY_S
                while True:
                    assert asked(door, brought, "PUT", CHANGES) == UNAVAILABLE
                    assert asked(door, f"{service}/action/hold") == UNAVAILABLE
                    assert asked(door, own) == kept
                    assert asked(door, f"/{UNLISTED}.boot") == closed
                    if time.monotonic() >= until:
                        break
            await leases_are(sample, server)
            wait_until(lambda: health(server.portal_url)[0] == 200)
            await apply_text(sample, TIME)
            assert b"ntp.example.com" in asked(door, own)[2]
            assert asked(door, brought, "PUT", CHANGES)[0] == 200
            assert asked(door, f"{service}/action/hold")[0] == 200
        assert server.process.returncode == 0
    assert (await counted_reasons(sample))[Reason.KEPT] >= 1
    assert "Traceback" not in (tmp_path / "errors").read_text()


def answers(connection: HTTPConnection, path: str) -> bool:
    return asked(connection, path)[0] == 200


async def leases(installation: Installation) -> int:
    """How many memories, in whichever process, are trusted now."""
    query = select(func.count()).where(NodeRow.lease_until > func.clock_timestamp())
    async with installation.database.read() as session:
        return await session.scalar(query) or 0


async def leases_are(installation: Installation, server: Server) -> None:
    """Returns when all memories are trusted: that of SIP, and one in each process that serves phones."""
    count = 1 + len(server.workers() or [server.pid])
    async with asyncio.timeout(60):
        while await leases(installation) != count:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def counted_reasons(installation: Installation) -> Counter[str]:
    """How many requests were answered for each reason."""
    query = select(ProvisioningRequestRow.reason, func.count()).group_by(ProvisioningRequestRow.reason)
    async with installation.database.read() as session:
        return Counter({row[0]: row[1] for row in await session.execute(query)})
