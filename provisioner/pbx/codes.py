"""What a feature code does. The caller is answered and hung up at once: to a phone any refusal is a failure,
whatever its words, and would sound as one."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable

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
MOST_A_MINUTE = 20
"Codes of one line that are done: each is a change of the database, and stays in the audit."

_MINUTE_S = 60.0
_MOST_LINES = 10_000
"Of which it is known how many they had done; of more, those that began longest ago may begin anew."


class Codes:
    """Does what phones dial."""

    def __init__(self, installation: Installation, now: Callable[[], float]) -> None:
        """`now`: loop time."""
        self._installation = installation
        self._now = now
        self._done: OrderedDict[str, tuple[float, int]] = OrderedDict()
        "By line, when its minute began, and how many it had done since."

    async def carry_out(self, line: str, code: Forward | Disturb | LogIn) -> Ringing:
        """Does what the phone of a line has dialled, in one change with its entry in the audit.

        Raises `StorageError`.
        """
        name = type(code).__name__
        if not self._may(line):
            logger.warning("too many codes aor=%s code=%s", line, name)
            return Refusal(Outcome.REFUSED, 403)
        try:
            await self._change(line, code)
        except CentralkaError as error:
            logger.info("code refused aor=%s code=%s why=%s", line, name, error)
            return Refusal(Outcome.REFUSED, 403)
        logger.info("code done aor=%s code=%s", line, name)
        return Done()

    async def _change(self, line: str, code: Forward | Disturb | LogIn) -> None:
        here = self._installation
        match code:
            case Forward(case, enabled, to):
                await line_services.set_forwarding(here, line, case, to, PHONE, enabled=enabled)
            case Disturb(dnd):
                await line_services.set_dnd(here, line, PHONE, dnd=dnd)
            case LogIn(logged_in, group):
                await line_services.set_logged_in(here, line, group, PHONE, logged_in=logged_in)

    def _may(self, line: str) -> bool:
        now = self._now()
        began, count = self._done.get(line, (now, 0))
        if now - began >= _MINUTE_S:
            self._done.pop(line)
            began, count = now, 0
        if count >= MOST_A_MINUTE:
            return False
        self._done[line] = (began, count + 1)
        if len(self._done) > _MOST_LINES:
            self._done.popitem(last=False)
        return True
