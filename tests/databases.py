"""Databases for the tests: each test gets its own, on SQLite and on PostgreSQL.

PostgreSQL is Debian's, started once for the whole run on a socket in a temporary directory.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from db import migrations
from db.engine import Database

_OPTIONS = (
    "-c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    # Databases come and go by the hundred: to drop one is to look through all shared memory, and none lives
    # long enough to be worth vacuuming.
    " -c shared_buffers=32MB -c autovacuum=off -c jit=off -c wal_level=minimal -c max_wal_senders=0"
    # A server in another zone shows whether moments are kept as moments.
    " -c timezone=Asia/Kathmandu"
)


def pytest_configure() -> None:
    """Puts the folders of tests into memory: SQLite waits for a disk at each commit, and none has to last."""
    memory = _memory()
    if memory is not None:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))


@dataclass
class PostgresServer:
    """A running PostgreSQL that belongs to this run of the tests."""

    directory: Path
    "Where its socket lies."
    programs: Path
    "Where Debian has put the program's own commands."
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, name: str) -> str:
        """The URL of its database `name`."""
        return f"postgresql://postgres@/{name}?host={self.directory}"

    def create(self, template: str = "template1") -> str:
        """Make a database like `template` and return its name."""
        name = f"centralka_{next(self._numbers)}"
        # Copied as files: page by page, through the log, takes twice as long.
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        self._execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop(self, name: str) -> None:
        """Drop the database `name`, whoever is still connected."""
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def start(self) -> None:
        """Starts the server, and returns when it takes connections."""
        options = f"-k {self.directory} {_OPTIONS}"
        self.run("pg_ctl", "start", "-w", "-t", "60", "-l", self.directory / "log", "-o", options)

    def stop(self, mode: str = "fast") -> None:
        """Stops the server, whoever is connected; `immediate` is as if it had crashed."""
        # It finds the server by the process id that this data directory names.
        self.run("pg_ctl", "stop", "-w", "-m", mode)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """It takes connections and says nothing, for as long as the context lasts."""
        processes = self.processes()
        for pid in processes:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in processes:
                os.kill(pid, signal.SIGCONT)

    def processes(self) -> list[int]:
        """All processes of the running server, the first one first."""
        first = (self.directory / "data" / "postmaster.pid").read_text().split()[0]
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [int(first), *map(int, children)]

    def run(self, program: str, *arguments: str | Path) -> None:
        """Runs one of the package's programs on the data directory, as a user that it accepts."""
        account = _owner()
        done = subprocess.run(
            [self.programs / program, "-D", self.directory / "data", *arguments],
            cwd=self.directory,
            user=account and account.pw_uid,
            group=account and account.pw_gid,
            extra_groups=account and [],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The server. Without Debian's package its tests are skipped, but fail where `CI` is set."""
    with running_postgres() as server:
        yield server


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """A server of its own, up when the context begins; skips the test, or fails it, as `postgres` does."""
    # The initdb on the PATH may be a wrapper, so the package's own directory is asked.
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not found:
        missing = "PostgreSQL is not installed: apt install postgresql"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    # Not one of pytest's own directories: a socket's path is at most 107 bytes long.
    directory = Path(tempfile.mkdtemp(prefix="centralka-postgres-", dir=_memory()))
    account = _owner()
    if account is not None:
        os.chown(directory, account.pw_uid, account.pw_gid)
    server = PostgresServer(directory, found[-1])
    try:
        server.run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory)


def _owner() -> pwd.struct_passwd | None:
    """As whom the server runs where we are root, for it refuses to; the package has made this user."""
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None


def _memory() -> Path | None:
    """A file system in memory with room for databases: each test makes one, of 300 files on PostgreSQL."""
    memory = Path("/dev/shm")  # noqa: S108
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2**30:
        return memory
    return None


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy from."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrations.upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_postgres(postgres: PostgresServer) -> str:
    """The name of a migrated PostgreSQL database to copy from."""
    name = postgres.create()
    migrations.upgrade(postgres.url(name))
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without a schema, once on each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'centralka.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database of the test's own, once on each engine."""
    with migrated(request, tmp_path) as url:
        yield url


@contextmanager
def migrated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database of the test's own, on the engine that `request.param` names."""
    if request.param == "sqlite":
        file = tmp_path / "centralka.db"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), file)
        file.chmod(0o600)
        yield f"sqlite:///{file}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.create(request.getfixturevalue("migrated_postgres"))
    yield server.url(name)
    server.drop(name)


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The migrated database, opened."""
    opened = await Database.open(database_url)
    yield opened
    await opened.close()
