"""What commands ask of the living server about phones (`provisioner.control`)."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import asdict

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import BadValue
from provisioner.centrex.mac import MacAddress
from provisioner.control.server import Said, Say, Verb
from provisioner.operations.event_tail import EventTail
from provisioner.operations.installation import Installation
from provisioner.operations.registered import State
from provisioner.operations.registration_watch import Step, watch
from provisioner.operations.registrations import Wanted
from provisioner.operations.resyncs import Kind
from provisioner.pbx.resync import Resyncs

_AT_ONCE = 500
"Registrations that are said in one line."


def resync_verb(resyncs: Resyncs) -> Verb:
    """`resync`: `{"mac": …, "kind": "resync" | "reboot"}`; says each `Progress`."""

    async def resync(asked: Said, say: Say) -> None:
        mac, kind = asked.get("mac"), asked.get("kind", Kind.RESYNC)
        if not isinstance(mac, str) or kind not in list(Kind):
            raise BadValue("resync wants a mac, and as kind resync or reboot")
        async with aclosing(resyncs.ask(MacAddress.parse(mac), Kind(kind), COMMAND_LINE)) as steps:
            async for step in steps:
                await say(step.plain())

    return resync


def registrations_verb(installation: Installation, tail: EventTail) -> Verb:
    """`registrations`: `{"customer": …, "line": …, "mac": …, "states": […]}`, all of them optional.

    Says lists of `{"turn": …, "key": …, "registration": …}`: first all that are there, then what changes.
    """

    async def registrations(asked: Said, say: Say) -> None:
        mac, states = asked.get("mac"), asked.get("states") or []
        if not all(isinstance(each, str | None) for each in (mac, asked.get("customer"), asked.get("line"))):
            raise BadValue("registrations wants customer, line and mac as texts")
        if not isinstance(states, list) or any(each not in list(State) for each in states):
            raise BadValue(f"registrations wants states as a list of {', '.join(State)}")
        wanted = Wanted(
            customer=asked.get("customer"),
            line=asked.get("line"),
            mac=MacAddress.parse(mac) if mac is not None else None,
            states=frozenset(map(State, states)),
        )
        async with aclosing(watch(installation, tail, wanted)) as turns:
            async for steps in turns:
                for first in range(0, len(steps), _AT_ONCE):
                    await say({"steps": [_plain(step) for step in steps[first : first + _AT_ONCE]]})

    return registrations


def _plain(step: Step) -> Said:
    return {"turn": step.turn, "key": step.key, "registration": asdict(step.registration)}
