"""What commands ask of the living server about calls (`provisioner.control`)."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import asdict
from uuid import UUID

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import BadValue
from provisioner.control.server import Said, Say, Verb
from provisioner.operations.call_watch import watch
from provisioner.operations.event_tail import EventTail
from provisioner.operations.hanging_up import Switchboard, hang_up
from provisioner.operations.installation import Installation

_AT_ONCE = 200
"Calls that are said in one line."


def calls_verb(installation: Installation, tail: EventTail) -> Verb:
    """`calls`: `{"customer": …}`, optional.

    Says lists of calls: first all that live, then each as it is when something has happened to it.
    """

    async def calls(asked: Said, say: Say) -> None:
        customer = asked.get("customer")
        if not isinstance(customer, str | None):
            raise BadValue("calls wants customer as a text")
        async with aclosing(watch(installation, tail, customer)) as turns:
            async for turn in turns:
                parts = [turn[first : first + _AT_ONCE] for first in range(0, len(turn), _AT_ONCE)] or [[]]
                for part in parts:
                    await say({"calls": [asdict(call) for call in part]})

    return calls


def hang_up_verb(installation: Installation, switchboard: Switchboard) -> Verb:
    """`hang-up`: `{"call": …}`; says the call as it was."""

    async def hangup(asked: Said, say: Say) -> None:
        try:
            call_id = UUID(str(asked.get("call")))
        except ValueError:
            raise BadValue("hang-up wants the id of a call: `centralka calls` lists them") from None
        await say(asdict(await hang_up(installation, switchboard, call_id, COMMAND_LINE)))

    return hangup
