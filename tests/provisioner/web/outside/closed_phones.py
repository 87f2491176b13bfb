"""Phones that are listed and closed to strangers, each in one of the ways in which a phone can be closed."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

import yaml
from sqlalchemy import update

from db.schema import ClaimRow
from provisioner.centrex.actor import COMMAND_LINE
from provisioner.files.company import read_company_file
from provisioner.operations.asking import Ask
from provisioner.operations.companies import apply
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.provisioning import answer
from tests.provisioner.web.asking import PHONE, claim, decide, release, token_of


class Way(StrEnum):
    """Why nobody gets `<mac>.cfg` without more."""

    NEVER_CLAIMED = "never claimed"
    LAPSED = "the window has lapsed, though nobody has noticed yet"
    TAKEN = "another address has the window"
    RACED = "a second address has ended the window"
    RELEASED = "released after its token had worked"
    TOKEN_USED = "its token has worked"
    CERTIFICATE = "it comes with its certificate"
    ENCRYPTED = "its token has worked, and its files are encrypted"
    HTTP_AUTH = "its token has worked, and it logs in"
    STAGED = "its token has worked, and a change waits for its release"


OPTIONS = {Way.ENCRYPTED: {"encryption": True}, Way.HTTP_AUTH: {"http_auth": True}}
RIVAL = "127.0.0.98"


async def close_phones(installation: Installation, count: int) -> dict[str, Way]:
    """Lists `count` phones of a customer for each way and brings them there; who is closed how."""
    closed: dict[str, Way] = {}
    for number, way in enumerate(Way):
        macs = [f"805ec1{number:02x}{each:04x}" for each in range(count)]
        lines = [f"482240{number}{each:04}" for each in range(count)]
        login = f"klient{number}"
        await _apply(
            installation,
            login=login,
            name=str(way),
            phone=OPTIONS.get(way, {}),
            lines=[{"number": line, "product": "telefonia-ip-plus"} for line in lines],
            devices=[
                {"mac": mac, "model": "T46S", "accounts": [{"account": 1, "line": line}]}
                for mac, line in zip(macs, lines, strict=True)
            ],
        )
        for mac in macs:
            await _bring_to(installation, mac, way)
        if way is Way.LAPSED:
            async with installation.database.change() as session:
                await session.execute(update(ClaimRow).values(expires_at=utc_now() - timedelta(hours=1)))
        if way is Way.STAGED:
            await _apply(installation, staged=True, login=login, phone={"language": "en"})
        closed |= dict.fromkeys(macs, way)
    return closed


async def _bring_to(installation: Installation, mac: str, way: Way) -> None:
    match way:
        case Way.NEVER_CLAIMED:
            pass
        case Way.LAPSED:
            await claim(installation, mac)
        case Way.TAKEN | Way.RACED:
            await claim(installation, mac)
            await _fetch(installation, f"/{mac}.cfg")
            if way is Way.RACED:
                assert (await decide(installation, f"/{mac}.cfg", utc_now(), source=RIVAL)).is_closed
        case Way.CERTIFICATE:
            own = Ask(None, f"{mac}.cfg", PHONE, "", clear_text=False, certificate=mac)
            assert not (await answer(installation, own, utc_now())).is_closed
        case _:
            await claim(installation, mac)
            await _fetch(installation, f"/{mac}.cfg")
            await _fetch(installation, f"/{await token_of(installation, mac)}/{mac}.cfg")
            if way is Way.RELEASED:
                await release(installation, mac)


async def _fetch(installation: Installation, path: str) -> None:
    assert not (await decide(installation, path, utc_now())).is_closed


async def _apply(installation: Installation, *, staged: bool = False, **customer: object) -> None:
    text = yaml.safe_dump({"customers": [customer]}, allow_unicode=True)
    await apply(installation, read_company_file(text.encode(), "made.yaml"), COMMAND_LINE, staged=staged)
