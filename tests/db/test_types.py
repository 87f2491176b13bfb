from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import StatementError

from db.engine import Database
from db.schema import AlarmRow, BalanceRow, CustomerRow
from db.schema.types import Money

DIALECT = sqlite.dialect()


async def test_a_moment_comes_back_as_the_same_moment_in_utc(database: Database) -> None:
    # Half past two on the night that Warsaw's clocks go back, the first time.
    at = datetime(2026, 10, 25, 2, 30, 0, 1, tzinfo=timezone(timedelta(hours=2)))
    async with database.change() as session:
        session.add(AlarmRow(kind="x", text="y", at=at))
    async with database.read() as session:
        alarm = (await session.scalars(select(AlarmRow).where(AlarmRow.at == at))).one()
    assert alarm.at == at
    assert alarm.at.tzinfo is UTC


async def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="no time zone"):
        async with database.change() as session:
            session.add(AlarmRow(kind="x", text="y", at=datetime(2026, 1, 1)))


async def test_sums_of_money_are_exact(database: Database, now: datetime) -> None:
    async with database.change() as session:
        customer = CustomerRow(login="a", name="A", created_at=now)
        session.add(customer)
        await session.flush()
        session.add_all(
            BalanceRow(customer_id=customer.id, currency=currency, amount=Decimal(amount))
            for currency, amount in (("PLN", "0.1"), ("EUR", "0.2"), ("CZK", "9000000000000.000001"))
        )
    async with database.read() as session:
        assert await session.scalar(select(func.sum(BalanceRow.amount))) == Decimal("9000000000000.300001")
        assert await session.scalar(select(CustomerRow.credit_limit)) is None


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=6))
def test_any_amount_of_six_decimals_comes_back(amount: Decimal) -> None:
    stored = Money().process_bind_param(amount, DIALECT)
    assert Money().process_result_value(stored, DIALECT) == amount


@pytest.mark.parametrize(
    "amount", [0.1, 1, "1", True, Decimal("0.0000001"), Decimal("NaN"), Decimal("Infinity"), Decimal("1e13")]
)
def test_what_is_not_an_exact_amount_is_refused(amount: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        Money().process_bind_param(amount, DIALECT)
