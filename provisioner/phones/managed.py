"""Parameters that have a place of their own: a password said twice would be two passwords."""

from __future__ import annotations

import re

from phone_templates.errors import PhoneTemplatesError

_PLACES = (
    (re.compile(r"account\.[0-9]+\.password"), "the password of an account is its line's: give it there"),
    (
        re.compile(r"(static\.)?security\.user_password"),
        "each phone has passwords of its own for its pages: they are made, and stand in its file",
    ),
    (
        re.compile(r"(static\.)?auto_provision\.(aes_key.*|update_file_mode)"),
        "keys are made where `phone: {encryption: true}` is said, and a phone without one needs plain files",
    ),
)


class Managed(PhoneTemplatesError):
    """A parameter that raw settings may not say."""

    code = "managed-parameter"

    def __init__(self, name: str, place: str) -> None:
        super().__init__(f"{name} can't stand in settings: {place}")


def check_not_managed(name: str) -> None:
    """Raises `Managed` for a parameter that is written from elsewhere."""
    for pattern, place in _PLACES:
        if pattern.fullmatch(name):
            raise Managed(name, place)
