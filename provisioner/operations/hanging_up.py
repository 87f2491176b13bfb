"""Ending a call from outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from provisioner.centrex.actor import Actor
from provisioner.centrex.errors import Conflict
from provisioner.operations import audit
from provisioner.operations.calls import Call, show_call
from provisioner.operations.installation import Installation, utc_now
from provisioner.operations.living import Living
from provisioner.operations.twins import TwinMaker


@dataclass(slots=True)
class Switchboard:
    """The way to the calls that live in this process."""

    hang_up: Callable[[UUID], bool] | None = None
    "Ends a call; False: it does not live. None: no calls are served here."
    twin: TwinMaker | None = None
    "Has a customer's calls tested; None as above."
    living: Living | None = None
    "Lets test calls in that ring people's phones; None as above."
    look: Callable[[], None] | None = None
    "Looks at once what runs of test calls are due; None as above."


async def hang_up(
    installation: Installation,
    switchboard: Switchboard,
    call_id: UUID,
    actor: Actor,
    customer_id: int | None = None,
) -> Call:
    """Ends a call, and gives it as it was. `customer_id`: whose program asks; None: staff.

    Raises `NotFound` for a call that is not there, or not for that customer to see, and `Conflict` for one
    that has ended.
    """
    call = await show_call(installation, call_id, customer_id)
    if not call.is_live or switchboard.hang_up is None or not switchboard.hang_up(call_id):
        raise Conflict(f"the call {call_id} has ended already: nothing is left to end")
    async with installation.database.change() as session:
        said = f"from {call.from_number} to {call.to_number}"
        await audit.record(session, actor, utc_now(), "calls.hangup", call.id, said, customer_id=customer_id)
    return call
