from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import LargeBinary, Table, func, select
from sqlalchemy.exc import IntegrityError

from db import schema as s
from db.engine import Database


async def insert(database: Database, *rows: Any) -> None:
    async with database.change() as session:
        session.add_all(rows)


def test_every_foreign_key_has_an_index_that_begins_with_it() -> None:
    # Else each deletion of a customer would scan every table that refers to it.
    def leading(table: Table) -> set[str]:
        indexes = [index.columns for index in table.indexes]
        keys = [
            key.columns
            for key in table.constraints
            if hasattr(key, "columns") and not hasattr(key, "elements")
        ]
        return {next(iter(columns)).name for columns in (*indexes, *keys) if len(columns)}

    missing = [
        f"{table.name}.{column.name}"
        for table in s.metadata.sorted_tables
        for column in table.columns
        if column.foreign_keys and column.name not in leading(table)
    ]
    assert missing == []


def test_sealed_columns_and_no_others_hold_bytes() -> None:
    columns = [column for table in s.metadata.sorted_tables for column in table.columns]
    assert {column for column in columns if isinstance(column.type, LargeBinary)} == {
        column for column in columns if column.name.endswith("_sealed")
    }


async def test_two_customers_may_use_the_same_extension_but_not_the_same_line(
    database: Database, now: datetime
) -> None:
    def customer(login: str, **kwargs: Any) -> s.CustomerRow:
        return s.CustomerRow(login=login, name=login, created_at=now, **kwargs)

    def line() -> s.LineRow:
        return s.LineRow(number="48223809887", product_id=1, password_sealed=b"", created_at=now)

    await insert(
        database,
        customer("a", extensions=[s.ExtensionRow(number="101")], lines=[line()]),
        customer("b", extensions=[s.ExtensionRow(number="101")]),
    )
    with pytest.raises(IntegrityError):
        await insert(database, customer("c", lines=[line()]))
    with pytest.raises(IntegrityError):
        await insert(
            database, customer("d", extensions=[s.ExtensionRow(number="1"), s.ExtensionRow(number="1")])
        )


@pytest.mark.parametrize(
    "wrong",
    [
        {"level": "model", "vendor": "yealink"},
        {"level": "vendor", "vendor": "yealink", "model": "T46S"},
        {"level": "vendor"},
        {"level": "planet", "vendor": "yealink"},
        {"level": "vendor", "vendor": "yealink", "kind": "mood"},
        {"level": "vendor", "vendor": "yealink", "value": None},
        {"level": "vendor", "vendor": "yealink", "value_sealed": b"x"},
    ],
)
async def test_a_setting_has_one_level_with_its_own_subject_and_one_value(
    database: Database, wrong: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError):
        await insert(database, s.SettingRow(**{"kind": "parameter", "name": "x", "value": "1"} | wrong))


async def test_a_level_says_a_thing_once(database: Database) -> None:
    def setting(model: str, kind: str) -> s.SettingRow:
        return s.SettingRow(level="model", model=model, kind=kind, name="x", value="1")

    await insert(database, setting("T46S", "option"), setting("T46S", "parameter"), setting("T48S", "option"))
    with pytest.raises(IntegrityError):
        await insert(database, setting("T46S", "option"))


async def test_staff_belong_to_no_customer_and_others_to_one(database: Database) -> None:
    await insert(database, s.UserRow(login="op", role="operator"))
    with pytest.raises(IntegrityError):
        await insert(database, s.UserRow(login="x", role="customer"))


async def test_a_customer_takes_all_of_its_own_along_and_leaves_what_happened(
    database: Database, sample: Any
) -> None:
    async with database.change() as session:
        await sample(session)
    async with database.change() as session:
        for row in (s.LedgerEntryRow, s.CallRecordRow):
            await session.delete((await session.scalars(select(row))).one())
        await session.delete((await session.scalars(select(s.CustomerRow))).one())
    async with database.read() as session:
        left = {
            table.name
            for table in s.metadata.sorted_tables
            if await session.scalar(select(func.count()).select_from(table))
        }
    stock = {"products", "features", "product_features"}
    happened = {"audit", "provisioning_requests", "misses", "bans", "pnp_inbox", "firmware"}
    told = {"told_hosts", "subscriptions"}
    assert left - stock == {*happened, *told, "changes", "instance", "nodes", "rate_plans", "rates"}


async def test_a_customer_with_calls_on_its_bill_stays(database: Database, sample: Any) -> None:
    async with database.change() as session:
        await sample(session)
    with pytest.raises(IntegrityError):
        async with database.change() as session:
            await session.delete((await session.scalars(select(s.CustomerRow))).one())


async def test_a_list_of_keys_can_be_written_anew_in_place(database: Database, sample: Any) -> None:
    async with database.change() as session:
        await sample(session)
    async with database.change() as session:
        device = (await session.scalars(select(s.DeviceRow))).one()
        await session.refresh(device, ["keys"])
        device.keys = [s.DeviceKeyRow(position=1, type="line"), s.DeviceKeyRow(position=2, type="blf")]
    async with database.read() as session:
        rows = await session.scalars(select(s.DeviceKeyRow).order_by(s.DeviceKeyRow.position))
        # Whatever the old key said besides its type must be gone.
        assert [(row.type, row.value, row.bank) for row in rows] == [("line", "", None), ("blf", "", None)]


async def test_the_number_of_a_deleted_row_is_never_given_again(database: Database) -> None:
    def setting() -> s.SettingRow:
        return s.SettingRow(level="vendor", vendor="yealink", kind="option", name="x", value="1")

    first = setting()
    await insert(database, first)
    async with database.change() as session:
        await session.delete(await session.get_one(s.SettingRow, first.id))
    second = setting()
    await insert(database, second)
    assert second.id > first.id


async def test_a_rate_plan_that_a_customer_has_stays(database: Database, sample: Any) -> None:
    async with database.change() as session:
        await sample(session)
    with pytest.raises(IntegrityError):
        async with database.change() as session:
            await session.delete((await session.scalars(select(s.RatePlanRow))).one())


async def test_a_line_is_paid_in_one_of_three_ways(database: Database, sample: Any) -> None:
    async with database.change() as session:
        await sample(session)
    async with database.read() as session:
        line = (await session.scalars(select(s.LineRow))).one()
        assert (line.type, str(line.credit_limit)) == ("credit", "5.000000")
    with pytest.raises(IntegrityError):
        async with database.change() as session:
            (await session.scalars(select(s.LineRow))).one().type = "barter"
