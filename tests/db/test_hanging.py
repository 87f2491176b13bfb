"""PostgreSQL hangs: it takes connections and says nothing, for as long as it likes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db import migrations, watched
from db.engine import Database
from db.errors import DatabaseUnavailable
from db.freshness import watching
from db.tail import waking
from tests.databases import PostgresServer, running_postgres

Session = Callable[[], AbstractAsyncContextManager[AsyncSession]]
PATIENCE_S = 60
"Whoever waits longer waits for ever. What hangs is given up within ten seconds."
HANGS = "the server hangs: it answers nobody"
COUNT = text("SELECT count(*) FROM instance")


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgresServer]:
    """A server that no other test needs."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="module")
def migrated(cluster: PostgresServer) -> str:
    """The name of a database to copy from."""
    name = cluster.create()
    migrations.upgrade(cluster.url(name))
    return name


@pytest.fixture
def database_url(cluster: PostgresServer, migrated: str) -> Iterator[str]:
    name = cluster.create(migrated)
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_url, busy_s=1)
    yield opened
    await opened.close()


@contextmanager
def hanging(cluster: PostgresServer) -> Iterator[None]:
    """The server hangs. Less patience with it makes the tests shorter, and tells nothing else."""
    with pytest.MonkeyPatch.context() as patch, cluster.hanging():
        patch.setattr(watched, "SILENCE_S", 0.2)
        patch.setattr(watched, "ANSWER_S", 0.5)
        yield


def kinds(database: Database) -> list[Session]:
    return [database.read, database.append, database.change]


async def used(session: Session) -> None:
    async with asyncio.timeout(PATIENCE_S), session() as open_session:
        await open_session.execute(COUNT)


async def test_each_kind_of_session_gives_up_and_works_again_afterwards(
    database: Database, cluster: PostgresServer
):
    # So that there are connections, which nobody knows to be dead.
    for session in kinds(database):
        await used(session)
    with hanging(cluster):
        ended = await asyncio.gather(*map(used, kinds(database)), return_exceptions=True)
    assert [type(each) for each in ended] == [DatabaseUnavailable] * 3
    for session in kinds(database):
        await used(session)


async def test_a_session_that_is_under_way_gives_up_at_its_next_statement(
    database: Database, cluster: PostgresServer
):
    is_open = [asyncio.Event() for _ in range(3)]
    hangs = asyncio.Event()

    async def use(session: Session, began: asyncio.Event) -> None:
        async with asyncio.timeout(PATIENCE_S), session() as open_session:
            await open_session.execute(COUNT)
            began.set()
            await hangs.wait()
            await open_session.execute(COUNT)

    async with asyncio.TaskGroup() as tasks:
        under_way = [
            tasks.create_task(refused(use(session, began)))
            for session, began in zip(kinds(database), is_open, strict=True)
        ]
        for began in is_open:
            await began.wait()
        with hanging(cluster):
            hangs.set()
            await asyncio.wait(under_way)
    assert all(each.result() == HANGS for each in under_way)
    # Nothing of theirs holds anybody up: the server has noticed that they are gone.
    for session in kinds(database):
        await used(session)


async def refused(using: Coroutine[Any, Any, None]) -> str:
    """The fault that the database has, as whoever uses it is told."""
    with pytest.raises(DatabaseUnavailable) as caught:
        await using
    return str(caught.value).removeprefix("the database can't be used now: ")


async def test_a_change_whose_end_is_not_answered_is_not_acknowledged(
    database: Database, cluster: PostgresServer
):
    with ExitStack() as until:

        async def change() -> None:
            async with asyncio.timeout(PATIENCE_S), database.change() as session:
                await session.execute(COUNT)
                until.enter_context(hanging(cluster))

        assert await refused(change()) == HANGS
    await used(database.change)


async def test_a_statement_that_takes_long_is_waited_for_while_the_server_answers_others(
    database_url: str, monkeypatch: pytest.MonkeyPatch
):
    answers: list[bool] = []
    ask = watched._is_answered

    async def asked(conninfo: str, options: dict[str, Any]) -> bool:
        answers.append(await ask(conninfo, options))
        return answers[-1]

    monkeypatch.setattr(watched, "_is_answered", asked)
    monkeypatch.setattr(watched, "SILENCE_S", 0.02)
    # It does answer, on however busy a machine.
    monkeypatch.setattr(watched, "ANSWER_S", PATIENCE_S)
    database = await Database.open(database_url)
    async with database.read() as session:
        await session.execute(text("SELECT pg_sleep(1)"))
        assert await session.scalar(text("SELECT 1")) == 1
    await database.close()
    assert answers
    assert all(answers)


async def test_whoever_hears_of_changes_ends_while_the_server_hangs(
    database: Database, cluster: PostgresServer
):
    with ExitStack() as until:
        async with asyncio.timeout(PATIENCE_S), watching(database) as watcher:
            assert watcher.trusts
            until.enter_context(hanging(cluster))


async def test_whoever_follows_a_log_is_not_held_up_by_a_server_that_hangs(
    database: Database, cluster: PostgresServer
):
    async with asyncio.timeout(PATIENCE_S), waking(database) as waker:
        await waker.wait(0.1)
        with hanging(cluster):
            # The connection that is there, and one that is to be made.
            for _ in range(2):
                await waker.wait(0.1)
        await waker.wait(0.1)
