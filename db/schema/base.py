"""The declarative base: names of constraints, types of annotations, ids that are never used twice."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, LargeBinary, MetaData, Table, Text, inspect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from db.schema.types import Id, Money, UtcDateTime

NAMING = {
    "pk": "pk_%(table_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
}


class Base(DeclarativeBase):
    """Every table. Columns named `*_sealed` hold what `db.vault` encrypted, and nothing else.

    Closed lists of words have a CHECK. Lists that grow with features (key types, kinds of alarms, verbs
    of the audit) have none: each new word would cost SQLite a rebuild of the table.
    """

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        bytes: LargeBinary(),
        datetime: UtcDateTime(),
        Decimal: Money(),
    }

    def __init__(self, **values: Any) -> None:
        """A new row; what is not given is the column's default, or NULL, at once.

        SQLAlchemy would fill that in with the INSERT alone. Where a list is written anew it turns a new
        row with an old key into an UPDATE, in which the old row's values would live on.
        """
        for attribute in inspect(type(self)).column_attrs:
            column = attribute.columns[0]
            if column.default is not None:
                values.setdefault(attribute.key, column.default.arg)
            elif column.nullable:
                values.setdefault(attribute.key, None)
        self.registry.constructor(self, **values)


class Numbered(Base):
    """A table whose rows have a number. SQLite, too, never gives the number of a deleted row to another."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(Id, primary_key=True, sort_order=-1)

    @classmethod
    def __table_cls__(cls, *args: Any, **options: Any) -> Table:
        return Table(*args, sqlite_autoincrement=True, **options)


def one_of(column: str, *words: str) -> CheckConstraint:
    """The CHECK of a closed list of words (NULL, where the column allows it, passes)."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(word) for word in words)})", name=column)


def owned_one() -> Any:
    """A relationship to a row that belongs to this one alone, or to none: it goes likewise."""
    return relationship(lazy="raise_on_sql", cascade="all, delete-orphan", passive_deletes=True)


def owned(order_by: str, **options: Any) -> Any:
    """A relationship to rows that belong to this one alone: they go when it goes or lets go of them."""
    return relationship(
        lazy="raise_on_sql", cascade="all, delete-orphan", passive_deletes=True, order_by=order_by, **options
    )
