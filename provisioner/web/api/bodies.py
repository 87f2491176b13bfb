"""What queries and answers of all lists have in common."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from aiohttp import web
from multidict import MultiMapping
from pydantic import BaseModel, ConfigDict

from provisioner.centrex.errors import BadValue

LONGEST_TEXT = 100
"Characters of a text to search for that are heeded."
_SWITCH = {"true": True, "false": False}


class Body(BaseModel):
    """Made of what an operation returns."""

    model_config = ConfigDict(from_attributes=True)


def check_names(query: MultiMapping[str], known: AbstractSet[str]) -> None:
    """Raises `BadValue` for a parameter that there is not."""
    if unknown := query.keys() - known:
        raise BadValue(f"there is no parameter {min(unknown)!r}: use {', '.join(sorted(known))}")


def check_listing(query: MultiMapping[str], known: AbstractSet[str]) -> None:
    """`check_names`, and raises `BadValue` for what no database can look for."""
    check_names(query, known)
    if any("\0" in value for value in query.values()):
        raise BadValue("nothing that is listed has a zero byte in it")


def switch_in(query: MultiMapping[str], name: str) -> bool | None:
    """What it says, if anything. Raises `BadValue`."""
    if name not in query:
        return None
    if query[name] not in _SWITCH:
        raise BadValue(f"{name} is true or false")
    return _SWITCH[query[name]]


def number_in(query: MultiMapping[str], name: str, most: int) -> int | None:
    """The same, from 1 to `most`. Raises `BadValue`."""
    said = query.get(name)
    if said is None:
        return None
    if not said.isascii() or not said.isdecimal() or not 0 < int(said[:20]) <= most:
        raise BadValue(f"{name} is a whole number from 1 to {most}")
    return int(said)


def answer(body: BaseModel) -> web.Response:
    """It, as it is now."""
    return web.Response(
        text=body.model_dump_json(), content_type="application/json", headers={"Cache-Control": "no-store"}
    )
