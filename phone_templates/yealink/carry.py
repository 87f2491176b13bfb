"""What of a user's changes on one phone another phone can take over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from phone_templates.catalogue import Generation
from phone_templates.errors import PhoneTemplatesError
from phone_templates.values import CLEARED
from phone_templates.yealink.models import Model
from phone_templates.yealink.parameters import catalogue, sensitivity_of

_NO_LOCAL_FILE = "no file of users' changes holds: set it in the company file if it is meant"
_NOT_A_USERS = "it decides who controls the phone, or is a secret: set it in the company file if it is meant"


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """A change that does not carry over."""

    name: str
    reason: str
    "For people: why, and what to do."


@dataclass(frozen=True, slots=True)
class Carried:
    """A user's changes, as another phone has them."""

    settings: tuple[tuple[str, str], ...]
    "In their order, each name once."
    respelled: tuple[tuple[str, str], ...]
    "Old and new names of those that are called otherwise now."
    left: tuple[LeftBehind, ...]


def carry(
    changes: Iterable[tuple[str, str]], before: Generation, model: Model, generation: Generation
) -> Carried:
    """`changes`, made on firmware of `before`, for a phone of `model` with firmware of `generation`.

    What decides who controls a phone stays behind: a replacement gets that from its own configuration. Of a
    name that stands twice the last one counts, as on the phone.
    """
    taken: dict[str, str] = {}
    respelled: dict[str, str] = {}
    left: dict[str, LeftBehind] = {}
    for name, value in dict(changes).items():
        if sensitivity_of(name).hands_over_the_phone:
            left[name] = LeftBehind(name, _NOT_A_USERS)
            continue
        now = catalogue().respelled(name, before, generation) or name
        if now.startswith("static."):
            left[name] = LeftBehind(name, f"it is {now} there, which {_NO_LOCAL_FILE}")
            continue
        try:
            # A value that a user has emptied stays empty: nothing else says so in a file.
            taken[now] = catalogue().check(now, value or CLEARED, generation, model)
        except PhoneTemplatesError as error:
            left[name] = LeftBehind(name, str(error))
            continue
        if now != name:
            respelled[name] = now
    return Carried(tuple(taken.items()), tuple(respelled.items()), tuple(left.values()))
