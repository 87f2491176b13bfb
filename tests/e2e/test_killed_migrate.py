"""kill -9 in the middle of `migrate` leaves the schema that was there, or the new one, and all data in it."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from db import migrations
from db.engine import Database
from tests.copies import config_file, contents
from tests.databases import PostgresServer
from tests.db.conftest import insert_sample
from tests.forked import Moments, Run, forking

ROUNDS = 50 if os.environ.get("CENTRALKA_PROVE") else 2
OLD = "0001"


@contextmanager
def copy(request: pytest.FixtureRequest, url: str, folder: Path) -> Iterator[str]:
    """Another database like the one at `url`."""
    parsed = make_url(url)
    if parsed.drivername == "sqlite":
        file = folder / "copy.db"
        shutil.copyfile(str(parsed.database), file)
        yield f"sqlite:///{file}"
        for each in folder.glob("copy.db*"):
            each.unlink()
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.create(str(parsed.database))
    yield server.url(name)
    server.drop(name)


async def test_a_database_whose_migration_is_killed_is_as_before_or_migrated(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path
):
    database = await Database.open(database_url)
    async with database.change() as session:
        await insert_sample(session, "firma", "48223809887", "0015654aa937", str.encode)
    await database.close()
    migrations.downgrade(database_url, OLD)
    before = contents(database_url)
    with forking() as commands:

        def migrate(url: str, killed_after_s: float | None = None) -> Run:
            return commands.run(
                "migrate", "--config", config_file(tmp_path, url), killed_after_s=killed_after_s
            )

        with copy(request, database_url, tmp_path) as url:
            run = migrate(url)
            assert run.was_acknowledged, run.said
            after = contents(url)
        moments, seen = Moments(ROUNDS, run.lasted_s), Counter[str]()
        while (killed := seen["as before"] + seen["migrated"]) < ROUNDS:
            with copy(request, database_url, tmp_path) as url:
                run = migrate(url, moments.of(killed))
                settled(url)
                is_new = migrations.current(url) == migrations.head()
                assert is_new or migrations.current(url) == OLD
                assert contents(url) == (after if is_new else before)
                if run.was_killed:
                    seen["migrated" if is_new else "as before"] += 1
                else:
                    assert run.was_acknowledged, run.said
                    assert is_new
                    seen["ended before"] += 1
                    moments.measured(run)
                again = migrate(url)
                assert again.was_acknowledged, again.said
                if not is_new:
                    moments.measured(again)
                assert contents(url) == after
    sys.stderr.write(f"killed {ROUNDS} times: {dict(seen)}\n")


def settled(url: str) -> None:
    """Returns when the transaction of a killed command is over, one way or the other."""
    with migrations.migrating(url):
        pass
