"""The keys of programs: what opens `/api/v1`, for whom, and until when. Only their hashes are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from db.queries.api_tokens import is_live
from db.schema import ApiTokenRow, CustomerRow
from db.tail import announce
from provisioner.centrex.actor import Actor, Role
from provisioner.centrex.errors import BadValue, NotFound
from provisioner.operations import audit
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.printable import printable
from provisioner.operations.visible import customer_seen
from provisioner.store.fresh import fresh_token, token_hash

_LONGEST_NAME = 100
_USE_NOTED_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Made:
    """A new token, as its maker is told once."""

    id: int
    token: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Token:
    """One token of the list."""

    id: int
    name: str
    customer: str | None
    "None: it is the operator's, and sees every customer."
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    "To about five minutes."
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Bearer:
    """The program that a token speaks for."""

    token_id: int
    customer_id: int | None
    "Whose things alone it sees; None: the operator's program."

    @property
    def actor(self) -> Actor:
        """As who the program does what it does."""
        role = Role.OPERATOR if self.customer_id is None else Role.CUSTOMER
        return Actor(f"token {self.token_id}", role)


async def create_token(
    installation: Installation,
    name: str,
    actor: Actor,
    *,
    customer: str | None = None,
    days: int | None = None,
) -> Made:
    """Makes a token for a customer's program, or the operator's; good for so many days, or until revoked.

    Raises `BadValue` for the name and `NotFound` for the customer.
    """
    if not 0 < len(name) <= _LONGEST_NAME or printable(name) != name or name != name.strip():
        raise BadValue(f"name the token after its program, in 1 to {_LONGEST_NAME} printable characters")
    now = utc_now()
    expires_at = now + timedelta(days=days) if days is not None else None
    token = fresh_token()
    async with installation.database.change() as session:
        customer_id = await customer_seen(session, customer, None) if customer is not None else None
        row = ApiTokenRow(
            name=name,
            hash=token_hash(token),
            role=Role.OPERATOR if customer_id is None else Role.CUSTOMER,
            customer_id=customer_id,
            created_at=now,
            expires_at=expires_at,
        )
        session.add(row)
        await session.flush()
        whose = f"customer {customer}" if customer is not None else "the operator"
        await audit.record(
            session, actor, now, "tokens.create", name, f"token {row.id} for {whose}", customer_id=customer_id
        )
        return Made(row.id, token, expires_at)


async def list_tokens(installation: Installation) -> Sequence[Token]:
    """Every token, the oldest first."""
    query = (
        select(ApiTokenRow, CustomerRow.login)
        .outerjoin(CustomerRow, CustomerRow.id == ApiTokenRow.customer_id)
        .order_by(ApiTokenRow.id)
    )
    async with installation.database.read() as session:
        return [
            Token(row.id, row.name, login, row.created_at, row.expires_at, row.last_used_at, row.revoked_at)
            for row, login in await session.execute(query)
        ]


async def revoke_token(installation: Installation, token_id: int, actor: Actor) -> Token:
    """Ends a token, and what is open under it. One that was revoked before stays as it is.

    Raises `NotFound`.
    """
    now = utc_now()
    async with installation.database.change() as session:
        row = await session.get(ApiTokenRow, token_id)
        if row is None:
            raise NotFound(f"there is no token {token_id}: see `centralka token list`")
        login = await session.scalar(select(CustomerRow.login).where(CustomerRow.id == row.customer_id))
        if row.revoked_at is None:
            row.revoked_at = now
            await announce(session)
            await audit.record(
                session, actor, now, "tokens.revoke", row.name, f"token {row.id}", customer_id=row.customer_id
            )
        return Token(
            row.id, row.name, login, row.created_at, row.expires_at, row.last_used_at, row.revoked_at
        )


async def bearer_of(installation: Installation, token: str) -> Bearer | None:
    """Whose token that is; None where it opens nothing. It is looked up by its hash, so time tells nothing.

    Raises `StorageError`.
    """
    if not token.isascii():
        return None
    now = utc_now()
    query = select(ApiTokenRow).where(ApiTokenRow.hash == token_hash(token), is_live(now))
    async with installation.database.read() as session:
        row = await session.scalar(query)
    if row is None:
        return None
    if row.last_used_at is None or now - row.last_used_at > _USE_NOTED_EVERY:
        async with installation.database.append() as session:
            used = update(ApiTokenRow).where(ApiTokenRow.id == row.id).values(last_used_at=now)
            await session.execute(used)
    return Bearer(row.id, row.customer_id)
