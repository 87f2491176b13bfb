"""What a role may not say is refused where it is written, and nothing of it is kept."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.centrex.actor import Actor, Role
from provisioner.centrex.errors import Forbidden
from provisioner.operations.installation import Installation
from tests.provisioner.operations.small import DESK, HALL, audits, dump, exact, just, put

CUSTOMER = Actor("firma", Role.CUSTOMER)


def desk(**more: Any) -> dict[str, Any]:
    return {"devices": [{"mac": str(DESK), **more}, {"mac": str(HALL)}]}


@pytest.mark.parametrize(
    "said",
    [
        {"settings": {"ldap.host": "evil.example"}},
        desk(settings={"static.auto_provision.server.url": "http://evil.example/"}),
        desk(keys=[{"type": "url", "value": "http://evil.example/"}]),
        {"sites": [{"name": "Hala", "phone": {"sip_host": "evil.example"}}]},
    ],
)
async def test_what_hands_over_a_phone_is_refused_to_a_customer(firma: Installation, said: dict[str, Any]):
    before = await dump(firma)
    with pytest.raises(Forbidden):
        await put(firma, {"login": "firma", "name": "Firma 2", **said}, actor=CUSTOMER)
    assert await dump(firma) == before


async def test_what_holds_for_every_customer_is_refused_to_a_customer(firma: Installation):
    before = await dump(firma)
    with pytest.raises(Forbidden):
        await put(firma, vendors=[{"vendor": "yealink", "phone": {"language": "en"}}], actor=CUSTOMER)
    assert await dump(firma) == before


async def test_what_an_operator_has_said_a_customer_may_neither_change_nor_take_back(firma: Installation):
    await just(firma, **desk(settings={"ldap.host": "ldap.example.com"}))
    for word in ("evil.example", None):
        with pytest.raises(Forbidden):
            await put(firma, {"login": "firma", **desk(settings={"ldap.host": word})}, actor=CUSTOMER)
    assert (await put(firma, {"login": "firma", "name": "Firma 2"}, actor=CUSTOMER)).changes
    assert (await exact(firma))["ldap.host"] == "ldap.example.com"
    assert ((entry := (await audits(firma))[-1]).actor, entry.role) == ("firma", "customer")
