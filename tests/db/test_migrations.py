from __future__ import annotations

import json
import sys
from subprocess import Popen
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations

from db import migrations
from db.engine import Database
from db.errors import StorageError
from db.schema import metadata


async def counts(url: str) -> dict[str, int]:
    database = await Database.open(url)
    async with database.read() as session:
        found = {
            table.name: (await session.execute(sa.select(sa.func.count()).select_from(table))).scalar_one()
            for table in metadata.sorted_tables
        }
    await database.close()
    return found


async def fill(url: str, sample: Any) -> None:
    database = await Database.open(url)
    async with database.change() as session:
        await sample(session)
    await database.close()


def test_the_migrations_make_exactly_the_schema(database_url: str) -> None:
    with migrations.migrating(database_url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        # Alembic does not compare these.
        inspector = sa.inspect(connection)
        for table in metadata.sorted_tables:
            checks = {key.name for key in table.constraints if isinstance(key, sa.CheckConstraint)}
            assert {check["name"] for check in inspector.get_check_constraints(table.name)} == checks
            rules = {key.name: key.ondelete for key in table.foreign_key_constraints}
            made = inspector.get_foreign_keys(table.name)
            assert {key["name"]: key["options"].get("ondelete") for key in made} == rules


async def test_they_go_down_and_up_again_with_data_in_every_table(database_url: str, sample: Any) -> None:
    await fill(database_url, sample)
    full = await counts(database_url)
    assert [name for name, count in full.items() if count == 0] == []

    migrations.downgrade(database_url, "base")
    assert migrations.current(database_url) is None

    migrations.upgrade(database_url)
    assert migrations.current(database_url) == migrations.head()
    await fill(database_url, sample)
    assert await counts(database_url) == full


async def test_rebuilding_a_table_deletes_nothing_that_refers_to_it(database_url: str, sample: Any) -> None:
    await fill(database_url, sample)
    full = await counts(database_url)
    with migrations.migrating(database_url) as connection:
        op = Operations(MigrationContext.configure(connection))
        # SQLite can't alter a column in place.
        with op.batch_alter_table("customers") as batch:
            batch.alter_column("company", nullable=True)
    assert await counts(database_url) == full


def half_a_migration(url: str) -> None:
    with migrations.migrating(url) as connection:
        op = Operations(MigrationContext.configure(connection))
        op.drop_table("device_keys")
        op.create_table("halfway", sa.Column("id", sa.Integer(), primary_key=True))
        op.execute("UPDATE nowhere SET x = 1")


async def test_a_migration_that_fails_leaves_the_database_as_it_was(database_url: str, sample: Any) -> None:
    await fill(database_url, sample)
    full = await counts(database_url)
    with pytest.raises(sa.exc.DBAPIError):
        half_a_migration(database_url)
    assert await counts(database_url) == full
    with migrations.migrating(database_url) as connection:
        assert not sa.inspect(connection).has_table("halfway")


# PostgreSQL checks each statement.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_migration_that_would_leave_orphans_is_undone(database_url: str) -> None:
    with (
        pytest.raises(StorageError, match="product_features"),
        migrations.migrating(database_url) as c,
    ):
        c.execute(sa.text("DELETE FROM products"))
    with migrations.migrating(database_url) as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM products")) == 3


def test_two_processes_that_start_at_once_migrate_once(empty_database_url: str) -> None:
    program = f"from db import migrations; migrations.upgrade({empty_database_url!r})"
    processes = [Popen([sys.executable, "-c", program]) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    assert migrations.current(empty_database_url) == migrations.head()


def test_a_database_of_a_newer_program_is_left_alone(database_url: str) -> None:
    with migrations.migrating(database_url) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(migrations.UnknownRevision, match="9999"):
        migrations.upgrade(database_url)
    assert migrations.current(database_url) == "9999"


def test_an_empty_database_is_at_no_revision(empty_database_url: str) -> None:
    assert migrations.current(empty_database_url) is None


async def test_three_products_come_with_it(database: Database) -> None:
    query = sa.text(
        "SELECT p.name, f.name FROM products p JOIN product_features x ON x.product_id = p.id"
        " JOIN features f ON f.id = x.feature_id WHERE x.value = '1' AND NOT x.locked"
    )
    async with database.read() as session:
        assert {tuple(row) for row in await session.execute(query)} == {
            ("telefonia-ip-standard", "centrex"),
            ("telefonia-ip-plus", "centrex"),
            ("telefonia-ip-plus", "call_logs"),
            ("telefonia-ip-plus", "recording"),
            ("telefonia-ip-plus", "group_statistics"),
            ("biznes-trunk", "own_exchange"),
        }


async def test_rows_made_after_the_stock_get_numbers_of_their_own(database: Database) -> None:
    async with database.change() as session:
        await session.execute(sa.text("INSERT INTO products (name, title) VALUES ('x', 'X')"))
    async with database.read() as session:
        assert await session.scalar(sa.text("SELECT id FROM products WHERE name = 'x'")) == 4


async def test_numbers_of_revisions_that_are_gone_do_not_survive_the_way_back(
    database_url: str, sample: Any
) -> None:
    await fill(database_url, sample)
    database = await Database.open(database_url)
    async with database.change() as session:
        kept = await session.scalar(sa.text("SELECT revision_id FROM provisioning_requests"))
        await session.execute(sa.text("UPDATE devices SET fetched_revision_id = 1000000"))
        # The newest of them is deleted before: its number is taken all the same.
        number = await session.scalar(sa.text("SELECT max(id) FROM provisioning_requests"))
        copied = "INSERT INTO provisioning_requests (at, source, user_agent, method, path, status, reason,"
        copied += " sent_bytes) SELECT at, source, user_agent, method, path, status, reason, sent_bytes"
        await session.execute(sa.text(f"{copied} FROM provisioning_requests"))
        await session.execute(sa.text("DELETE FROM provisioning_requests WHERE id > :id"), {"id": number})
    await database.close()

    migrations.downgrade(database_url, "0015")
    with migrations.migrating(database_url) as connection:
        assert connection.scalar(sa.text("SELECT fetched_revision_id FROM devices")) is None
        assert connection.scalar(sa.text("SELECT revision_id FROM provisioning_requests")) == kept is not None
    migrations.upgrade(database_url)

    with migrations.migrating(database_url) as connection:
        assert connection.scalar(sa.text("SELECT revision_id FROM provisioning_requests")) == kept
        connection.execute(sa.text(f"{copied} FROM provisioning_requests"))
        assert connection.scalar(sa.text("SELECT max(id) FROM provisioning_requests")) > number + 1


async def test_what_is_red_is_found_by_the_proofs_that_are_kept(database_url: str, sample: Any) -> None:
    await fill(database_url, sample)
    plain, live, whole = (None, "{}"), (None, '{"live": true}'), ("as expected", "{}")
    made = [
        *(("600", whole, False), ("600", plain, True)),
        *(("601", whole, False), ("601", whole, True)),
        *(("602", live, False), ("602", whole, True)),
        *(("603", plain, False), ("603", plain, True)),
        ("604", plain, True),
    ]
    with migrations.migrating(database_url) as connection:
        connection.execute(sa.text("DELETE FROM proofs"))
        insert = "INSERT INTO proofs (customer_id, number, at, passed, calls, failed, actor, details,"
        insert += " fingerprint) SELECT id, :number, '2026-03-02 12:00:00', :passed, 1, 0, 'cli', :details,"
        connection.execute(
            sa.text(f"{insert} :fingerprint FROM customers"),
            [
                {"number": number, "passed": passed, "details": details, "fingerprint": fingerprint}
                for number, (fingerprint, details), passed in made
            ],
        )
    migrations.downgrade(database_url, "0016")
    migrations.upgrade(database_url)
    with migrations.migrating(database_url) as connection:
        rows = connection.execute(sa.text("SELECT number, reds FROM proofs WHERE reds IS NOT NULL")).all()
    assert {number: [each["way"] for each in json.loads(reds)] for number, reds in rows} == {
        "600": ["whole"],
        "602": ["live"],
    }
