"""What the SIP side has done so far, as plain numbers; whoever shows them reads them here."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counters:
    """Since the process began."""

    requests: Counter[str] = field(default_factory=Counter)
    "New requests by method; methods that are not served count as `other`."
    responses: Counter[int] = field(default_factory=Counter)
    "Answers that we sent, by status."
    registers: Counter[int] = field(default_factory=Counter)
    "Those of them that answered a REGISTER."
    unreadable: int = 0
    "Messages that were refused before anybody could look at what they ask for."
    withheld: int = 0
    "Answers that were not sent: too long or too many for a peer that has not shown that it is there."
    dropped: int = 0
    "Messages that were not looked at: their source is banned, or there were too many."
