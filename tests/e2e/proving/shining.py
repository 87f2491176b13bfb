"""Ways to break what lamps of colleagues show."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from provisioner.pbx import lamp_watch
from provisioner.pbx.lamps import Lamps, Place, line_place
from provisioner.pbx.subscriptions import Subscriptions
from sip.packages.dialog import DialogState
from sip.subscription_errors import NotAllowed
from tests.e2e.proving.breaking import Break, instead, never, put
from tests.provisioner.pbx.switchboards import line_of

stays_dark = put(Lamps, "hear", never)
never_dark_again = put(Lamps, "_put_out", never)
group_stays_dark = put(Lamps, "of_group", lambda *_: ())
answer_not_shown = instead(
    Lamps,
    "_turn",
    lambda turn: lambda self, leg, state, *more: (
        state is DialogState.CONFIRMED or turn(self, leg, state, *more)
    ),
)


def lit_late(patch: pytest.MonkeyPatch) -> None:
    lit = Subscriptions._lit

    def later(self: Subscriptions, place: Place) -> None:
        asyncio.get_running_loop().call_later(2.5, lit, self, place)

    patch.setattr(Subscriptions, "_lit", later)


def looks_at_another(number: str, extension: str) -> Break:
    """The lamp of a number shows what another extension does."""

    def make(place: Any) -> Any:
        def found(exchange: Any, asked: str) -> Any:
            return (line_place(line_of(extension)), "") if asked == number else place(exchange, asked)

        return found

    return instead(lamp_watch, "_place", make)


def refused(patch: pytest.MonkeyPatch) -> None:
    """Nobody may watch anything."""

    def admit(*_: object) -> None:
        raise NotAllowed("no lamps")

    patch.setattr(Subscriptions, "_admit", admit)
