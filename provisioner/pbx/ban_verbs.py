"""What commands ask of the living server about bans over SIP (`provisioner.control`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from provisioner.centrex.errors import BadValue
from provisioner.control.server import Said, Say, Verb
from provisioner.operations.installation import utc_now
from sip.bans import Bans


def sip_bans_verb(bans: Bans, now: Callable[[], float]) -> Verb:
    """`sip-bans`: says each ban that holds; or with `{"lift": SOURCE}` whether there was something to forget.

    `now` is loop time, in seconds.
    """

    async def sip_bans(asked: Said, say: Say) -> None:
        who = asked.get("lift")
        if who is None:
            for ban in bans.listed(now()):
                said = {"since": _at(ban.since, now()), "until": _at(ban.until, now())}
                await say({"source": ban.who, "times": ban.times, **said})
        elif isinstance(who, str):
            await say({"lifted": bans.lift(who)})
        else:
            raise BadValue("lift wants a source")

    return sip_bans


def _at(loop_time: float, now: float) -> str:
    at: datetime = utc_now() + timedelta(seconds=loop_time - now)
    return at.isoformat()
