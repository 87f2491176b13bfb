"""Who asks for a change, and what the role may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a user is to us, from most to least trusted."""

    OPERATOR = "operator"
    TECHNICIAN = "technician"
    CUSTOMER = "customer"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Actor:
    """The person or program behind a change, as the audit names it."""

    name: str
    "A login, or `cli`, `system`, `phone`."
    role: Role


SYSTEM = Actor("system", Role.OPERATOR)
COMMAND_LINE = Actor("cli", Role.OPERATOR)
