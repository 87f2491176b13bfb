"""The AES keys of a customer's phones: made, rotated, and how far each phone has come.

`phone: {encryption: true}` turns it on. The keys are the customer's, one for each length that phones take;
how one reaches a phone is said in `token_keys`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import groupby

from sqlalchemy.ext.asyncio import AsyncSession

from db.changes import touch
from db.queries import encryption as queries
from db.queries.encryption import TokenKey
from db.schema import EncryptionKeyRow
from db.vault import Vault
from phone_templates.yealink.encryption import AES_128, AES_256, KEY_SIGNS
from provisioner.centrex.actor import Actor, Role
from provisioner.centrex.customer import Customer
from provisioner.centrex.errors import Conflict, Forbidden
from provisioner.centrex.mac import MacAddress
from provisioner.operations import audit
from provisioner.operations.context import surroundings
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.missing import no_customer
from provisioner.operations.owed import owe, settle, undisturbed
from provisioner.operations.revisions import Cause, FileChange
from provisioner.operations.visible import customer_seen
from provisioner.phones.describe import Surroundings, is_encrypted
from provisioner.phones.levels import levels_of
from provisioner.store.customers import Stored, load_customer


class State(StrEnum):
    """How a phone's files go out."""

    PLAIN = "plain"
    ENCRYPTED = "encrypted"
    CHANGING = "changing"
    "It has not come yet with what its file tells it: another key, the first one, or none."


@dataclass(frozen=True, slots=True)
class PhoneKey:
    """One phone, and the keys that it has and is told. Versions of keys count from 1; None is no key."""

    mac: str
    model: str
    wanted: bool
    "Whether its files are to be encrypted."
    state: State
    key: int | None
    "What its files are encrypted with when it asks as it did last."
    told: int | None
    "What they tell it."
    bits: int | None
    "Of the key that they tell it."


@dataclass(frozen=True, slots=True)
class Encryption:
    """How a customer's phones stand."""

    customer: str
    version: int
    "Of its newest keys; 0: none were made."
    phones: tuple[PhoneKey, ...]


@dataclass(frozen=True, slots=True)
class Rotated:
    """New keys."""

    version: int
    files: tuple[FileChange, ...]


async def with_keys(
    session: AsyncSession, stored: Stored, around: Surroundings, now: datetime
) -> Surroundings:
    """`around` with keys: the first ones are made where the customer's phones need them, inside a change."""
    if around.encryption_keys or not wants_keys(stored.customer, around):
        return around
    return replace(around, encryption_keys=await make_keys(session, stored.vault, stored.row.id, now))


async def rotate(installation: Installation, login: str, actor: Actor) -> Rotated:
    """Gives a customer's encrypted phones new keys. One that is off meanwhile comes back with its old one.

    Raises `NotFound` for an unknown customer, `Conflict` where it never had keys, and `Forbidden`.
    """
    if actor.role is not Role.OPERATOR:
        raise Forbidden("new keys reach every phone of the customer: ask an operator for them")
    now = utc_now()

    async def rotated(session: AsyncSession) -> int:
        customer_id = await customer_seen(session, login, None)
        version = await queries.newest_version(session, customer_id) + 1
        if version == 1:
            raise Conflict(
                f"customer {login} has no keys yet: say `phone: {{encryption: true}}` in its company file"
            )
        await make_keys(session, installation.vault, customer_id, now)
        summary = f"rotate the AES keys of {login} to version {version}"
        entry = await audit.record(
            session, actor, now, "encryption.rotate", login, summary, customer_id=customer_id
        )
        touch(session, f"customer:{customer_id}")
        await owe(session, {customer_id}, Cause(actor, summary, now, entry.id))
        return version

    version = await undisturbed(installation, [login], rotated)
    files = await settle(installation, [login])
    return Rotated(version, tuple(files.get(login, ())))


async def show(installation: Installation, login: str) -> Encryption:
    """Which phones are encrypted, and which still have another key. Raises `NotFound`."""
    async with installation.database.read() as session:
        stored = await _customer(session, installation, login)
        around = await surroundings(session, installation, stored)
        wanted = {
            device.mac.hex: is_encrypted(levels_of(device, stored.customer, around.vendor))
            for device in stored.customer.devices
        }
        tokens = await queries.keys_of_tokens(session, stored.row.id)
        return Encryption(
            login,
            await queries.newest_version(session, stored.row.id),
            tuple(
                _phone_key(list(each), wanted[mac]) for mac, each in groupby(tokens, lambda each: each.mac)
            ),
        )


def _phone_key(tokens: list[TokenKey], wanted: bool) -> PhoneKey:
    newest = tokens[-1]
    used = next((each for each in reversed(tokens) if each.is_used), None)
    key = used.key_version if used else None
    if used is not newest and (key, newest.key_version) != (None, None):
        state = State.CHANGING
    else:
        state = State.PLAIN if key is None else State.ENCRYPTED
    return PhoneKey(
        mac=str(MacAddress(newest.mac)),
        model=newest.model,
        wanted=wanted,
        state=state,
        key=key,
        told=newest.key_version,
        bits=newest.characters * 8 if newest.characters else None,
    )


def wants_keys(customer: Customer, around: Surroundings) -> bool:
    """Whether any of the customer's phones is to be encrypted."""
    return any(is_encrypted(levels_of(device, customer, around.vendor)) for device in customer.devices)


async def make_keys(session: AsyncSession, vault: Vault, customer_id: int, now: datetime) -> dict[int, int]:
    """Makes the next version, of both lengths, inside a change. The number of each row by its length."""
    version = await queries.newest_version(session, customer_id) + 1
    rows = [
        EncryptionKeyRow(
            customer_id=customer_id,
            version=version,
            characters=characters,
            key_sealed=vault.seal("".join(secrets.choice(KEY_SIGNS) for _ in range(characters))),
            created_at=now,
        )
        for characters in (AES_128, AES_256)
    ]
    session.add_all(rows)
    await session.flush()
    return {row.characters: row.id for row in rows}


async def _customer(session: AsyncSession, installation: Installation, login: str) -> Stored:
    stored = await load_customer(session, installation.vault, login)
    if stored is None:
        raise no_customer(login)
    return stored
