"""What queries and answers of all lists have in common."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Final, TypeVar

from aiohttp import web
from multidict import MultiMapping
from pydantic import BaseModel, ConfigDict, ValidationError

from provisioner.centrex.errors import BadValue, NotFound

LONGEST_TEXT = 100
"Characters of a text to search for that are heeded."
MOST_ID: Final = 2**63 - 1
"What a database numbers its rows by."
_SWITCH = {"true": True, "false": False}

Asked = TypeVar("Asked", bound=BaseModel)


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
        raise BadValue("nothing that is listed has a zero byte in it: take it out")


def switch_in(query: MultiMapping[str], name: str) -> bool | None:
    """What it says, if anything. Raises `BadValue`."""
    if name not in query:
        return None
    if query[name] not in _SWITCH:
        raise BadValue(f"{name} is a switch: send true or false")
    return _SWITCH[query[name]]


def number_in(query: MultiMapping[str], name: str, most: int) -> int | None:
    """The same, from 1 to `most`. Raises `BadValue`."""
    said = query.get(name)
    if said is None:
        return None
    if not said.isascii() or not said.isdecimal() or not 0 < int(said[:20]) <= most:
        raise BadValue(f"{name} is a whole number from 1 to {most}")
    return int(said)


def id_in(request: web.Request, missing: Callable[[str], NotFound]) -> int:
    """The number that the address names. Raises `NotFound`, as `missing` says it."""
    said = request.match_info["id"]
    if not said.isascii() or not said.isdecimal() or len(said) >= len(str(MOST_ID)):
        raise missing(repr(said[:40]))
    return int(said)


async def asked_in(request: web.Request, model: type[Asked]) -> Asked:
    """What its body asks for. Raises `BadValue`."""
    try:
        return model.model_validate_json(await request.read())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the body"
        raise BadValue(f"{where}: {first['msg']}") from None


def answer(body: BaseModel) -> web.Response:
    """It, as it is now."""
    return web.Response(
        text=body.model_dump_json(), content_type="application/json", headers={"Cache-Control": "no-store"}
    )
