"""A server that is broken in one way after another: test calls by real phones turn red, and say why."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from provisioner.app import serving
from provisioner.control.client import ask
from provisioner.operations.installation import Installation
from provisioner.pbx import routing
from provisioner.pbx.routing import Routing
from sip.call.invitation import Invitation
from sip.call.leg import Leg
from sip.call.ringing import Caller
from sip.call.session import Told
from sip.call.tree.in_order import InOrder
from sip.call.tree.limited import Limited
from sip.call.tree.members import Member
from sip.message.sdp import SessionDescription
from sip.message.values import Reason
from tests.e2e.conftest import Run
from tests.e2e.test_registrations_command import inside, shop

__all__ = ["shop"]

Break = Callable[[pytest.MonkeyPatch], None]


@dataclass
class Broken:
    """One way, and what a plain call to a number says of it."""

    break_it: Break
    number: str
    "600 in order, 601 all at once, 603 the least used first."
    code: str
    setting: str
    calls: int | None = 1
    "None: one of each kind."


def late_cancel(patch: pytest.MonkeyPatch) -> None:
    cancel = Invitation.cancel

    def later(self: Invitation, reasons: Iterable[Reason] = ()) -> None:
        asyncio.get_running_loop().call_later(1.2, cancel, self, tuple(reasons))

    patch.setattr(Invitation, "cancel", later)


def no_reason(patch: pytest.MonkeyPatch) -> None:
    cancel = Invitation.cancel
    patch.setattr(Invitation, "cancel", lambda self, reasons=(): cancel(self))


def one_way(patch: pytest.MonkeyPatch) -> None:
    """Who is rung is told to send its audio to where nobody listens."""
    tell = Told.tell
    told: list[Told] = []

    def wrong(self: Told, description: SessionDescription) -> bytes:
        said = tell(self, description)
        told.append(self)
        if self is not told[0]:
            return said
        (stream,) = description.media
        return said.replace(f"m=audio {stream.port} ".encode(), b"m=audio 9 ")

    patch.setattr(Told, "tell", wrong)


def no_hanging_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Leg, "leave", lambda self, reasons=(): None)


def presented(caller: Caller, group: object) -> Caller:
    return Caller("600", "Sprzedaż")


def delay_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(routing.tree, "Member", lambda make, delay, stop: Member(make, 0, is_last=stop))


def rings_twice_as_long(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(routing, "Limited", lambda node, ring_s: Limited(node, 2 * ring_s))


QUICK = {
    "no word of who has answered": Broken(no_reason, "601", "missed-call", "exchange", None),
    "one-way audio": Broken(one_way, "101", "one-way-audio", "phone"),
    "order reversed": Broken(
        lambda patch: patch.setattr(Routing, "_ordered", _reversed(Routing._ordered)),
        *("603", "wrong-order", "strategy"),
    ),
    "presentation swapped": Broken(
        lambda patch: patch.setattr(routing, "_presented", presented), "600", "wrong-number", "presentation"
    ),
}
THOROUGH = {
    "cancelled late": Broken(late_cancel, "601", "rang-on", "exchange", None),
    "distinctive ring forgotten": Broken(
        lambda patch: patch.setattr(routing, "INSIDE", ""), "101", "wrong-ring", "distinctive-ring"
    ),
    "delay forgotten": Broken(delay_forgotten, "601", "too-early", "ring-delay", None),
    "rings for too long": Broken(rings_twice_as_long, "603", "too-long", "ring-time", None),
    "in order in place of all at once": Broken(
        lambda patch: patch.setattr(routing, "Together", InOrder), "601", "too-late", "ring-delay", None
    ),
    "least used forgotten": Broken(
        lambda patch: patch.setattr(Routing, "_last_use", lambda *_: (0.0, 0.0)),
        *("603", "wrong-order", "strategy", 2),
    ),
    "hidden number shown": Broken(
        lambda patch: patch.setattr(Routing, "_outside", lambda self: Caller(self.line)),
        *("101", "not-hidden", "hide-number", None),
    ),
    "hanging up not passed on": Broken(no_hanging_up, "101", "not-hung-up", "exchange"),
    "shuffled once and for all": Broken(
        lambda patch: patch.setattr(Routing, "_ordered", lambda self, exchange, group: list(group.members)),
        *("602", "not-random", "strategy", 23),
    ),
}
WAYS = QUICK | (THOROUGH if os.environ.get("CENTRALKA_PROVE") else {})


@pytest.mark.parametrize("way", WAYS)
def test_a_test_call_turns_red_and_says_what_is_to_blame(
    way: str, shop: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    broken = WAYS[way]
    question = {"number": broken.number, "customer": "nowyklienttestowy", "calls": broken.calls, "speed": 5}
    told: list[dict[str, Any]] = []

    async def work(installation: Installation) -> None:
        async with serving(installation, lambda _: None):
            broken.break_it(monkeypatch)
            told.extend([each async for each in ask(installation.data_dir, "test-call", question)])
            monkeypatch.undo()

    inside(tmp_path, work)
    proof = told[-1]["proof"]
    findings = [each for call in (*proof["calls"], proof) for each in call["findings"]]
    found = [(each["code"], each["blames"]["setting"]) for each in findings]
    assert not proof["passed"]
    assert (broken.code, broken.setting) in found


def _reversed(ordered: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    return lambda *asked: ordered(*asked)[::-1]
