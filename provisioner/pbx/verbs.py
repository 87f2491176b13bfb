"""What commands ask of the living server about phones (`provisioner.control`)."""

from __future__ import annotations

from contextlib import aclosing

from provisioner.centrex.actor import COMMAND_LINE
from provisioner.centrex.errors import BadValue
from provisioner.centrex.mac import MacAddress
from provisioner.control.server import Said, Say, Verb
from provisioner.operations.resyncs import Kind
from provisioner.pbx.resync import Resyncs


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
