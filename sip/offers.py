"""Which algorithms of Digest somebody is offered (RFC 8760 §2.4).

Whoever knows but MD5 should take the challenge that it knows and pass over the other (RFC 3261 §22). Many
don't: they answer the first one, or none. Who is known for that is offered MD5 alone, as it says who it is;
it is never the line that decides, or the offer would tell which lines there are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sip.digest import STRONGEST_FIRST, Algorithm
from sip.message.remembered import remembered

_MD5_ALONE = re.compile(
    # Yealink's guides speak of MD5 alone; VP530 and W52P leave the vendor's word out.
    r"yealink|vp530|w52p"
    # Up to 1.x it refuses a response that has a challenge which it doesn't know.
    r"|baresip v[01]\."
    # Older stacks, and those of tests, that read the first challenge only.
    r"|sipp\b|sipsak|pyvoip|linksys|sipura|grandstream|cisco|fritz!",
    re.IGNORECASE,
)
_LOOKED_AT = 200
"Characters of a User-Agent."


def offered(user_agent: str | None) -> Sequence[Algorithm]:
    """What to offer to whom says of itself `user_agent`, the strongest first."""
    return STRONGEST_FIRST if user_agent is None else _offered(user_agent[:_LOOKED_AT])


@remembered
def _offered(user_agent: str) -> Sequence[Algorithm]:
    return (Algorithm.MD5,) if _MD5_ALONE.search(user_agent) else STRONGEST_FIRST
