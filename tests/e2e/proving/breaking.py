"""How the engine is broken, in this process alone. What a test call says of it is another's business."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Break = Callable[[pytest.MonkeyPatch], None]
Original = Callable[..., Any]


def instead(owner: object, name: str, make: Callable[[Original], Original]) -> Break:
    """`owner.name` is what `make` makes of the original."""
    return lambda patch: patch.setattr(owner, name, make(getattr(owner, name)))


def put(owner: object, name: str, what: object) -> Break:
    """`owner.name` is something else."""
    return lambda patch: patch.setattr(owner, name, what)


def never(*_: Any, **__: Any) -> None:
    """In place of what should be done."""
