"""Column types that mean the same on SQLite and PostgreSQL: ids, moments, money."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, DateTime, Integer
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

Id = BigInteger().with_variant(Integer(), "sqlite")
"A 64-bit number of a row. SQLite numbers rows by itself only under the exact type name INTEGER."

MICROS = 1_000_000
"Parts of one unit of currency that `Money` keeps."


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. Takes aware times only, keeps UTC, gives back aware UTC times.

    Raises `ValueError` for a naive time: nobody could say later which zone it meant.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone: store aware times")
        # SQLite keeps text without a zone, so what is written there must already be UTC.
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Money(TypeDecorator[Decimal]):
    """An exact amount: `Decimal` in Python, a BIGINT of millionths in the database.

    Raises `ValueError` for more than six decimals or too large an amount, `TypeError` for anything but
    a `Decimal`: a float has already lost what it meant.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if not isinstance(value, Decimal):
            raise TypeError(f"{value!r} is not money: amounts are Decimal")
        if not value.is_finite():
            raise ValueError(f"{value} is not an amount")
        numerator, denominator = value.as_integer_ratio()
        micros, rest = divmod(numerator * MICROS, denominator)
        if rest:
            raise ValueError(f"{value} has more than six decimals")
        if not -(2**63) <= micros < 2**63:
            raise ValueError(f"{value} is more than the database can hold")
        return micros

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        # PostgreSQL sums BIGINT into NUMERIC, which arrives as a Decimal of millionths.
        return None if value is None else Decimal(int(value)).scaleb(-6)
