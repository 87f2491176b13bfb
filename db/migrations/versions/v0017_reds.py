"""What went wrong with a number in test calls, until the same has passed, stands in its newest proof.

Before, its newest proof alone said how it stands: one plain call that passed made a number green in which
nothing else had.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision: str | None = "0016"

_LIVE = '%"live": true%'


def upgrade() -> None:
    """Add the column, and find out what is wrong now by the proofs that are kept."""
    op.add_column("proofs", sa.Column("reds", sa.Text()))
    connection = op.get_bind()
    # The details are long, and those of a number's whole trial need not be read.
    found = connection.execute(
        sa.text(
            "SELECT id, customer_id, number, passed, calls, CASE WHEN fingerprint IS NOT NULL THEN 'whole'"
            " WHEN details LIKE :live THEN 'live' ELSE 'plain' END FROM proofs"
            " ORDER BY customer_id, number, id"
        ),
        {"live": _LIVE},
    ).all()
    update = sa.text("UPDATE proofs SET reds = :reds WHERE id = :id")
    for _, rows in groupby(found, lambda row: (row[1], row[2])):
        newest, reds = _reds(rows)
        if reds:
            connection.execute(update, {"reds": json.dumps(reds), "id": newest})


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("proofs", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_column("reds")


def _reds(rows: Iterable[Any]) -> tuple[int, list[dict[str, Any]]]:
    """The newest proof of a number, and what is wrong after it."""
    newest, reds = 0, dict[str, dict[str, Any]]()
    for newest, _, _, passed, calls, way in rows:
        if not passed:
            most = max(calls, reds[way]["calls"]) if way in reds else calls
            reds[way] = {"way": way, "test_call": newest, "calls": most}
        elif way == "whole":
            reds = {name: red for name, red in reds.items() if name == "live"}
        elif way in reds and reds[way]["calls"] <= calls:
            del reds[way]
    return newest, list(reds.values())
