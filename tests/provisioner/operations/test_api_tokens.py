"""The keys of programs: made once, kept as hashes, revoked for good."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from db.schema import ApiTokenRow, AuditRow
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import BadValue, NotFound
from provisioner.operations.api_tokens import bearer_of, create_token, list_tokens, revoke_token
from provisioner.operations.installation import Installation, utc_now

LOGIN = "firma"


async def test_a_token_speaks_for_its_customer_and_another_for_the_operator(firma: Installation):
    theirs = await create_token(firma, "crm", COMMAND_LINE, customer=LOGIN)
    ours = await create_token(firma, "monitor", COMMAND_LINE)
    customer, operator = await bearer_of(firma, theirs.token), await bearer_of(firma, ours.token)
    assert customer is not None
    assert customer.customer_id is not None
    assert operator is not None
    assert operator.customer_id is None
    assert [(each.name, each.customer) for each in await list_tokens(firma)] == [
        ("crm", LOGIN),
        ("monitor", None),
    ]


async def test_a_token_is_kept_nowhere_but_as_its_hash(firma: Installation):
    made = await create_token(firma, "crm", COMMAND_LINE)
    async with firma.database.read() as session:
        row = await session.scalar(select(ApiTokenRow))
        audit = await session.scalars(select(AuditRow))
        kept = [vars(each) for each in (row, *audit)]
    assert made.token not in str(kept)


async def test_a_revoked_token_opens_nothing_and_the_audit_names_who_did_it(firma: Installation):
    made = await create_token(firma, "crm", COMMAND_LINE, customer=LOGIN)
    for _ in range(2):
        assert (await revoke_token(firma, made.id, COMMAND_LINE)).revoked_at is not None
        assert await bearer_of(firma, made.token) is None
    async with firma.database.read() as session:
        entries = await session.execute(
            select(AuditRow.verb, AuditRow.actor, AuditRow.subject)
            .where(AuditRow.verb.like("tokens.%"))
            .order_by(AuditRow.id)
        )
        assert [tuple(entry) for entry in entries] == [
            ("tokens.create", "cli", "crm"),
            ("tokens.revoke", "cli", "crm"),
        ]


async def test_a_token_ends_when_its_days_are_over(firma: Installation):
    made = await create_token(firma, "crm", COMMAND_LINE, days=7)
    assert made.expires_at is not None
    assert abs(made.expires_at - utc_now() - timedelta(days=7)) < timedelta(hours=1)
    assert await bearer_of(firma, made.token) is not None
    async with firma.database.change() as session:
        await session.execute(update(ApiTokenRow).values(expires_at=utc_now() - timedelta(seconds=1)))
    assert await bearer_of(firma, made.token) is None


async def test_the_list_says_when_a_token_was_used(firma: Installation):
    made = await create_token(firma, "crm", COMMAND_LINE)
    assert (await list_tokens(firma))[0].last_used_at is None
    await bearer_of(firma, made.token)
    assert (await list_tokens(firma))[0].last_used_at is not None


@pytest.mark.parametrize("token", ["", "0" * 32, "ł", "x" * 10_000])
async def test_what_is_no_token_opens_nothing(firma: Installation, token: str):
    await create_token(firma, "crm", COMMAND_LINE)
    assert await bearer_of(firma, token) is None


@pytest.mark.parametrize("name", ["", " crm", "a\nb", "x" * 101])
async def test_a_name_that_nobody_could_read_is_refused(firma: Installation, name: str):
    with pytest.raises(BadValue):
        await create_token(firma, name, COMMAND_LINE)
    assert list(await list_tokens(firma)) == []


async def test_unknown_customers_and_tokens_are_named(firma: Installation):
    with pytest.raises(NotFound, match="nobody"):
        await create_token(firma, "crm", COMMAND_LINE, customer="nobody")
    with pytest.raises(NotFound, match="7"):
        await revoke_token(firma, 7, COMMAND_LINE)
