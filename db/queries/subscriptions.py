"""Subscriptions that the next server will know nothing of, and what it has to say to each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from db.writing import Writer


class KeptSubscription(NamedTuple):
    """A row of `subscriptions`, in the order in which it is written."""

    tag: str
    "Ours, in its dialog."
    remote: str
    local_address: str
    farewell: str
    "The NOTIFY that ends it."


_KEEP = (
    "INSERT INTO subscriptions (tag, remote, local_address, farewell) VALUES (?, ?, ?, ?) ON CONFLICT (tag)"
    " DO UPDATE SET remote = excluded.remote, local_address = excluded.local_address,"
    " farewell = excluded.farewell"
)


async def keep(writer: Writer, rows: Sequence[KeptSubscription]) -> None:
    """Writes them, or how they are now."""
    await writer.many(_KEEP, rows)


async def forget(writer: Writer, tags: Collection[str]) -> None:
    """They are over."""
    await writer.many("DELETE FROM subscriptions WHERE tag = ?", [(tag,) for tag in tags])


async def take(writer: Writer) -> list[KeptSubscription]:
    """All there are, which are gone then."""
    rows = await writer.rows("SELECT tag, remote, local_address, farewell FROM subscriptions ORDER BY id")
    await writer.rows("DELETE FROM subscriptions")
    return [KeptSubscription(*row) for row in rows]
