"""What a feature code does. The caller is answered and hung up at once: to a phone any refusal is a failure,
whatever its words, and would sound as one."""

from __future__ import annotations

import logging

from provisioner.centrex.actor import Actor, Role
from provisioner.centrex.codes import Disturb, Forward, LogIn
from provisioner.centrex.errors import CentralkaError
from provisioner.operations import line_services
from provisioner.operations.installation import Installation
from sip.call.ringing import Outcome, Ringing
from sip.call.tree.done import Done
from sip.call.tree.phone import Refusal

logger = logging.getLogger(__name__)

PHONE = Actor("phone", Role.USER)


async def carry_out(installation: Installation, line: str, code: Forward | Disturb | LogIn) -> Ringing:
    """Does what the phone of a line has dialled, in one change with its entry in the audit.

    Raises `StorageError`.
    """
    try:
        match code:
            case Forward(case, enabled, to):
                await line_services.set_forwarding(installation, line, case, to, PHONE, enabled=enabled)
            case Disturb(dnd):
                await line_services.set_dnd(installation, line, PHONE, dnd=dnd)
            case LogIn(logged_in, group):
                await line_services.set_logged_in(installation, line, group, PHONE, logged_in=logged_in)
    except CentralkaError as error:
        logger.info("code refused aor=%s code=%s why=%s", line, type(code).__name__, error)
        return Refusal(Outcome.REFUSED, 403)
    logger.info("code done aor=%s code=%s", line, type(code).__name__)
    return Done()
